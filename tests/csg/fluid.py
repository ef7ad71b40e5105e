"""A Lennard-Jones mixture with shifted force, to stand beside a settings.xml: a user's own calculator.

Every pair by nearest images in an orthorhombic box, and no torch: the tests start it often. While a file
``slow`` is beside it each step takes a while, so that a run can be interrupted on any machine.
"""

import os
import time

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_numbers

SLOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slow")


class Fluid(Calculator):
    """Parameters: eV and Angstrom by species."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, species, cutoff):
        super().__init__()
        self.cutoff, symbols = cutoff, list(species)
        epsilon, sigma = np.array([species[s] for s in symbols], float).T
        self.epsilon4 = 4.0 * np.sqrt(np.outer(epsilon, epsilon)).ravel()
        self.sigma6 = (np.add.outer(sigma, sigma).ravel() / 2) ** 6
        self.end, over_r = plain(self.epsilon4, self.sigma6, cutoff**2)
        self.end_slope = over_r * cutoff
        self.kinds = {atomic_numbers[s]: k for k, s in enumerate(symbols)}
        self.known = b""

    def calculate(self, atoms=None, properties=(), system_changes=all_changes):
        """Calculate all of them."""
        super().calculate(atoms, properties, system_changes)
        if os.path.exists(SLOW):
            time.sleep(0.02)
        if self.atoms.numbers.tobytes() != self.known:
            self._set_pairs(self.atoms.numbers)
        d = []
        for x, edge in zip(self.atoms.positions.T.copy(), self.atoms.cell.lengths(), strict=True):
            component = x[self.second] - x[self.first]
            component -= edge * np.rint(component * (1.0 / edge))
            d.append(component)
        r2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
        near = np.flatnonzero(r2 < self.cutoff**2)
        r2, d = r2[near], [component[near] for component in d]
        r, kinds, first, second = np.sqrt(r2), self.pair_kinds[near], self.first[near], self.second[near]
        energy, over_r = plain(self.epsilon4[kinds], self.sigma6[kinds], r2)
        end_slope = self.end_slope[kinds]
        energy = energy - self.end[kinds] - (r - self.cutoff) * end_slope
        gradient = [(over_r - end_slope / r) * component for component in d]
        n = len(self.atoms)
        forces = [np.bincount(first, g, n) - np.bincount(second, g, n) for g in gradient]
        stress = [gradient[a] @ d[b] for a, b in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))]
        self.results = {
            "energy": float(energy.sum()),
            "forces": np.stack(forces, axis=1),
            "stress": np.array(stress) / self.atoms.get_volume(),
        }

    def _set_pairs(self, numbers):
        self.first, self.second = np.triu_indices(len(numbers), 1)
        kinds = np.array([self.kinds[z] for z in numbers])
        self.pair_kinds = len(self.kinds) * kinds[self.first] + kinds[self.second]
        self.known = numbers.tobytes()


def plain(epsilon4, sigma6, r2):
    """Return energy and slope over r."""
    s6 = sigma6 / (r2 * r2 * r2)
    attraction = epsilon4 * s6
    repulsion = attraction * s6
    return repulsion - attraction, (6.0 * attraction - 12.0 * repulsion) / r2


def lj(species, cutoff):
    """Return the calculator."""
    return Fluid(species, cutoff)
