"""Products with a matrix that stays the same, float32: a network's weights.

The matrix is kept in panels of as many columns as a tile has, one behind the other, in the order in which
they are read: in a row, they come faster. While a panel is worked on, the processor fetches the next one,
which may be the next layer's. Without that, a sixteenth of the time goes by in waiting: the weights of eight
networks of four species do not stay in the cache from one block of atoms to the next.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.kernels.products import ROWS, tile_function, tile_of
from votca_mlp.kernels.simd import WIDTH

Array = NDArray[np.float32]
_tile_1, _tile_2, _tile_3 = (tile_function(vectors, ahead=True) for vectors in (1, 2, 3))


def panels_of(matrix: Array) -> Array:
    """Return a matrix, whose columns are a multiple of WIDTH, in panels, flat."""
    panels, m = [], 0
    while m < matrix.shape[1]:
        width = tile_of(matrix.shape[1] - m)
        panels.append(matrix[:, m : m + width].ravel())
        m += width
    return np.concatenate(panels)


@numba.njit(cache=True, nogil=True)
def panels_product(rows, columns, depth, a, a_at, b, b_at, c, c_at, add):  # type: ignore[no-untyped-def]
    """c[rows, columns] = (c where ``add``) + a[rows, depth] b[depth, columns], where b is in panels.

    All flat, from a number on; rows are a multiple of ROWS.
    """
    m = 0
    while m < columns:
        width = tile_of(columns - m)
        panel = b_at + m * depth
        coming = panel + width * depth
        for r in range(0, rows, ROWS):
            at, to = a_at + r * depth, c_at + r * columns + m
            if width == 3 * WIDTH:
                _tile_3(a, at, depth, 1, b, panel, width, c, to, columns, depth, add, coming)
            elif width == 2 * WIDTH:
                _tile_2(a, at, depth, 1, b, panel, width, c, to, columns, depth, add, coming)
            else:
                _tile_1(a, at, depth, 1, b, panel, width, c, to, columns, depth, add, coming)
            coming += depth
        m += width
