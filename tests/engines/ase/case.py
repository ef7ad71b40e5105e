"""A small Lennard-Jones argon case for the engine, also run as a program to be killed."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk

from votca_mlp.engines.ase.step import run_step
from votca_mlp.engines.shared.result import StepResult
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.kernels.threads import set_threads
from votca_mlp.models.lennard_jones import lennard_jones_mixture
from votca_mlp.progress import Progress
from votca_mlp.settings import AseSettings, Interaction, MLPSettings, Settings
from votca_mlp.settings.plans import md_plan

# several threads only wait for each other in systems this small
set_threads(1)

ARGON = {"Ar": [0.0103, 3.4]}
CUTOFF = 7.0


def evaluator(dtype: torch.dtype = torch.float64) -> PairListEvaluator:
    return PairListEvaluator(lennard_jones_mixture(ARGON, CUTOFF), dtype=dtype, skin=1.0)


def argon(repeat: int = 3, lattice_constant: float = 5.8) -> Atoms:
    atoms: Atoms = bulk("Ar", "fcc", a=lattice_constant, cubic=True).repeat(repeat)
    return atoms


def make_case(main: Path, atoms: Atoms | None = None, **ase: Any) -> Settings:
    """Write topology and start into ``main``, make step_001, return the settings."""
    atoms = argon() if atoms is None else atoms
    (main / "step_001").mkdir(parents=True)
    (main / "topol.xml").write_text(
        f'<topology><molecules><molecule name="Ar" nmols="{len(atoms)}" nbeads="1">'
        '<bead name="Ar" type="Ar" mass="39.948" q="0"/></molecule></molecules></topology>'
    )
    atoms.write(main / "conf.extxyz")
    defaults: dict[str, Any] = {
        "conf": "conf.extxyz",
        "temperature": 120.0,
        "pressure": 300.0,
        "timestep": 4.0,
        "first_equilibration": 200.0,
        "equilibration": 100.0,
        "production": 800.0,
        "sample_every": 40.0,
        "thermostat_time": 200.0,
        "checkpoint_every": 200.0,
        "seed": 3,
    }
    return Settings(
        path=main / "settings.xml",
        interactions=(
            Interaction(name="Ar-Ar", type1="Ar", type2="Ar", min=0, max=0.7, step=0.01, target="t"),
        ),
        program="ase",
        method="ibi",
        kBT=0.9977,
        iterations_max=2,
        mlp=MLPSettings(kind="ase"),
        ase=AseSettings(**{**defaults, **ase}),
    )


def run_case(settings: Settings, step_number: int = 1, **options: Any) -> StepResult:
    main = settings.path.parent
    step = main / f"step_{step_number:03d}"
    plan = replace(md_plan(settings, step), **options.pop("plan", {}))
    return run_step(
        plan,
        options.pop("evaluator", None) or evaluator(),
        step_directory=step,
        step_number=step_number,
        progress=options.pop("progress", Progress(None)),
        **options,
    )


def thermo(settings: Settings, step_number: int = 1) -> np.ndarray:
    """Numbers of thermo.dat, shape [rows, 11]."""
    file = settings.path.parent / f"step_{step_number:03d}" / "thermo.dat"
    return np.array([[float(x) for x in line.split()[:-1]] for line in file.read_text().splitlines()[1:]])


if __name__ == "__main__":
    run_case(Settings.model_validate_json(Path(sys.argv[1]).read_text()))
