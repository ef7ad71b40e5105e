"""The full neighbour list: for every atom its neighbours among local and ghost atoms.

Ghost atoms have entries of their own, so that a loop over neighbours needs no cell shifts, and all atoms are
sorted by position, so that it reads memory that is near.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from votca_mlp.kernels.simd import WIDTH
from votca_mlp.neighbours.cell_search import cells_of, search, sort_by_cells
from votca_mlp.neighbours.ghost_atoms import checked_cell, images_within


class FullList(NamedTuple):
    """A row of neighbours for each local atom.

    Attributes
    ----------
    source, images
        Atom of the configuration and cell shift of each local and ghost atom, [n_all], [n_all, 3]: it is at
        positions[source] + images @ cell.
    centres
        The local atom of each row, [n_atoms].
    begins, counts
        Where the rows begin in ``neighbours`` and how many they hold, [n_atoms].
    neighbours
        Local and ghost atoms, int32.
    """

    source: NDArray[np.int64]
    images: NDArray[np.int32]
    centres: NDArray[np.int64]
    begins: NDArray[np.int64]
    counts: NDArray[np.int64]
    neighbours: NDArray[np.int32]


def find_full_list(
    positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_], reach: float
) -> FullList:
    """Return the full list.

    positions [n_atoms, 3], cell [3, 3] and the largest distance ``reach`` in Angstrom; pbc [3].

    Raises
    ------
    UserError
        As of :func:`checked_cell`.
    """
    positions, cell = checked_cell(positions, cell, pbc, reach)
    source, images, coordinates = images_within(reach, positions, cell, pbc)
    edges, shape, volume = cells_of(coordinates, reach)
    order, cell_begins = sort_by_cells(coordinates, edges, shape)
    source, images, centres = source[order], images[order], np.flatnonzero(order < len(positions))
    # with something behind them that may be read
    coordinates = np.concatenate([coordinates[:, order], np.full((3, WIDTH), np.inf)], axis=1)
    each = 4.2 * reach**3 * len(source) / volume
    begins, counts, neighbours = search(
        coordinates, centres, reach, edges, shape, cell_begins, np.zeros_like(cell_begins), -1, each
    )
    return FullList(source, images, centres, begins, counts, neighbours)
