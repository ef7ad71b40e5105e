"""The closest pair of a moving configuration, for a model that tells nothing of its pairs."""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.neighbours.verlet_lists import VerletHalfList

Array = NDArray[np.float64]


class ClosePairs:
    """Pairs out to a cutoff, each once.

    vesin's list would do, but vesin imports torch where it is installed, and not every model needs that.

    Parameters
    ----------
    cutoff, skin
        Angstrom.
    """

    def __init__(self, cutoff: float, skin: float) -> None:
        self.list = VerletHalfList(cutoff, skin)
        self._first = self._second = np.empty(0, np.int64)
        self._images = np.empty((0, 3), np.int32)

    def closest(self, positions: Array, cell: Array, pbc: NDArray[np.bool_]) -> tuple[int, int, float] | None:
        """Return atoms and distance (Angstrom) of the closest pair, None where there is none.

        positions [n_atoms, 3] and cell [3, 3] in Angstrom.
        """
        if self.list.update(positions, cell, pbc):
            self._keep()
        if not len(self._first):
            return None
        vectors = positions[self._second] - positions[self._first] + self._images @ cell
        squared = np.einsum("ij,ij->i", vectors, vectors)
        k = int(squared.argmin())
        return int(self._first[k]), int(self._second[k]), float(np.sqrt(squared[k]))

    def _keep(self) -> None:
        rows = self.list.rows
        begins = np.repeat(rows.begins - (np.cumsum(rows.counts) - rows.counts), rows.counts)
        near = rows.neighbours[begins + np.arange(len(begins))]
        row = np.repeat(np.arange(len(rows.counts)), rows.counts)
        # rows are filled up with padding
        real = rows.source[near] >= 0
        near, row = near[real], row[real]
        self._first, self._second = rows.source[row], rows.source[near]
        self._images = rows.images[near] - rows.images[row]
