"""Small networks and labelled frames for the trainer's tests."""

from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT

from votca_mlp.training.labelled import LabelledFrames, labelled_frames

SMALL: dict[str, Any] = {
    "n_features": 5,
    "n_sensitivities": 6,
    "dist_soft_min": 1.0,
    "dist_soft_max": 3.5,
    "dist_hard_max": 4.0,
    "n_interaction_layers": 2,
    "n_atom_layers": 1,
}


def metal(seed: int, repeat: tuple[int, int, int] = (1, 1, 2)) -> Atoms:
    """Return a rattled crystal of aluminium and copper."""
    atoms = bulk("Al", "fcc", 4.0, cubic=True).repeat(repeat)
    atoms.rattle(0.1, seed=seed)
    atoms.numbers[np.random.default_rng(seed).permutation(len(atoms))[:3]] = 29
    return atoms


def ethane(seed: int) -> Atoms:
    """Return a rattled molecule without a cell."""
    atoms = molecule("C2H6")
    atoms.rattle(0.05, seed=seed)
    return atoms


def emt_frames(atoms: list[Atoms], *, shift: float = 0.0, groups: list[str] | None = None) -> LabelledFrames:
    """Return frames with a level "low" (forces, some energies) and "high" (energies of half of them)."""
    energies, forces, stress = [], [], []
    for frame in atoms:
        frame.calc = EMT()
        energies.append(frame.get_potential_energy())
        forces.append(frame.get_forces())
        stress.append(frame.get_stress(voigt=False) if frame.pbc.all() else None)
    low = {"energies": [e if k % 3 else None for k, e in enumerate(energies)], "forces": forces}
    high = [
        1.1 * e + shift * len(a) if k % 2 else None
        for k, (e, a) in enumerate(zip(energies, atoms, strict=True))
    ]
    return labelled_frames(atoms, {"low": {**low, "stress": stress}, "high": {"energies": high}}, groups)
