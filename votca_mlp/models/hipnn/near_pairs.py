"""The pairs within the cutoff, and their rows of sensitivities, for HIP-NN's compiled loops over atoms."""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.kernels.products import put_cubics, put_scaled
from votca_mlp.kernels.simd import WIDTH

_ONE, _THIRD = np.float32(1.0), np.float32(1.0 / 3.0)


class NearPairs(NamedTuple):
    """Pairs by atom: those of atom i are numbers starts[i] to starts[i] + counts[i] of the other arrays.

    Attributes
    ----------
    units
        x, y, z of the unit vector and 1/distance (1/Angstrom), [n_pairs, 4].
    pairs, seconds
        Number of the pair in the full list, and its second atom, [n_pairs].
    """

    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    units: NDArray[np.float32]
    pairs: NDArray[np.int64]
    seconds: NDArray[np.int64]


@numba.njit(parallel=True, cache=True, nogil=True)
def fill_near(edges, vectors, second, cutoff, most, near):  # type: ignore[no-untyped-def]
    """Fill ``near`` but for its starts; return how many pairs are closer than 1/``most`` or no number.

    edges: ends of the atoms that are one thread's work at a time; vectors [n_pairs, 3], Angstrom.
    """
    missed = np.zeros(len(edges) - 1, np.int64)
    for block in numba.prange(len(edges) - 1):
        # a function of its own: numba would take what is written to a tuple's arrays here for unused
        missed[block] = _fill_block(edges[block], edges[block + 1], vectors, second, cutoff, most, near)
    return missed.sum()


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _fill_block(low, high, vectors, second, cutoff, most, near):  # type: ignore[no-untyped-def]
    missed = 0
    for i in range(low, high):
        n = near.starts[i]
        for p in range(near.starts[i], near.starts[i + 1]):
            x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
            square = x * x + y * y + z * z
            # a nan is kept, to be counted
            if square >= cutoff * cutoff:
                continue
            inverse = _ONE / np.sqrt(square)
            if not inverse < most:
                missed += 1
            near.units[n, 0], near.units[n, 1], near.units[n, 2] = x * inverse, y * inverse, z * inverse
            near.units[n, 3] = inverse
            near.pairs[n], near.seconds[n] = p, second[p]
            n += 1
        near.counts[i] = n - near.starts[i]
    return missed


@numba.njit(cache=True, nogil=True)
def fill_sensitivities(near, i, layer, rows, slopes, both):  # type: ignore[no-untyped-def]
    """Fill rows [n_near, components x width] with Y_t s_v of an atom's pairs; return their number.

    Where ``both`` also slopes [n_near, width] with d s_v / d(1/r), but for the factor of the table's grid.
    """
    width, size = layer.width, layer.components * layer.width
    begin = near.starts[i]
    for n in range(near.counts[i]):
        x, y, z = near.units[begin + n, 0], near.units[begin + n, 1], near.units[begin + n, 2]
        u = (near.units[begin + n, 3] - layer.begin) * layer.scale
        # rounding may put the farthest pairs just before the table
        k = max(np.int64(u), 0)
        t, row = u - np.float32(k), 4 * width * k
        for v in range(0, width, WIDTH):
            put_cubics(layer.table, row + v, width, t, rows, n * size + v, slopes, n * width + v, both)
        for component in range(1, layer.components):
            if component == 1:
                factor = x
            elif component == 2:
                factor = y
            elif component == 3:
                factor = z
            elif component == 4:
                factor = x * x - _THIRD
            elif component == 5:
                factor = x * y
            elif component == 6:
                factor = x * z
            elif component == 7:
                factor = y * y - _THIRD
            else:
                factor = y * z
            for v in range(0, width, WIDTH):
                put_scaled(rows, n * size + v, factor, rows, n * size + component * width + v)
    return near.counts[i]


@numba.njit(cache=True, nogil=True)
def fill_features(near, i, features, columns, rows):  # type: ignore[no-untyped-def]
    """Fill rows [n_near, columns] with the features of an atom's neighbours."""
    begin = near.starts[i]
    for n in range(near.counts[i]):
        at = near.seconds[begin + n] * columns
        for v in range(0, columns, WIDTH):
            put_scaled(features, at + v, _ONE, rows, n * columns + v)
