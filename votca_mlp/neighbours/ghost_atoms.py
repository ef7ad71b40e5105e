"""Local atoms (those of the configuration) and ghost atoms (their periodic images near the cell)."""

import math

import numba
import numpy as np
from ase.geometry import complete_cell
from numpy.typing import NDArray

from votca_mlp.errors import Exploded, UserError
from votca_mlp.neighbours.box import volume_of

Array = NDArray[np.float64]
_FARTHEST = 1e7  # Angstrom
_SOUND = 1e-3  # Angstrom^3; a cell of it has three vectors, beyond rounding
_MOST_NEIGHBOURS = 1e6  # of one atom; a cutoff of 12 Angstrom has some hundred
_PADDED = 1e6  # Angstrom; beyond every cutoff, and its square is a number in float32


def checked_cell(positions: Array, cell: Array, pbc: NDArray[np.bool_], reach: float) -> tuple[Array, Array]:
    """Return positions that are numbers, and a cell with a volume, to build a list of neighbours with.

    An atom whose position is no number gets some neighbours: the distances will be no numbers either.

    Raises
    ------
    UserError
        A periodic direction without a cell vector, or a cell without a volume.
    Exploded
        A box so large, or so small beside ``reach`` (Angstrom), that the search would not come to an end.
    """
    positions = np.where(np.abs(positions) < _FARTHEST, positions, 0.0)
    # single numbers: numpy takes as long for each question as the rest of a small system's list
    finite = all(map(math.isfinite, cell.ravel().tolist()))
    volume = volume_of(cell) if finite else 0.0
    whole = volume > _SOUND
    if whole:
        # it has all three vectors
        completed = np.array(cell, float)
    else:
        completed = complete_cell(cell) if finite else np.zeros((3, 3))
        volume = abs(float(np.linalg.det(completed)))
    largest = max(map(abs, completed.ravel().tolist()))
    if not largest < _FARTHEST:
        raise Exploded(f"an edge of the box is {largest:.4g} Angstrom", accepted="a box of its atoms' size")
    if not whole and (volume == 0.0 or not np.all(cell.any(axis=1) | ~np.asarray(pbc, bool))):
        what, accepted = (
            "the cell has no volume",
            "a cell vector for every periodic direction, not in one plane",
        )
        raise UserError(what, accepted=accepted)
    neighbours = 4.19 * reach**3 * len(positions) / volume
    if not neighbours < _MOST_NEIGHBOURS and np.all(pbc):
        box = " x ".join(f"{edge:.4g}" for edge in np.linalg.norm(completed, axis=1))
        raise Exploded(
            f"each of {len(positions)} atoms in a box of {box} Angstrom has {neighbours:.2g} neighbours "
            f"within {reach:g} Angstrom",
            accepted="a box of its atoms' size, and a cutoff of some Angstrom",
        )
    return positions, completed


def images_within(
    reach: float, positions: Array, cell: Array, pbc: NDArray[np.bool_], *, half: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int32], Array]:
    """Return the local atoms, wrapped into the cell, then the ghost atoms within ``reach`` (Angstrom) of it.

    Returns
    -------
    source, images
        Atom and cell shift of each, [n], [n, 3]: it is at positions[source] + images @ cell. With ``half``
        of each image and its opposite only the one whose first shift that is not 0 is positive.
    coordinates
        Less the least of each, Angstrom, [3, n].
    """
    inverse = np.linalg.inv(cell)
    fractions = positions @ inverse
    wrapped = np.where(pbc, -np.floor(fractions), 0.0)
    margins = reach * np.linalg.norm(inverse, axis=0)
    most = np.where(pbc, np.ceil(margins), 0.0).astype(np.int64)
    source, images, coordinates = _images(positions, cell, fractions + wrapped, wrapped, margins, most, half)
    return source, images, coordinates


@numba.njit(cache=True, nogil=True)
def _images(positions, cell, fractions, wrapped, margins, most, half):  # type: ignore[no-untyped-def]
    atoms = n = len(positions)
    for fill in (False, True):  # first they are counted
        source, images = np.empty(n, np.int64), np.empty((n, 3), np.int32)
        n = atoms
        if fill:
            for i in range(atoms):
                source[i], images[i, 0], images[i, 1], images[i, 2] = i, 0, 0, 0
        for a in range(0 if half else -most[0], most[0] + 1):
            for b in range(0 if half and a == 0 else -most[1], most[1] + 1):
                for c in range(0 if half and a == 0 and b == 0 else -most[2], most[2] + 1):
                    step = (a, b, c)
                    if step == (0, 0, 0):
                        continue
                    for i in range(atoms):
                        near = True
                        for k in range(3):
                            moved = fractions[i, k] + step[k]
                            near &= step[k] == 0 or (-margins[k] <= moved <= 1.0 + margins[k])
                        if near:
                            if fill:
                                source[n], images[n, 0], images[n, 1], images[n, 2] = i, a, b, c
                            n += 1
    coordinates = np.empty((3, n))
    for e in range(n):
        for k in range(3):
            images[e, k] += np.int32(wrapped[source[e], k])
    for k in range(3):
        for e in range(n):
            shift = images[e, 0] * cell[0, k] + images[e, 1] * cell[1, k] + images[e, 2] * cell[2, k]
            coordinates[k, e] = positions[source[e], k] + shift
        if n:
            coordinates[k] -= coordinates[k].min()
    return source, images, coordinates


@numba.njit(cache=True, nogil=True)
def fill_coordinates(positions, cell, source, images, coordinates):  # type: ignore[no-untyped-def]
    """Fill ``coordinates`` [3 or more, n] of local and ghost atoms about the cell's centre.

    positions [n_atoms, 3] and cell [3, 3] in Angstrom; source and images as of :func:`images_within`;
    padding, a source of -1, is put far away. One thread: there is less to do than waking the others takes.
    """
    for e in range(len(source)):
        i = source[e]
        if i < 0:
            coordinates[:, e] = _PADDED
            continue
        a, b, c = images[e, 0] - 0.5, images[e, 1] - 0.5, images[e, 2] - 0.5
        coordinates[0, e] = positions[i, 0] + a * cell[0, 0] + b * cell[1, 0] + c * cell[2, 0]
        coordinates[1, e] = positions[i, 1] + a * cell[0, 1] + b * cell[1, 1] + c * cell[2, 1]
        coordinates[2, e] = positions[i, 2] + a * cell[0, 2] + b * cell[1, 2] + c * cell[2, 2]
