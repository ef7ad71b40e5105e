"""A small network and a crystal to try it on."""

import numpy as np
from ase import Atoms
from ase.build import bulk

HYPER = {
    "n_features": 4,
    "n_sensitivities": 5,
    "dist_soft_min": 1.5,
    "dist_soft_max": 4.5,
    "dist_hard_max": 5.0,
    "n_interaction_layers": 1,
    "n_atom_layers": 1,
}


def rattled(symbols: str = "Al", repeat: int = 3) -> Atoms:
    """A rattled crystal in a skewed box; with two elements every other atom is the second."""
    first, *second = symbols.split("-")
    atoms = bulk(first, "fcc", 4.2, cubic=True).repeat(repeat)
    if second:
        atoms.symbols[1::2] = second[0]
    atoms.rattle(0.2, seed=2)
    skew = np.array([[1, 0.03, 0], [0, 0.98, 0], [-0.02, 0, 1.04]])
    atoms.set_cell(atoms.cell.array @ skew, scale_atoms=True)
    return atoms
