"""A small data set with an energy in closed form, in files of every kind."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

HARTREE, BOHR = 27.211386245988, 0.529177210903
SMALL = {
    "n_features": 4,
    "n_sensitivities": 6,
    "n_atom_layers": 1,
    "dist_soft_min": 0.7,
    "dist_soft_max": 2.0,
    "dist_hard_max": 2.5,
}
"""A network that is trained in a moment on these data."""


def harmonic(positions: Any, scale: float = 1.0) -> tuple[float, Any]:
    """Return energy (eV) and forces (eV/Angstrom) of springs between all atoms, each 1 Angstrom at rest."""
    vectors = positions[:, None] - positions[None]
    r = np.linalg.norm(vectors, axis=2) + np.eye(len(positions))
    forces = -2 * scale * ((r - 1) / r)[..., None] * vectors
    return 0.5 * scale * float(((r - 1) ** 2).sum()), forces.sum(1)


def molecules(count: int, seed: int = 0) -> list[Atoms]:
    """Return rattled OH2 molecules."""
    random = np.random.default_rng(seed)
    rest = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.8660254, 0.0]])
    return [Atoms("OH2", rest + 0.1 * random.normal(size=(3, 3))) for _ in range(count)]


def write_low(path: Path, count: int = 24, seed: int = 0) -> Path:
    """Write extended XYZ with energies and forces in eV, Angstrom."""
    frames = []
    for atoms in molecules(count, seed):
        energy, forces = harmonic(atoms.positions)
        atoms.calc = SinglePointCalculator(atoms, energy=energy - 70.0, forces=forces)
        frames.append(atoms)
    write(path, frames, format="extxyz")
    return path


def write_high(path: Path, count: int = 12, seed: int = 9) -> Path:
    """Write padded arrays with energies in Hartree and positions in Bohr."""
    frames = molecules(count, seed)
    positions = np.array([atoms.positions for atoms in frames]) / BOHR
    energies = [(harmonic(atoms.positions, 1.1)[0] - 76.0) / HARTREE for atoms in frames]
    np.savez(path, numbers=frames[0].numbers, positions=positions, e=energies)
    return path


def settings(**changes: Any) -> dict[str, Any]:
    """Return settings of both files."""
    forces = {"key": "forces", "unit": "eV/Angstrom"}
    return {
        "output": "out",
        "levels": {"low": None, "high": None},
        "data": [
            {
                "file": "low.xyz",
                "levels": {"low": {"energy": {"key": "energy", "unit": "eV"}, "forces": forces}},
            },
            {
                "file": "high.npz",
                "length": "Bohr",
                "levels": {"high": {"energy": {"key": "e", "unit": "Hartree"}}},
            },
        ],
        "split": {"held_out": 0.2, "validation": 0.2},
        **changes,
    }


def write_settings(folder: Path, values: dict[str, Any]) -> Path:
    """Write the data and a settings.yaml into a folder."""
    write_low(folder / "low.xyz")
    write_high(folder / "high.npz")
    (folder / "settings.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    return folder / "settings.yaml"
