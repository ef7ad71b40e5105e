"""What LAMMPS's ML-IAP hands to the object of ``pair_style mliap unified``, made without LAMMPS."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.deploy.compare import Answer

if TYPE_CHECKING:
    from ase import Atoms


class LammpsData:
    """What LAMMPS hands over, made from a configuration: ghosts are atoms of their own, as in LAMMPS.

    A stand-in to try the object with where no LAMMPS has ML-IAP with Python.
    """

    def __init__(self, atoms: "Atoms", element_types: list[str], cutoff: float) -> None:
        from votca_mlp.neighbours.verlet_lists import VerletPairList

        positions, cell = atoms.get_positions(), np.asarray(atoms.cell.array, float)
        pairs = VerletPairList(cutoff, 0.0)
        pairs.update(positions, cell, atoms.pbc)
        kept = np.linalg.norm(pairs.vectors(positions, cell), axis=1) < cutoff
        first, second, shifts = (x[kept] for x in (pairs.first, pairs.second, pairs.shifts))
        away = shifts.any(axis=1)
        images, which = np.unique(np.column_stack([second, shifts])[away], axis=0, return_inverse=True)
        self.pair_i, self.pair_j = first.astype(np.int32), second.astype(np.int32)
        self.pair_j[away] = len(atoms) + which.ravel()
        self.owners = np.concatenate([np.arange(len(atoms)), images[:, 0].astype(int)])
        symbols = atoms.get_chemical_symbols()
        self.elems = np.array([element_types.index(symbols[k]) for k in self.owners], np.int32)
        self.rij = pairs.vectors(positions, cell)[kept]
        self.nlistatoms, self.ntotal, self.npairs = len(atoms), len(self.owners), len(first)
        self.volume = atoms.get_volume()
        self.energy, self.eatoms = 0.0, np.zeros(len(atoms))
        self.f = np.zeros((self.ntotal, 3))
        self.virial = np.zeros((3, 3))

    def update_pair_forces(self, fij: NDArray[np.float64]) -> None:
        """Add each pair's force to its first atom, the opposite to its second, and the virial."""
        np.add.at(self.f, self.pair_i, fij)
        np.add.at(self.f, self.pair_j, -fij)
        self.virial += self.rij.T @ fij

    def answer(self) -> Answer:
        """Return energy, forces with those of ghosts given back to their owners, and stress."""
        forces = np.zeros((self.nlistatoms, 3))
        np.add.at(forces, self.owners, self.f)
        return Answer(self.energy, forces, 0.5 * (self.virial + self.virial.T) / self.volume)
