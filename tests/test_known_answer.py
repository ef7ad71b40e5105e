"""A known correction is recovered from zero: from one system, and better from several states.

A supercritical fluid: in a dense liquid g(r) hardly feels slow parts of u(r), so that u takes many iterations
(scripts/known_answer.py and scripts/multistate_known_answer.py show such).
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.io import read, write

from tests.csg.case import edit, inverse, make_case, needs_votca
from tests.inverse.case import ours
from votca_mlp.settings import load_settings
from votca_mlp.tables import grid_points, make_table, read_table, write_table
from votca_mlp.targets.agreement import compare_tables

SCRIPTS = Path(__file__).parents[1] / "scripts"

# makes the target in a process of its own, as threads are set once
_TARGET = """
import sys
from votca_mlp.settings import load_settings
from votca_mlp.tables import read_table, write_table
from votca_mlp.inverse.from_settings import state_plan
from votca_mlp.inverse.twin import simulate_targets
known = {"Ar-Ar": read_table("known.table")}
settings = load_settings("settings.xml")
for name, table in simulate_targets(state_plan(settings), known, "target", production=60000.0).items():
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


@pytest.mark.parametrize("loop", [ours, pytest.param(inverse, marks=pytest.mark.slow)])
def test_a_known_correction_is_recovered(loop: Callable[[Path], tuple[int, str]], tmp_path: Path) -> None:
    """By our own loop, whose tables are csg_inverse's digit for digit; with --slow by csg_inverse, too."""
    if loop is inverse:
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

    status, output = loop(main)
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


@pytest.mark.parametrize("iterations", [4, pytest.param(6, marks=pytest.mark.slow)])
def test_several_states_recover_it_better_than_one(iterations: int, tmp_path: Path) -> None:
    """Each state has noise of its own, so that of the mean of two or three updates is smaller.

    The script that docs/results.md is made with, with shorter runs and one replica.
    """
    lengths = ("--replicas", "1", "--iterations", str(iterations), "--production", "1600")
    file = tmp_path / "compared.json"
    command = [sys.executable, SCRIPTS / "multistate_known_answer.py", "compare", tmp_path, *lengths]
    command += ["--json", file]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    print(done.stdout)

    main = tmp_path / "replica_1"
    table = read_table(main / "Ar-Ar.pot.known")
    targets = [read_table(path).y for path in main.glob("*K/Ar-Ar.dist.tgt")]
    seen = np.all([g > 0.3 for g in targets], axis=0) & (table.x < table.x[-1] - 0.1)
    left: dict[int, list[float]] = {1: [], 2: [], 3: []}
    for run in main.glob("fit_*"):
        # each iteration has noise of its own
        steps = [read_table(run / f"step_00{k}" / "Ar-Ar.pot.new").y for k in range(3, iterations + 1)]
        left[1 + run.name.count("+")].append(float(np.mean([distance(u, table.y, seen) for u in steps])))
    assert [len(values) for values in left.values()] == [3, 3, 1]
    assert left[3][0] < 0.5 * distance(np.zeros_like(table.y), table.y, seen)
    ends = json.loads(file.read_text())["tables"]["ends"]
    assert sorted(label.count("+") for label in ends) == [0, 0, 0, 1, 1, 1, 2]
    # which state alone is the best, or which two, changes with the seeds
    assert np.mean(left[2]) < 0.9 * np.mean(left[1])
    assert np.mean(left[3]) < 0.9 * np.mean(left[1])


def test_shares_by_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SCRIPTS)
    states = importlib.import_module("known_states")
    fits = states.fits_of(states.MIXTURE, ["Ar-Ar", "Ar-Kr", "Kr-Kr"])
    both = "argon_rich + krypton_rich"
    assert list(fits) == [*states.MIXTURE, both, f"{both}, by pairs"]
    for shares in fits.values():
        np.testing.assert_allclose(sum(shares.values()), 1.0)
    # 81 and 27 atoms: 3240 like pairs and 351, as many unlike ones in both
    by_pairs = fits[f"{both}, by pairs"]["argon_rich"]
    np.testing.assert_allclose(by_pairs, [3240 / 3591, 0.5, 351 / 3591])
