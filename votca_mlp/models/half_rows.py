"""Half rows of neighbours: every pair once, in the row of one of its atoms.

The atoms are sorted by place, then half of their periodic images are; of two atoms the pair is in the row of
the one that comes first, of an atom and an image in the atom's. The search is that of
:mod:`votca_mlp.models.rows`.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.models.images import checked_cell, images_within
from votca_mlp.models.near import PACKED, pack_near
from votca_mlp.models.pair_kernels import CHUNKS
from votca_mlp.models.rows import cells_of, gap, sort_by_cells, span
from votca_mlp.models.simd import WIDTH


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
    source = np.append(source[order], -1)
    images = np.concatenate([images[order], np.zeros((1, 3), np.int32)])
    room = 1000 + int(1.3 * atoms * (2.1 * reach**3 * len(order) / volume + 20))
    while True:
        each = -(-room // (CHUNKS * WIDTH)) * WIDTH
        near, partners = np.empty((CHUNKS, each), np.int32), np.empty((CHUNKS, each), np.int32)
        arguments = (places, atoms, reach, edges, shape, own_begins, other_begins + atoms, partner)
        begins, counts, full = _search(*arguments, near, partners)
        if not full:
            return HalfRows(source, images, begins, counts, near.reshape(-1), partners.reshape(-1))
        room *= 2


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy")
def _search(where, atoms, far, edges, shape, own_begins, other_begins, partner, near, partners):  # type: ignore[no-untyped-def]
    """Fill ``near`` and ``partners``; return begins, counts and whether there was too little room."""
    room, nobody = near.shape[1], np.int32(len(partner) - 1)
    x, y, z = where[0], where[1], where[2]
    begins, counts = np.zeros(atoms, np.int64), np.zeros(atoms, np.int64)
    full = np.zeros(CHUNKS, np.bool_)
    for chunk in numba.prange(CHUNKS):
        own, n = near[chunk], 0
        for i in range(chunk * atoms // CHUNKS, (chunk + 1) * atoms // CHUNKS):
            begin = n
            centre = x[i], y[i], z[i]
            first_y, last_y = span(y[i], far, edges[1], shape[1])
            first_z, last_z = span(z[i], far, edges[2], shape[2])
            for cell_z in range(first_z, last_z):
                off_z = gap(z[i], cell_z, edges[2])
                for cell_y in range(first_y, last_y):
                    off_y = gap(y[i], cell_y, edges[1])
                    left = far * far - off_y * off_y - off_z * off_z
                    if left <= 0.0:
                        continue
                    first_x, last_x = span(x[i], np.sqrt(left), edges[0], shape[0])
                    line = (cell_z * shape[1] + cell_y) * shape[0]
                    start, stop = max(own_begins[line + first_x], i + 1), own_begins[line + last_x]
                    start_2, stop_2 = other_begins[line + first_x], other_begins[line + last_x]
                    if n + max(stop - start, 0) + stop_2 - start_2 + 2 * WIDTH > room:
                        full[chunk] = True
                        break
                    if start < stop:
                        n = pack_near(where, start, stop, i, centre, far * far, PACKED, own, n)
                    if start_2 < stop_2:
                        n = pack_near(where, start_2, stop_2, i, centre, far * far, PACKED, own, n)
            while n % WIDTH:
                own[n] = nobody
                n += 1
            begins[i], counts[i] = chunk * room + begin, n - begin
            for p in range(begin, n):
                partners[chunk, p] = partner[own[p]]
    return begins, counts, full.any()
