"""One configuration of a trajectory, as the observables take it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError


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
    cell = np.asarray(atoms.cell.array, float)
    box = np.diag(cell).copy()
    if not np.all(atoms.pbc) or np.any(box <= 0.0) or np.abs(cell - np.diag(box)).max() > 1e-9 * box.max():
        raise UserError(
            f"the cell {cell.tolist()} is not an orthorhombic periodic box",
            accepted="three cell vectors along x, y and z, periodic in all three",
        )
    # asarray would give a view, and every frame collected from one run would become its last
    positions = np.array(atoms.positions, dtype=np.float64)
    return Frame(positions, box, np.array(atoms.get_chemical_symbols(), dtype=np.str_))
