"""Neighbour rows: for every atom the indices of its neighbours among the atoms and their periodic images.

The images within reach are listed as atoms of their own ("extended" atoms), so that a loop over a row needs
no cell shifts, and all are sorted by place, so that it reads memory that is near. The search is the
usual one by cells (Allen, Tildesley, Computer Simulation of Liquids, section 5.3.2).
"""

from typing import NamedTuple

import numba
import numpy as np
from ase.geometry import complete_cell
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.models.pair_kernels import CHUNKS

_FARTHEST = 1e7  # Angstrom


class Rows(NamedTuple):
    """Rows of neighbours.

    Attributes
    ----------
    source, images
        Atom and cell shift of each extended atom, [n_extended], [n_extended, 3]: it is at
        positions[source] + images @ cell.
    centres
        Extended atom whose row it is, [n_atoms].
    begins, counts
        Where the rows are in ``neighbours`` and how many they hold, [n_atoms].
    neighbours
        Extended atoms, int32.
    """

    source: NDArray[np.int64]
    images: NDArray[np.int32]
    centres: NDArray[np.int64]
    begins: NDArray[np.int64]
    counts: NDArray[np.int64]
    neighbours: NDArray[np.int32]


def checked_cell(
    positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions that are numbers, and a cell with a volume, to build a list of neighbours with.

    An atom that is nowhere gets some neighbours: whoever uses the list finds distances that are no numbers.

    Raises
    ------
    UserError
        A periodic direction without a cell vector, or a cell without a volume.
    """
    positions = np.where(np.abs(positions) < _FARTHEST, positions, 0.0)
    whole = complete_cell(cell) if np.isfinite(cell).all() else np.zeros((3, 3))
    if np.linalg.det(whole) == 0.0 or not np.all(cell.any(axis=1) | ~np.asarray(pbc, bool)):
        what, accepted = (
            "the cell has no volume",
            "a cell vector for every periodic direction, not in one plane",
        )
        raise UserError(what, accepted=accepted)
    return positions, whole


def find_rows(
    positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_], reach: float
) -> Rows:
    """Return the rows of all atoms.

    positions [n_atoms, 3], cell [3, 3] and the largest distance ``reach`` in Angstrom; pbc [3].

    Raises
    ------
    UserError
        As of :func:`checked_cell`.
    """
    positions, cell = checked_cell(positions, cell, pbc)
    source, images = _extend(positions, cell, np.asarray(pbc, bool), reach)
    where = positions[source] + images @ cell
    low = where.min(axis=0, initial=np.inf)
    spread = where.max(axis=0, initial=-np.inf) - low if len(where) else np.zeros(3)
    # not many more cells than atoms, however empty the space
    edge = max(0.5 * reach, float(np.cbrt(np.prod(spread + 1.0) / max(len(where), 1))))
    shape = (spread // edge).astype(np.int64) + 1
    place = ((where - low) // edge).astype(np.int64) if len(where) else np.zeros((0, 3), np.int64)
    key = (place[:, 2] * shape[1] + place[:, 1]) * shape[0] + place[:, 0]
    order = np.argsort(key, kind="stable")
    source, images, where = source[order], images[order], where[order]
    cell_begins = np.searchsorted(key[order], np.arange(np.prod(shape) + 1))
    centres = np.flatnonzero(order < len(positions))
    columns = tuple(np.ascontiguousarray(where[:, k]) for k in range(3))
    room = 1000 + int(1.3 * len(positions) * (4.2 * reach**3 * len(where) / np.prod(spread + 1.0) + 20))
    while True:
        neighbours = np.empty((CHUNKS, room // CHUNKS), np.int32)
        arguments = (*columns, centres, reach, low, edge, shape, cell_begins)
        begins, counts, full = _search(*arguments, neighbours)  # type: ignore[call-arg]
        if not full:
            return Rows(source, images, centres, begins, counts, neighbours.reshape(-1))
        room *= 2


def _extend(
    positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_], reach: float
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return source and images of the atoms, wrapped into the cell, then of their images within reach."""
    inverse = np.linalg.inv(cell)
    images = np.where(pbc, -np.floor(positions @ inverse), 0.0)
    fractions = positions @ inverse + images
    source = np.arange(len(positions))
    margins = reach * np.linalg.norm(inverse, axis=0)
    for axis in np.flatnonzero(pbc):
        parts = [(source, images, fractions)]
        for n in range(1, int(np.ceil(margins[axis])) + 1):
            for shift in (n, -n):
                moved = fractions[:, axis] + shift
                near = (moved >= -margins[axis]) & (moved <= 1.0 + margins[axis])
                step = shift * np.eye(3)[axis]
                parts.append((source[near], images[near] + step, fractions[near] + step))
        source, images, fractions = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return source, images.astype(np.int32)


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy")
def _search(x, y, z, centres, far, low, edge, shape, cell_begins, neighbours):  # type: ignore[no-untyped-def]
    """Fill ``neighbours`` [CHUNKS, room]; return begins, counts and whether there was too little room."""
    atoms, room = len(centres), neighbours.shape[1]
    begins, counts = np.zeros(atoms, np.int64), np.zeros(atoms, np.int64)
    full = np.zeros(CHUNKS, np.bool_)
    for chunk in numba.prange(CHUNKS):
        own, n = neighbours[chunk], 0
        for row in range(chunk * atoms // CHUNKS, (chunk + 1) * atoms // CHUNKS):
            i = centres[row]
            begin = n
            begins[row] = chunk * room + begin
            first_y, last_y = _span(y[i] - low[1], far, edge, shape[1])
            first_z, last_z = _span(z[i] - low[2], far, edge, shape[2])
            for cell_z in range(first_z, last_z):
                off_z = _gap(z[i] - low[2], cell_z, edge)
                for cell_y in range(first_y, last_y):
                    off_y = _gap(y[i] - low[1], cell_y, edge)
                    left = far * far - off_y * off_y - off_z * off_z
                    if left <= 0.0:
                        continue
                    first_x, last_x = _span(x[i] - low[0], np.sqrt(left), edge, shape[0])
                    line = (cell_z * shape[1] + cell_y) * shape[0]
                    start, stop = cell_begins[line + first_x], cell_begins[line + last_x]
                    if n + stop - start > room:
                        full[chunk] = True
                        break
                    for j in range(start, stop):
                        dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
                        # without a branch: half of these are near
                        own[n] = j
                        n += (dx * dx + dy * dy + dz * dz <= far * far) & (j != i)
            counts[row] = n - begin
    return begins, counts, full.any()


@numba.njit(inline="always")
def _span(offset, far, edge, cells):  # type: ignore[no-untyped-def]
    """Range of cells along one axis within ``far`` of ``offset``."""
    first = max(np.int64(np.floor((offset - far) / edge)), 0)
    return first, min(np.int64(np.floor((offset + far) / edge)) + 1, cells)


@numba.njit(inline="always")
def _gap(offset, cell, edge):  # type: ignore[no-untyped-def]
    """Distance along one axis to the nearest point of a cell."""
    return max(cell * edge - offset, offset - (cell + 1) * edge, 0.0)
