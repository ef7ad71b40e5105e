"""A known correction is recovered from zero: by csg_inverse from one system, and better from several states.

A supercritical fluid: in a dense liquid g(r) hardly feels slow parts of u(r), so that u takes many iterations
(scripts/known_answer and scripts/multistate_known_answer show such).
"""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from ase.io import read, write

from tests.csg.case import edit, inverse, make_case, needs_votca
from votca_mlp.settings import load_settings
from votca_mlp.structure.agreement import compare_tables
from votca_mlp.tables import grid_points, make_table, read_table, write_table
from votca_mlp.units import kbt_kjmol

# makes the target in a process of its own, as threads are set once
_TARGET = """
import sys
from votca_mlp.settings import load_settings
from votca_mlp.tables import read_table, write_table
from votca_mlp.targets.simulated import simulate_targets
known = {"Ar-Ar": read_table("known.table")}
settings = load_settings("settings.xml")
for name, table in simulate_targets(settings, known, "target", production=60000.0).items():
    write_table(f"{name}.dist.tgt", table)
"""


def known_answer(r: np.ndarray) -> np.ndarray:
    """u*, kJ/mol."""
    end = np.clip((r[-1] - r) / 0.2, 0.0, 1.0)
    return (1.0 * np.exp(-(((r - 0.37) / 0.05) ** 2)) - 0.5 * np.exp(-(((r - 0.52) / 0.06) ** 2))) * end**2


def distance(u: np.ndarray, known: np.ndarray, seen: np.ndarray) -> float:
    """RMS of u - u*, kJ/mol, where pairs are; a constant has no force."""
    difference = (u - known)[seen]
    return float(np.sqrt(np.mean((difference - difference.mean()) ** 2)))


def test_csg_inverse_recovers_a_known_correction(tmp_path: Path) -> None:
    needs_votca()
    main = make_case(
        tmp_path,
        iterations=4,
        production=20000,
        weight="<alpha>1</alpha><weight>uniform</weight>",
        ase="<rdf><with_errors>yes</with_errors><block_length>40</block_length></rdf>",
    )
    edit(main / "settings.xml", {"<kBT>0.99774<": "<kBT>2.49434<", "<temperature>120<": "<temperature>300<"})
    atoms = read(main / "conf.extxyz")
    atoms.set_cell(atoms.cell * (7.2 / 5.7), scale_atoms=True)
    write(main / "conf.extxyz", atoms)
    settings = load_settings(main / "settings.xml")
    one = settings.interactions[0]
    r = grid_points(one.min, one.max, one.step)
    known = known_answer(r)
    write_table(main / "known.table", make_table(r, known))
    subprocess.run([sys.executable, "-c", _TARGET], cwd=main, check=True, capture_output=True)

    status, output = inverse(main)
    assert status == 0, output
    target = read_table(main / "Ar-Ar.dist.tgt")
    rdfs = [read_table(main / f"step_{k:03d}" / "Ar-Ar.dist.new") for k in (1, 4)]
    before, after = (compare_tables(rdf, target, r_max=8.0) for rdf in rdfs)
    seen = (target.y > 0.3) & (r < one.max - 0.1)
    u = read_table(main / "step_004" / "Ar-Ar.pot.new").y
    start, left = distance(np.zeros_like(u), known, seen), distance(u, known, seen)
    # what an update adds by the noise of the two RDFs alone
    errors = (table.yerr / table.y for table in (rdfs[1], target) if table.yerr is not None)
    noise = settings.kBT * float(np.sqrt(np.mean(sum(error[seen] ** 2 for error in errors))))
    print(f"g: {before.rms:.4f} -> {after.rms:.4f} (noise {after.rms_error:.4f})")
    print(f"u: {start:.4f} -> {left:.4f} (noise {noise:.4f})")
    # the correction is found to within a quarter of its size, and g(r) to a third of its first distance
    assert left < 0.25 * start
    assert left < 3.0 * noise
    assert after.rms < before.rms / 3


# makes the targets of all states and every fit, in a process of its own
_FITS = """
import shutil
from pathlib import Path
from votca_mlp.inverse.start import run_inverse
from votca_mlp.settings import load_settings
from votca_mlp.settings.states import states_of, write_state_settings
from votca_mlp.tables import read_table, write_table
from votca_mlp.targets.simulated import simulate_targets
main = Path("all")
known = {"Ar-Ar": read_table("known.table")}
for state in states_of(load_settings(main / "settings.xml")):
    for table in simulate_targets(state.settings, known, f"target_{state.name}", production=20000.0).values():
        write_table(main / state.name / "Ar-Ar.dist.tgt", table)
for state in states_of(load_settings(main / "settings.xml")):
    alone = Path(shutil.copytree(main / state.name, state.name))
    write_state_settings(state, alone / "settings.xml")
    run_inverse(alone / "settings.xml")
run_inverse(main / "settings.xml")
"""


def test_several_states_recover_it_better_than_one(tmp_path: Path) -> None:
    """Each state has noise of its own, so that of the mean of three updates is smaller.

    scripts/multistate_known_answer shows more states and their statistical errors.
    """
    temperatures = (220.0, 240.0, 260.0)
    main = make_case(
        tmp_path / "all",
        iterations=6,
        production=4000,
        weight="<alpha>1</alpha><weight>uniform</weight>",
    )
    names = " ".join(f"T{t:.0f}" for t in temperatures)
    states = (
        f"<multistate><enabled>yes</enabled><state_names>{names}</state_names>"
        "<state_weights>1 1 1</state_weights>"
        f"<state_kBTs>{' '.join(f'{kbt_kjmol(t):.7g}' for t in temperatures)}</state_kBTs></multistate>"
    )
    # the crystal melts before anything is measured
    melted = "<first_equilibration>4000<"
    edit(main / "settings.xml", {"<mlp>": states + "<mlp>", "<first_equilibration>400<": melted})
    atoms = read(main / "conf.extxyz")
    atoms.set_cell(atoms.cell * (7.2 / 5.7), scale_atoms=True)
    write(main / "conf.extxyz", atoms)
    for seed, name in enumerate(names.split(), start=1):
        (main / name).mkdir()
        own = f"<cg><inverse><ase><seed>{seed}</seed></ase></inverse></cg>"
        (main / name / "settings.xml").write_text(own)
        for file in ("conf.extxyz", "topol.xml", "fluid.py"):
            shutil.copy(main / file, main / name)
    one = load_settings(main / "settings.xml").interactions[0]
    r = grid_points(one.min, one.max, one.step)
    known = known_answer(r)
    write_table(tmp_path / "known.table", make_table(r, known))
    subprocess.run([sys.executable, "-c", _FITS], cwd=tmp_path, check=True, capture_output=True)

    targets = [read_table(path).y for path in main.glob("T*/Ar-Ar.dist.tgt")]
    seen = np.all([g > 0.3 for g in targets], axis=0) & (r < one.max - 0.1)
    left = {}
    for run in (*names.split(), "all"):
        # each iteration has noise of its own
        steps = [read_table(tmp_path / run / f"step_00{k}" / "Ar-Ar.pot.new").y for k in (4, 5, 6)]
        left[run] = np.mean([distance(u, known, seen) for u in steps])
    print(left)
    # the best of three single states is one by luck: which one it is changes with the seeds
    assert left["all"] < 0.9 * np.mean([left[name] for name in names.split()])
