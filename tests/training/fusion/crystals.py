"""Small crystals, a small network and a Lennard-Jones solid for tests of observables."""

from typing import Any

import torch
from ase.build import bulk

from votca_mlp.models.hipnn.model import HipnnModel, build_hipnn
from votca_mlp.models.lennard_jones import LennardJones, lennard_jones_mixture
from votca_mlp.training.fusion.observables.frames import StoredFrames, stored_frames

SMALL = {
    "n_features": 5,
    "n_sensitivities": 6,
    "dist_soft_min": 1.6,
    "dist_soft_max": 3.8,
    "dist_hard_max": 4.2,
    "n_interaction_layers": 1,
    "n_atom_layers": 1,
}


def network(species: tuple[int, ...] = (22,), seed: int = 0, **changes: Any) -> HipnnModel:
    """Return a small network in float64, its energies some eV an atom."""
    torch.manual_seed(seed)
    return build_hipnn(SMALL | changes, species).double()


def argon(cutoff: float = 8.0) -> LennardJones:
    """Return Lennard-Jones argon."""
    return lennard_jones_mixture({"Ar": [0.0104, 3.4]}, cutoff)


def rattled(count: int, symbols: str = "Ti8", amplitude: float = 0.12) -> StoredFrames:
    """Return frames of eight hexagonal close-packed atoms off their sites."""
    frames = []
    for seed in range(count):
        atoms = bulk("Ti", "hcp", a=2.95, c=4.68).repeat((2, 2, 1))
        atoms.symbols = symbols
        atoms.rattle(amplitude, seed=seed)
        frames.append(atoms)
    return stored_frames(frames)
