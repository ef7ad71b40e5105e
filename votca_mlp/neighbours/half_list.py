"""The half neighbour list: every pair once, in the row of one of its atoms.

The local atoms are sorted by position, then half of the ghost atoms are; a pair of local atoms is in the row
of the one that comes first, a pair with a ghost atom in the local atom's.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.kernels.simd import WIDTH
from votca_mlp.neighbours.cell_search import cells_of, search, sort_by_cells
from votca_mlp.neighbours.ghost_atoms import checked_cell, images_within


class HalfList(NamedTuple):
    """A row of neighbours for each local atom, every pair in one of two rows.

    Attributes
    ----------
    source, images
        Atom of the configuration and cell shift of each local and ghost atom, [n_all], [n_all, 3]: it is at
        positions[source] + images @ cell. The first n_atoms are the local ones; the last entry is padding,
        with source -1.
    begins, counts
        Where the row of each local atom begins in ``neighbours`` and how long it is, [n_atoms]; multiples of
        WIDTH, as rows are filled up with padding.
    neighbours
        Local and ghost atoms, int32.
    owners
        The local atoms that these are or are images of, n_atoms for padding, int32.
    """

    source: NDArray[np.int64]
    images: NDArray[np.int32]
    begins: NDArray[np.int64]
    counts: NDArray[np.int64]
    neighbours: NDArray[np.int32]
    owners: NDArray[np.int32]


def find_half_list(
    positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_], reach: float
) -> HalfList:
    """Return the half list.

    positions [n_atoms, 3], cell [3, 3] and the largest distance ``reach`` in Angstrom; pbc [3].

    Raises
    ------
    UserError
        As of :func:`checked_cell`.
    """
    positions, cell = checked_cell(positions, cell, pbc, reach)
    atoms = len(positions)
    source, images, coordinates = images_within(reach, positions, cell, pbc, half=True)
    edges, shape, volume = cells_of(coordinates, reach)
    own, own_begins = sort_by_cells(coordinates[:, :atoms], edges, shape)
    others, other_begins = sort_by_cells(coordinates[:, atoms:], edges, shape)
    order = np.concatenate([own, atoms + others])
    # with something behind them that may be read
    ordered = np.concatenate([coordinates[:, order], np.full((3, WIDTH), np.inf)], axis=1)
    rows = np.empty(atoms, np.int64)
    rows[own] = np.arange(atoms)
    owner = np.append(rows[source[order]], atoms).astype(np.int32)
    each = 2.1 * reach**3 * len(order) / volume
    begins, counts, neighbours = search(
        ordered, np.arange(atoms), reach, edges, shape, own_begins, other_begins + atoms, len(order), each
    )
    source = np.append(source[order], -1)
    images = np.concatenate([images[order], np.zeros((1, 3), np.int32)])
    return HalfList(source, images, begins, counts, neighbours, _owners(begins, counts, neighbours, owner))


@numba.njit(parallel=True, cache=True, nogil=True)
def _owners(begins, counts, neighbours, owner):  # type: ignore[no-untyped-def]
    """Return the owners of the neighbours; what is between the rows is left as it is."""
    owners = np.empty_like(neighbours)
    for row in numba.prange(len(begins)):
        for p in range(begins[row], begins[row] + counts[row]):
            owners[p] = owner[neighbours[p]]
    return owners
