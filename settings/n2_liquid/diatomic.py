"""Diatomic molecules as an ASE calculator: Lennard-Jones between them, a spring within each.

Atoms 2k and 2k+1 are a molecule. With the numbers of settings.xml its sites are those of nitrogen (P. S. Y.
Cheung, J. G. Powles, Mol. Phys. 30, 921 (1975)); the spring is softer than nitrogen's bond, so that steps can
be longer. Energy and force of the Lennard-Jones part are shifted to zero at the cutoff.
"""

from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import NDArray

Array = NDArray[np.float64]
SKIN = 1.0
"""Angstrom beyond the cutoff, up to which pairs are listed."""


class Diatomic(Calculator):
    """Energy (eV), forces (eV/Angstrom) and stress (eV/Angstrom^3) of diatomic molecules in a box.

    Parameters
    ----------
    epsilon, sigma
        Of the sites, eV and Angstrom.
    bond, constant
        Rest length (Angstrom) and stiffness (eV/Angstrom^2) of the spring, E = constant (r - bond)^2 / 2.
    cutoff
        Angstrom.
    """

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012 - ASE's own name and form

    def __init__(self, epsilon: float, sigma: float, bond: float, constant: float, cutoff: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.epsilon, self.sigma, self.bond, self.constant = epsilon, sigma, bond, constant
        self.reach = cutoff
        self.at_cutoff = self._lennard_jones(np.array([cutoff]))
        self.pairs = np.zeros((2, 0), np.int64)
        self.listed: Array | None = None
        self.cell = np.zeros((3, 3))

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Evaluate; see ASE."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        x, cell = atoms.get_positions(), atoms.cell.array.copy()
        if len(x) % 2 or not atoms.pbc.all():
            raise ValueError("molecules of two atoms in a periodic box are needed")
        if atoms.cell.lengths().min() < 2.0 * self.reach:
            raise ValueError(f"the box is shorter than {2.0 * self.reach:g} Angstrom")
        self._list_pairs(x, cell)
        forces, virial = np.zeros_like(x), np.zeros((3, 3))
        energy = self._between(x, forces, virial) + self._within(x, forces, virial)
        stress = virial / atoms.get_volume()
        self.results = {"energy": energy, "forces": forces, "stress": stress.ravel()[[0, 4, 8, 5, 2, 1]]}

    def _list_pairs(self, x: Array, cell: Array) -> None:
        """List the pairs of different molecules anew where an atom has moved by half the skin, or the box."""
        old = self.listed
        same = old is not None and old.shape == x.shape and np.array_equal(cell, self.cell)
        if same and np.square(x - old).sum(1).max() < (0.5 * SKIN) ** 2:
            return
        first, second = np.triu_indices(len(x), 1)
        apart = first // 2 != second // 2
        first, second = first[apart], second[apart]
        near = np.square(_shortest(x[second] - x[first], cell)).sum(1) < (self.reach + SKIN) ** 2
        self.pairs, self.listed, self.cell = np.array([first[near], second[near]]), x.copy(), cell

    def _lennard_jones(self, r: Array) -> tuple[Array, Array]:
        """Return energy and its slope without shifts."""
        sixth = (self.sigma / r) ** 6
        return 4.0 * self.epsilon * (sixth - 1.0) * sixth, -24.0 * self.epsilon * (
            2.0 * sixth - 1.0
        ) * sixth / r

    def _between(self, x: Array, forces: Array, virial: Array) -> float:
        """Add forces and virial between molecules; return the energy."""
        first, second = self.pairs
        vectors = _shortest(x[second] - x[first], self.cell)
        r = np.sqrt(np.square(vectors).sum(1))
        inside = r < self.reach
        first, second, vectors, r = first[inside], second[inside], vectors[inside], r[inside]
        energy, slope = self._lennard_jones(r)
        end, end_slope = self.at_cutoff
        _add(first, second, vectors, (slope - end_slope) / r, forces, virial)
        return float((energy - end - end_slope * (r - self.reach)).sum())

    def _within(self, x: Array, forces: Array, virial: Array) -> float:
        """Add forces and virial of the springs; return the energy."""
        first = np.arange(0, len(x), 2)
        vectors = _shortest(x[1::2] - x[::2], self.cell)
        r = np.sqrt(np.square(vectors).sum(1))
        _add(first, first + 1, vectors, self.constant * (r - self.bond) / r, forces, virial)
        return float(0.5 * self.constant * np.square(r - self.bond).sum())


def _shortest(vectors: Array, cell: Array) -> Array:
    """Return vectors between nearest images, in a box that is rectangular or nearly so."""
    return np.asarray(vectors - np.rint(vectors @ np.linalg.inv(cell)) @ cell)


def _add(first: Any, second: Any, vectors: Array, slopes: Array, forces: Array, virial: Array) -> None:
    """Add forces and virial sum d x dE/dd of pairs; ``slopes`` are dE/dr / r."""
    gradient = slopes[:, None] * vectors
    virial += vectors.T @ gradient
    for axis in range(3):
        forces[:, axis] += np.bincount(first, gradient[:, axis], len(forces))
        forces[:, axis] -= np.bincount(second, gradient[:, axis], len(forces))
