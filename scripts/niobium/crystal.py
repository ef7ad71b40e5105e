"""Niobium at rest: a state whose frames are the perfect crystal, and what is measured of it.

The measured constants are those of liquid helium's temperature, where bcc niobium, all of whose atoms are on
centres of symmetry, is the crystal at rest but for zero-point motion: no trajectory is needed, and nothing
is noisy.
"""

from pathlib import Path

import torch
from ase import Atoms
from ase.build import bulk

from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.experiments import Experiment
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.frames import StoredFrames, stored_frames
from votca_mlp.training.fusion.observables.stress import Pressure
from votca_mlp.training.fusion.states import StatePoint
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

GPA = 1e-4 * BAR_PER_EV_PER_ANGSTROM3
"""One eV/Angstrom^3 in GPa."""
TEMPERATURE = 4.2
"""K."""
LATTICE = 3.322565
"""Angstrom, of PBE (the unstrained cell of the data): it is to stay."""
CONSTANTS_ERROR = 0.01
"""Relative, of the measured elastic constants."""
PRESSURE_ERROR = 1000.0
"""bar: 0.02 % of the lattice constant."""


def bcc() -> Atoms:
    """Return the cubic cell."""
    found: Atoms = bulk("Nb", "bcc", a=LATTICE, cubic=True)
    return found


def rest() -> StatePoint:
    """Return the crystal at rest as a state point of eight frames."""
    return StatePoint("rest", TEMPERATURE, bcc(), production=1600.0, sample_every=200.0)


def at_rest(
    state: StatePoint, copies: Copies, folder: Path, number: int, start: Atoms, seed: int
) -> StoredFrames:
    """Return the frames of a crystal at rest: all alike, whatever the model."""
    return stored_frames([state.start] * state.frames)


def experiments(constants: dict[str, float]) -> list[Experiment]:
    """Return no pressure at the lattice of PBE, and elastic constants given in GPa."""
    elastic = ElasticConstants(TEMPERATURE, 2, "cubic")
    values = torch.tensor([constants[label] for label in elastic.labels], dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.float64)
    return [
        Experiment("rest", Pressure(TEMPERATURE, 2), zero, zero + PRESSURE_ERROR, name="lattice"),
        Experiment("rest", elastic, values / GPA, CONSTANTS_ERROR * values / GPA, name="elastic constants"),
    ]
