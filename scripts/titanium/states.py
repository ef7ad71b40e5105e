"""State points of titanium, and the experiments in them."""

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from fusion_stages import GPA

from votca_mlp.training.fusion.experiments import Experiment
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.protocol import FrameObservable
from votca_mlp.training.fusion.observables.stress import Pressure, StressTensor
from votca_mlp.training.fusion.states import StatePoint

from .data import Measured

REPEAT = (4, 2, 3)
"""Of the rectangular cell of hcp with four atoms: 96 atoms."""
CONSTANTS_ERROR = 0.01
"""Relative, of the measured elastic constants, and at least 0.5 GPa: assumed, the table has no errors."""
STRESS_ERROR = 0.1 / GPA
"""eV/Angstrom^3, of each component (1 kbar): what 0.03 to 0.05 % of a measured edge amount to; assumed."""


def hcp(measured: Measured, repeat: tuple[int, int, int] = REPEAT) -> Atoms:
    """Return the crystal at the measured lattice, its axis along z."""
    cell = bulk("Ti", "hcp", a=measured.a, c=measured.c, orthorhombic=True)
    found: Atoms = cell.repeat(repeat)
    return found


def state_of(
    measured: Measured,
    production: float,
    equilibration: float = 2000.0,
    repeat: tuple[int, int, int] = REPEAT,
) -> StatePoint:
    """Return the state at the measured lattice and constant volume; times in fs."""
    return StatePoint(
        f"{measured.temperature:.0f}K",
        measured.temperature,
        hcp(measured, repeat),
        timestep=2.0,
        equilibration=equilibration,
        production=production,
        sample_every=200.0,
    )


def observables_of(measured: Measured, repeat: tuple[int, int, int] = REPEAT) -> list[FrameObservable]:
    """Return stress, elastic constants (eV/Angstrom^3) and pressure (bar) at a temperature."""
    atoms = len(hcp(measured, repeat))
    return [
        StressTensor(measured.temperature, atoms),
        ElasticConstants(measured.temperature, atoms, "hexagonal"),
        Pressure(measured.temperature, atoms),
    ]


def experiments_of(measured: Measured, repeat: tuple[int, int, int] = REPEAT) -> list[Experiment]:
    """Return what was measured: no stress along any edge of the measured lattice, and the elastic constants.

    A crystal at its own a and c is under no stress, along a as along c: each normal component is an
    experiment, not their mean alone. The shear components vanish by symmetry and say nothing.
    """
    stress, elastic, _ = observables_of(measured, repeat)
    state = f"{measured.temperature:.0f}K"
    values = torch.tensor([measured.constants[label] for label in elastic.labels], dtype=torch.float64)
    errors = (CONSTANTS_ERROR * values).clamp(min=0.5)
    zero = torch.tensor([0.0] * 3 + [torch.nan] * 3, dtype=torch.float64)
    unsure = torch.full_like(zero, STRESS_ERROR)
    return [
        Experiment(state, stress, zero, unsure, measured.temperature, name="lattice"),
        Experiment(
            state, elastic, values / GPA, errors / GPA, measured.temperature, name="elastic constants"
        ),
    ]


def free_lattice(measured: Measured, row: dict[str, list[float]]) -> dict[str, list[float]]:
    """Return a and c (Angstrom, errors) without stress, by Hooke's law from the measured lattice.

    ``row`` has stress and elastic constants there in GPa; the errors are those of the stress.
    """
    c11, c12, c13, c33 = (row[name][0] for name in ("C11", "C12", "C13", "C33"))
    stress = np.array([0.5 * (row["stress_xx"][0] + row["stress_yy"][0]), row["stress_zz"][0]])
    errors = np.array([0.5 * np.hypot(row["stress_xx"][1], row["stress_yy"][1]), row["stress_zz"][1]])
    soft = np.linalg.inv(np.array([[c11 + c12, c13], [2.0 * c13, c33]]))
    strain, noise = -soft @ stress, np.sqrt(soft**2 @ errors**2)
    return {
        name: [length * (1.0 + float(s)), length * float(e)]
        for name, length, s, e in zip("ac", (measured.a, measured.c), strain, noise, strict=True)
    }
