"""Lennard-Jones argon in LAMMPS with the package's own forces, also run as a program to be killed."""

import sys
from pathlib import Path
from typing import Any

from ase import Atoms

from tests.engines.ase.case import argon, evaluator
from votca_mlp.engines.lammps.step import run_step
from votca_mlp.engines.shared.result import StepResult
from votca_mlp.progress import Progress
from votca_mlp.settings import AseSettings, Interaction, MLPSettings, Settings
from votca_mlp.settings.models import LammpsSettings
from votca_mlp.settings.plans import md_plan

SCRIPT = """# argon
units       metal
atom_style  atomic
read_data   conf.data

velocity    all create 120 7
timestep    0.004
fix         1 all npt temp 120 120 0.2 iso 300 300 2.0
thermo      50
run         60

dump        traj all custom 10 traj.dump id type element x y z
run         200
"""
FILES = ("traj.dump", "thermo.dat", "confout.data")


def write_data(path: Path, atoms: Atoms, order: tuple[str, ...] = ()) -> None:
    """Write a LAMMPS data file, one type for each element in this order, else in that of the alphabet."""
    kinds = order or sorted(set(atoms.symbols))
    masses = {kind: float(atoms.get_masses()[list(atoms.symbols).index(kind)]) for kind in kinds}
    lines = ["", "", f"{len(atoms)} atoms", f"{len(kinds)} atom types"]
    lines += [f"0 {edge!r} {x}lo {x}hi" for x, edge in zip("xyz", atoms.cell.lengths().tolist(), strict=True)]
    lines += ["", "Masses", "", *(f"{k} {masses[kind]!r}" for k, kind in enumerate(kinds, start=1))]
    lines += ["", "Atoms  # atomic", ""]
    rows = zip(atoms.symbols, atoms.positions.tolist(), strict=True)
    lines += [f"{n} {kinds.index(s) + 1} {x!r} {y!r} {z!r}" for n, (s, (x, y, z)) in enumerate(rows, start=1)]
    path.write_text("\n".join(lines) + "\n")


def write_topology(path: Path, atoms: Atoms) -> None:
    """Write one molecule of one bead after the other."""
    beads = "".join(
        f'<molecule name="{s}" nmols="1" nbeads="1"><bead name="{s}" type="{s}" mass="1" q="0"/></molecule>'
        for s in atoms.symbols
    )
    path.write_text(f"<topology><molecules>{beads}</molecules></topology>")


def make_case(main: Path, atoms: Atoms | None = None, script: str = SCRIPT, **lammps: Any) -> Settings:
    """Write script, topology and start into step_001 of ``main``, return the settings."""
    atoms = argon() if atoms is None else atoms
    step = main / "step_001"
    step.mkdir(parents=True)
    (step / "in.lmp").write_text(script)
    write_topology(step / "topol.xml", atoms)
    write_data(step / "conf.data", atoms)
    first = str(atoms.symbols[0])
    return Settings(
        path=main / "settings.xml",
        interactions=(
            Interaction(name="pair", type1=first, type2=first, min=0, max=0.7, step=0.01, target="t"),
        ),
        program="lammps",
        method="ibi",
        kBT=0.9977,
        iterations_max=2,
        filelist=("in.lmp", "topol.xml"),
        mlp=MLPSettings(kind="ase"),
        ase=AseSettings(temperature=120.0),
        lammps=LammpsSettings(**{"script": "in.lmp", "checkpoint_every": 50, **lammps}),
    )


def run_case(settings: Settings, **options: Any) -> StepResult:
    step = settings.path.parent / "step_001"
    return run_step(
        md_plan(settings, step),
        options.pop("evaluator", None) or evaluator(),
        step_directory=step,
        step_number=1,
        progress=options.pop("progress", Progress(None)),
        **options,
    )


if __name__ == "__main__":
    run_case(Settings.model_validate_json(Path(sys.argv[1]).read_text()))
