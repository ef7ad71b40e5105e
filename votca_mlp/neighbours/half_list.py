"""Half rows of neighbours: every pair once, in the row of one of its atoms.

The atoms are sorted by place, then half of their periodic images are; of two atoms the pair is in the row of
the one that comes first, of an atom and an image in the atom's. The search is that of
:mod:`votca_mlp.neighbours.full_list`.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.kernels.simd import WIDTH
from votca_mlp.neighbours.full_list import cells_of, search, sort_by_cells
from votca_mlp.neighbours.ghost_atoms import checked_cell, images_within


class HalfRows(NamedTuple):
    """Half rows of neighbours.

    Attributes
    ----------
    source, images
        Atom and cell shift of each place, [n_places], [n_places, 3]: it is at positions[source] + images @
        cell. The first n_atoms places are the atoms; at the last one is nobody, source -1.
    begins, counts
        Where the row of each of the first n_atoms places is in ``near`` and how long, [n_atoms]; multiples
        of WIDTH, as rows are filled up with nobody.
    near
        Places, int32.
    partners
        The atoms' own places of these, n_atoms for nobody, int32.
    """

    source: NDArray[np.int64]
    images: NDArray[np.int32]
    begins: NDArray[np.int64]
    counts: NDArray[np.int64]
    near: NDArray[np.int32]
    partners: NDArray[np.int32]


def find_half_rows(
    positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_], reach: float
) -> HalfRows:
    """Return the half rows of all atoms.

    positions [n_atoms, 3], cell [3, 3] and the largest distance ``reach`` in Angstrom; pbc [3].

    Raises
    ------
    UserError
        As of :func:`checked_cell`.
    """
    positions, cell = checked_cell(positions, cell, pbc)
    atoms = len(positions)
    source, images, where = images_within(reach, positions, cell, pbc, half=True)
    edges, shape, volume = cells_of(where, reach)
    own, own_begins = sort_by_cells(where[:, :atoms], edges, shape)
    others, other_begins = sort_by_cells(where[:, atoms:], edges, shape)
    order = np.concatenate([own, atoms + others])
    # with something behind them that may be read
    places = np.concatenate([where[:, order], np.full((3, WIDTH), np.inf)], axis=1)
    rows = np.empty(atoms, np.int64)
    rows[own] = np.arange(atoms)
    partner = np.append(rows[source[order]], atoms).astype(np.int32)
    each = 2.1 * reach**3 * len(order) / volume
    begins, counts, near = search(
        places, np.arange(atoms), reach, edges, shape, own_begins, other_begins + atoms, len(order), each
    )
    source = np.append(source[order], -1)
    images = np.concatenate([images[order], np.zeros((1, 3), np.int32)])
    return HalfRows(source, images, begins, counts, near, _partners(begins, counts, near, partner))


@numba.njit(parallel=True, cache=True, nogil=True)
def _partners(begins, counts, near, partner):  # type: ignore[no-untyped-def]
    """Return the partners of the places in ``near``; between the rows of neighbours is nothing."""
    partners = np.empty_like(near)
    for row in numba.prange(len(begins)):
        for p in range(begins[row], begins[row] + counts[row]):
            partners[p] = partner[near[p]]
    return partners
