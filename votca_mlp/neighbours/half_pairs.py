"""A half list of pairs of a moving configuration, for a model's compiled loops on the CPU."""

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.kernels.chunks import chunks_for
from votca_mlp.kernels.simd import aligned
from votca_mlp.neighbours.ghost_atoms import fill_coordinates
from votca_mlp.neighbours.verlet_lists import VerletHalfList

Array = NDArray[np.float64]


class HalfPairs:
    """Neighbours, coordinates and room for vectors.

    Parameters
    ----------
    cutoff, skin
        Angstrom.

    Attributes
    ----------
    list
        With the skin.
    coordinates
        Of local and ghost atoms about the cell's centre, x, y, z, 0, Angstrom, [n_all, 4].
    edges
        Ends of parts of the rows with about as many pairs each; the number of atoms says how many.
    vectors
        Room for those of all pairs, float32, Angstrom, three numbers for each of ``list.rows.neighbours``.
    """

    coordinates: Array
    edges: NDArray[np.int64]

    def __init__(self, cutoff: float, skin: float) -> None:
        self.list = VerletHalfList(cutoff, skin)
        self.vectors = np.empty(0, np.float32)

    def update(self, positions: Array, cell: Array, pbc: NDArray[np.bool_]) -> None:
        """Bring list and coordinates up to date; positions [n_atoms, 3] and cell [3, 3] in Angstrom."""
        rebuilt = self.list.update(positions, cell, pbc)
        rows = self.list.rows
        if rebuilt:
            self.coordinates = aligned(np.zeros((len(rows.source), 4)))
            self.edges = parts_of(rows.counts, chunks_for(len(positions)))
            if len(self.vectors) < 3 * len(rows.neighbours):
                self.vectors = aligned(np.zeros(3 * len(rows.neighbours), np.float32))
        fill_coordinates(positions, cell, rows.source, rows.images, self.coordinates.T)


@numba.njit(cache=True, nogil=True)
def parts_of(counts, parts):  # type: ignore[no-untyped-def]
    """Return the ends [parts + 1] of parts of the rows with about as many pairs each."""
    edges, done, part, total = np.zeros(parts + 1, np.int64), 0, 1, counts.sum()
    for row in range(len(counts)):
        while part < parts and done >= part * total // parts:
            edges[part] = row
            part += 1
        done += counts[row]
    edges[part:] = len(counts)
    return edges
