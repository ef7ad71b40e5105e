"""A Lennard-Jones mixture with GROMACS 2025 or later, as a user's main directory."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from tests.csg import case as csg_case
from tests.csg.case import SPECIES
from votca_mlp.engines.gromacs.step import run_step
from votca_mlp.engines.shared.result import StepResult
from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.potentials.correction import read_correction
from votca_mlp.progress import Progress
from votca_mlp.settings import Settings, load_settings
from votca_mlp.settings.plans import md_plan
from votca_mlp.tables import grid_points, make_table, write_table

ROOT = Path(__file__).parents[3]

MDP = """integrator = md
dt = 0.004
nsteps = 200
nstxout-compressed = 10
compressed-x-precision = 100000
nstenergy = 10
cutoff-scheme = Verlet
verlet-buffer-tolerance = -1
nstlist = 10
rlist = 0.5
rcoulomb = 0.5
rvdw = 0.5
tcoupl = v-rescale
tc-grps = System
tau-t = 0.2
ref-t = 120
pcoupl = C-rescale
tau-p = 2.0
ref-p = 300
compressibility = 1e-4
gen-vel = yes
gen-temp = 120
gen-seed = 7
ld-seed = 7
"""


def find_gmx() -> str:
    """Return a GROMACS 2025 or later that is here already, or skip."""
    done = subprocess.run(
        [ROOT / "scripts/get_gromacs", "--no-fetch"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(done.stderr.strip())
    return done.stdout.strip()


def make_case(
    directory: Path, symbols: tuple[str, ...] = ("Ar",), gmx: str = "", iterations: int = 1
) -> Path:
    """Write the main directory of the csg tests' mixture for GROMACS."""
    gmx = gmx or find_gmx()
    csg_case.make_case(directory, symbols, iterations=iterations)
    (directory / "grompp.mdp").write_text(MDP)
    from ase.io import read

    atoms = read(directory / "conf.extxyz")
    assert isinstance(atoms, Atoms)
    # molecules of one species after the other, as both topologies have them
    atoms = atoms[np.argsort([symbols.index(s) for s in atoms.symbols], kind="stable")]
    atoms.rattle(0.02, seed=3)
    write_gro(directory / "conf.gro", atoms)
    write_topology(directory / "topol.top", atoms)
    text = (directory / "settings.xml").read_text()
    begin, end = text.index("    <ase>"), text.index("    </ase>")
    text = (
        text[:begin]
        + f"""    <gromacs>
      <grompp><bin>{gmx} grompp</bin></grompp>
      <mdrun>
        <command>{gmx} mdrun</command>
      </mdrun>
      <equi_time>0.2</equi_time>
    </gromacs>"""
        + text[end + len("    </ase>") :]
    )
    text = text.replace("<program>ase<", "<program>gromacs<")
    names = "grompp.mdp topol.top index.ndx topol.xml"
    (directory / "settings.xml").write_text(text.replace("<filelist>topol.xml<", f"<filelist>{names}<"))
    numbers = " ".join(f"{k}\n" if k % 15 == 0 else str(k) for k in range(1, len(atoms) + 1))
    (directory / "index.ndx").write_text(f"[ System ]\n{numbers}\n")
    return directory


def write_gro(path: Path, atoms: Atoms) -> None:
    lines = ["mixture", f"{len(atoms):5d}"]
    for k, (symbol, x) in enumerate(zip(atoms.symbols, atoms.positions / 10, strict=True), start=1):
        lines.append(f"{k:5d}{symbol:<5}{symbol:>5}{k:5d}" + "".join(f"{value:8.3f}" for value in x))
    lines.append("".join(f"{edge / 10:10.5f}" for edge in atoms.cell.lengths()))
    path.write_text("\n".join(lines) + "\n")


def write_topology(path: Path, atoms: Atoms, c12: float = 0.0) -> None:
    symbols = list(dict.fromkeys(atoms.symbols))
    text = "[ defaults ]\n1 1\n[ atomtypes ]\n"
    text += "".join(f"{s} {SPECIES[s][2]} 0.0 A 0.0 {c12:g}\n" for s in symbols)
    for s in symbols:
        text += f"[ moleculetype ]\n{s} 0\n[ atoms ]\n1 {s} 1 {s} {s} 1 0.0 {SPECIES[s][2]}\n"
    text += "[ system ]\nmixture\n[ molecules ]\n"
    path.write_text(text + "".join(f"{s} {list(atoms.symbols).count(s)}\n" for s in symbols))


def prepare(directory: Path, depth: float = 0.5) -> tuple[Settings, Path]:
    """Make step_001 of a main directory with a smooth correction in kJ/mol; return settings and step."""
    settings = load_settings(directory / "settings.xml")
    step = directory / "step_001"
    step.mkdir()
    for name in (*settings.filelist, "conf.gro"):
        shutil.copy(directory / name, step)
    for pair in settings.interactions:
        r = grid_points(pair.min, pair.max, pair.step)
        u = depth * np.exp(-(((r - 0.4) / 0.1) ** 2))
        write_table(step / f"{pair.name}.pot.cur", make_table(r, u))
    return settings, step


def evaluator(settings: Settings, step: Path) -> Any:
    tables = {(i.type1, i.type2): step / f"{i.name}.pot.cur" for i in settings.interactions}
    return make_evaluator(settings.mlp, read_correction(tables), settings.main_directory, 1.0)


def run(settings: Settings, step: Path, **options: Any) -> StepResult:
    return run_step(
        md_plan(settings, step),
        options.pop("evaluator", None) or evaluator(settings, step),
        step_directory=step,
        step_number=1,
        progress=options.pop("progress", Progress(None)),
        **options,
    )


def sockets() -> list[str]:
    """Return what serving has left in TMPDIR."""
    names = os.listdir(tempfile.gettempdir())
    return [name for name in names if name.startswith("votca-mlp-") and name != f"votca-mlp-{os.getuid()}"]


if __name__ == "__main__":
    found = load_settings(Path(sys.argv[1]) / "settings.xml")
    run(found, Path(sys.argv[1]) / "step_001")
