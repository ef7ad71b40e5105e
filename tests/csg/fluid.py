"""A Lennard-Jones mixture with shifted force, to stand beside a settings.xml: a user's own calculator.

Every pair by nearest images, and no torch: the tests start it often.
"""

from functools import cache

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.data import atomic_numbers

pairs = cache(np.triu_indices)


class Fluid(Calculator):
    """Parameters: eV and Angstrom by species."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, species, cutoff):
        super().__init__()
        self.cutoff, symbols = cutoff, list(species)
        epsilon, sigma = np.array([species[s] for s in symbols], float).T
        self.epsilon, self.sigma = np.sqrt(np.outer(epsilon, epsilon)), np.add.outer(sigma, sigma) / 2
        self.kinds = {atomic_numbers[s]: k for k, s in enumerate(symbols)}

    def calculate(self, atoms=None, properties=(), system_changes=all_changes):
        """Calculate all of them."""
        super().calculate(atoms, properties, system_changes)
        x, box = self.atoms.positions, self.atoms.cell.lengths()
        kinds = np.array([self.kinds[z] for z in self.atoms.numbers])
        i, j = pairs(len(x), 1)
        d = x[j] - x[i]
        d -= box * np.rint(d / box)
        r2 = np.einsum("ij,ij->i", d, d)
        near = r2 < self.cutoff**2
        i, j, d, r = i[near], j[near], d[near], np.sqrt(r2[near])
        epsilon, sigma = self.epsilon[kinds[i], kinds[j]], self.sigma[kinds[i], kinds[j]]
        u, slope = plain(epsilon, sigma, r)
        end, end_slope = plain(epsilon, sigma, self.cutoff)
        gradient = ((slope - end_slope) / r)[:, None] * d
        forces = np.zeros_like(x)
        for k in range(3):
            forces[:, k] += np.bincount(i, gradient[:, k], len(x)) - np.bincount(j, gradient[:, k], len(x))
        stress = d.T @ gradient / self.atoms.get_volume()
        self.results = {
            "energy": float((u - end - (r - self.cutoff) * end_slope).sum()),
            "forces": forces,
            "stress": stress.ravel()[[0, 4, 8, 5, 2, 1]],
        }


def plain(epsilon, sigma, r):
    """Return energy and slope."""
    s6 = (sigma / r) ** 6
    return 4 * epsilon * (s6 * s6 - s6), -24 * epsilon * (2 * s6 * s6 - s6) / r


def lj(species, cutoff):
    """Return the calculator."""
    return Fluid(species, cutoff)
