"""How far atoms have moved since a neighbour list was built, compiled."""

import numba
import numpy as np

from votca_mlp.kernels.cache import guard

guard()


@numba.njit(cache=True, nogil=True)
def changes(positions, cell, old, inverse, same):  # type: ignore[no-untyped-def]
    """Return how far an atom has moved beyond the stretch of the cell (Angstrom, or nan), and that stretch.

    ``old`` positions; the inverse of the old cell; whether the cell is the same. The stretch is -1 where it
    is not the same in all directions.
    """
    deformation, stretch = np.eye(3), 1.0
    if not same:
        deformation[:] = 0.0
        for k in range(3):
            for m in range(3):
                for n in range(3):
                    deformation[k, m] += inverse[k, n] * cell[n, m]
        stretch = deformation[0, 0]
        for k in range(3):
            for m in range(3):
                if not abs(deformation[k, m] - (stretch if k == m else 0.0)) < 1e-12:
                    stretch = -1.0
    largest = 0.0
    for i in range(len(old)):
        square = 0.0
        for k in range(3):
            there = 0.0
            for m in range(3):
                there += old[i, m] * deformation[m, k]
            square += (positions[i, k] - there) ** 2
        if square > largest or square != square:
            largest = square
    return np.sqrt(largest), stretch
