"""The crystal of niobium as a state, and what was measured of it."""

import torch
from ase import Atoms
from ase.build import bulk
from fusion_stages import GPA

from votca_mlp.training.fusion.experiments import Experiment
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.stress import Pressure
from votca_mlp.training.fusion.states import StatePoint

LATTICE = 3.322565
"""Angstrom, of PBE (the unstrained cell of the data): it is to stay."""
ATOMS = 54
CONSTANTS_ERRORS = {100.0: 0.02, 300.0: 0.08}
"""Relative, by temperature in K, assumed: the table (Simmons and Wang) names none, nor errors."""
PRESSURE_ERROR = 3000.0
"""bar: 0.06 % of the lattice constant, as much as classical MD at 100 K adds to it."""


def bcc() -> Atoms:
    """Return the crystal."""
    found: Atoms = bulk("Nb", "bcc", a=LATTICE, cubic=True).repeat(3)
    return found


def state(temperature: float, production: float) -> StatePoint:
    """Return the crystal at the lattice of PBE and a temperature in K; production in ps."""
    return StatePoint(
        f"{temperature:.0f}K",
        temperature,
        bcc(),
        timestep=4.0,
        equilibration=2000.0,
        production=1000.0 * production,
        sample_every=200.0,
    )


def experiments(temperature: float, constants: dict[str, float]) -> list[Experiment]:
    """Return no pressure at the lattice of PBE, and elastic constants given in GPa."""
    of, elastic = f"{temperature:.0f}K", ElasticConstants(temperature, ATOMS, "cubic")
    values = torch.tensor([constants[label] for label in elastic.labels], dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.float64)
    return [
        Experiment(of, Pressure(temperature, ATOMS), zero, zero + PRESSURE_ERROR, name="lattice"),
        Experiment(
            of, elastic, values / GPA, CONSTANTS_ERRORS[temperature] * values / GPA, name="elastic constants"
        ),
    ]
