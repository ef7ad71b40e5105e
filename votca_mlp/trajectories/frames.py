"""One configuration of a trajectory, as the observables take it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.neighbours.box import RECTANGULAR, edges_of


@dataclass(frozen=True)
class Frame:
    """Atoms in an orthorhombic periodic box.

    Attributes
    ----------
    positions
        Angstrom, shape [n_atoms, 3]; need not be wrapped into the box.
    box
        Edge lengths, Angstrom, shape [3].
    types
        Name of each atom's species, shape [n_atoms], dtype str.
    step
        Number of the MD step, -1 when unknown.
    """

    positions: NDArray[np.float64]
    box: NDArray[np.float64]
    types: NDArray[np.str_]
    step: int = -1

    @property
    def volume(self) -> float:
        """Volume of the box, Angstrom^3."""
        return float(np.prod(self.box))


def frame_from_atoms(atoms: Any) -> Frame:
    """Return the frame of an ``ase.Atoms`` object: a copy, which stays as it is when the atoms move on.

    Raises
    ------
    UserError
        When the cell is not an orthorhombic box along x, y, z, periodic in all three.
    """
    if not np.all(atoms.pbc):
        raise UserError("the atoms are not periodic along x, y and z", accepted=RECTANGULAR)
    box = edges_of(np.asarray(atoms.cell.array, float), "the cell of the atoms")
    # asarray would give a view, and every frame collected from one run would become its last
    positions = np.array(atoms.positions, dtype=np.float64)
    return Frame(positions, box, np.array(atoms.get_chemical_symbols(), dtype=np.str_))
