"""The search for neighbours by cells (Allen, Tildesley, Computer Simulation of Liquids, section 5.3.2)."""

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.kernels.chunks import CHUNKS
from votca_mlp.kernels.near import PACKED, pack_near
from votca_mlp.kernels.simd import WIDTH

_EDGES = (0.25, 1.0, 1.0)
"""Edges of a cell by the reach: cells are read along x, and long stretches at a time are fastest."""


def cells_of(
    points: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], float]:
    """Return edges (Angstrom, [3]) and numbers [3] of cells for points [3, n] from 0 on, and their volume."""
    spread = points.max(axis=1, initial=0.0)
    volume = float(np.prod(spread + 1.0))
    # not many more cells than atoms, however empty the space
    least = float(np.cbrt(volume / max(points.shape[1], 1)))
    edges = np.maximum(reach * np.array(_EDGES), least)
    return edges, (spread // edges).astype(np.int64) + 1, volume


@numba.njit(cache=True, nogil=True)
def sort_by_cells(points, edges, shape):  # type: ignore[no-untyped-def]
    """Return the order of points [3, n] by cells, x fastest, and where each cell begins in it."""
    n = points.shape[1]
    keys, begins = np.empty(n, np.int64), np.zeros(shape[0] * shape[1] * shape[2] + 1, np.int64)
    for e in range(n):
        x, y, z = int(points[0, e] / edges[0]), int(points[1, e] / edges[1]), int(points[2, e] / edges[2])
        keys[e] = (z * shape[1] + y) * shape[0] + x
        begins[keys[e] + 1] += 1
    begins = np.cumsum(begins)
    free, order = begins.copy(), np.empty(n, np.int64)
    for e in range(n):
        order[free[keys[e]]] = e
        free[keys[e]] += 1
    return order, begins


def search(
    points: NDArray[np.float64],
    centres: NDArray[np.int64],
    reach: float,
    edges: NDArray[np.float64],
    shape: NDArray[np.int64],
    begins: NDArray[np.int64],
    more_begins: NDArray[np.int64],
    padding: int,
    each: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Return begins and counts of rows, [n_atoms], and the points within ``reach`` (Angstrom) of the centres.

    Parameters
    ----------
    points
        Angstrom, [3, n + WIDTH].
    centres
        Points whose rows are wanted, [n_atoms].
    edges, shape
        Of the cells, as of :func:`cells_of`.
    begins, more_begins
        Where each cell begins in two ranges of points; all the same number for no points in a range.
    padding
        For a half list: of the first range only points behind the centre count, and each row is filled up
        with ``padding`` to a multiple of WIDTH. -1: a full list, not filled up.
    each
        Neighbours to be expected of each centre.
    """
    room = 1000 + int(1.3 * len(centres) * (each + 20))
    while True:
        found = np.empty((CHUNKS, -(-room // (CHUNKS * WIDTH)) * WIDTH), np.int32)
        arguments = (points, centres, reach, edges, shape, begins, more_begins, padding)
        row_begins, counts, full = _search(*arguments, found)
        if not full:
            return row_begins, counts, found.reshape(-1)
        room *= 2


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy")
def _search(points, centres, far, edges, shape, begins, more_begins, padding, found):  # type: ignore[no-untyped-def]
    """Fill ``found`` [CHUNKS, room]; return begins, counts and whether there was too little room."""
    atoms, room = len(centres), found.shape[1]
    x, y, z = points[0], points[1], points[2]
    row_begins, counts = np.zeros(atoms, np.int64), np.zeros(atoms, np.int64)
    full = np.zeros(CHUNKS, np.bool_)
    for chunk in numba.prange(CHUNKS):
        own, n = found[chunk], 0
        for row in range(chunk * atoms // CHUNKS, (chunk + 1) * atoms // CHUNKS):
            i = centres[row]
            least = i + 1 if padding >= 0 else 0
            begin, centre = n, (x[i], y[i], z[i])
            first_y, last_y = _span(y[i], far, edges[1], shape[1])
            first_z, last_z = _span(z[i], far, edges[2], shape[2])
            for cell_z in range(first_z, last_z):
                off_z = _gap(z[i], cell_z, edges[2])
                for cell_y in range(first_y, last_y):
                    off_y = _gap(y[i], cell_y, edges[1])
                    left = far * far - off_y * off_y - off_z * off_z
                    if left <= 0.0:
                        continue
                    first_x, last_x = _span(x[i], np.sqrt(left), edges[0], shape[0])
                    line = (cell_z * shape[1] + cell_y) * shape[0]
                    start, stop = max(begins[line + first_x], least), begins[line + last_x]
                    more, more_stop = more_begins[line + first_x], more_begins[line + last_x]
                    if n + max(stop - start, 0) + more_stop - more + 2 * WIDTH > room:
                        full[chunk] = True
                        break
                    if start < stop:
                        n = pack_near(points, start, stop, i, centre, far * far, PACKED, own, n)
                    if more < more_stop:
                        n = pack_near(points, more, more_stop, i, centre, far * far, PACKED, own, n)
            while padding >= 0 and n % WIDTH:
                own[n] = padding
                n += 1
            row_begins[row], counts[row] = chunk * room + begin, n - begin
    return row_begins, counts, full.any()


@numba.njit(inline="always")
def _span(offset, far, edge, cells):  # type: ignore[no-untyped-def]
    """Range of cells along one axis within ``far`` of ``offset``."""
    first = max(np.int64(np.floor((offset - far) / edge)), 0)
    return first, min(np.int64(np.floor((offset + far) / edge)) + 1, cells)


@numba.njit(inline="always")
def _gap(offset, cell, edge):  # type: ignore[no-untyped-def]
    """Distance along one axis to the nearest point of a cell."""
    return max(cell * edge - offset, offset - (cell + 1) * edge, 0.0)
