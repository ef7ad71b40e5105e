"""HIP-NN's sensitivities and their gradient for one species, float32, compiled for the CPU.

With one species every atom has the same input features, so that an atom's environment is the sum of the
sensitivities over its neighbours: nothing of the size of pairs times sensitivities is stored. The
sensitivities are cubic polynomials in 1/r from a table. An atom's results depend on its own pairs only: same
input, same bits, however the atoms are shared out among threads.
"""

import numba
import numpy as np

from votca_mlp.models.hipnn_layers import energies_and_slopes

_F = np.float32
# no "nnan"/"ninf": a broken configuration must give nan, not something plausible
_FAST = {"reassoc", "contract", "nsz", "arcp"}
_ZERO, _ONE, _TWO, _THREE = _F(0.0), _F(1.0), _F(2.0), _F(3.0)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def environments(low, high, starts, vectors, table, grid, environment):  # type: ignore[no-untyped-def]
    """Fill ``environment`` [high - low, n] of atoms low to high; return how many pairs the table misses.

    starts [n_atoms + 1] are the atoms' first pairs; vectors [n_pairs, 3] in Angstrom; table
    [n_intervals, 4, n] the polynomials' coefficients, constant first; grid is the cutoff, 1/r at the table's
    begin and intervals per 1/Angstrom. Pairs closer than the table reaches, or not
    a number, are left out and counted.
    """
    cutoff, begin, scale = grid[0], grid[1], grid[2]
    intervals = len(table)
    too_close = 0
    for i in range(low, high):
        row = environment[i - low]
        row[:] = _ZERO
        for p in range(starts[i], starts[i + 1]):
            x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
            square = x * x + y * y + z * z
            if square >= cutoff * cutoff:
                continue
            u = (_ONE / np.sqrt(square) - begin) * scale
            if u < _ZERO:
                u = _ZERO
            # not ">=": a nan is no index either
            if not u < _F(intervals):
                too_close += 1
                continue
            k = np.int32(u)
            t = u - _F(k)
            c0, c1, c2, c3 = table[k, 0], table[k, 1], table[k, 2], table[k, 3]
            for s in range(len(row)):
                row[s] += c0[s] + t * (c1[s] + t * (c2[s] + t * c3[s]))
    return too_close


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def gradients(low, high, starts, vectors, table, grid, slopes, gradient):  # type: ignore[no-untyped-def]
    """Fill ``gradient`` [n_pairs, 3] for the pairs of atoms low to high.

    slopes [high - low, n] is dE/d(environment); the rest, also the pairs left out, as in
    :func:`environments`.
    """
    cutoff, begin, scale = grid[0], grid[1], grid[2]
    intervals = len(table)
    for i in range(low, high):
        slope = slopes[i - low]
        for p in range(starts[i], starts[i + 1]):
            x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
            square = x * x + y * y + z * z
            pull = _ZERO
            inverse = _ONE / np.sqrt(square)
            u = (inverse - begin) * scale
            if square < cutoff * cutoff and u < _F(intervals):
                if u < _ZERO:
                    u = _ZERO
                k = np.int32(u)
                t = u - _F(k)
                c1, c2, c3 = table[k, 1], table[k, 2], table[k, 3]
                for s in range(len(slope)):
                    pull += slope[s] * (c1[s] + t * (_TWO * c2[s] + t * (_THREE * c3[s])))
                pull *= -scale * inverse * inverse * inverse
            gradient[p, 0] = pull * x
            gradient[p, 1] = pull * y
            gradient[p, 2] = pull * z


@numba.njit(parallel=True, cache=True, nogil=True)
def evaluate(edges, starts, vectors, table, grid, layers, outputs, gradient):  # type: ignore[no-untyped-def]
    """Fill ``outputs`` [n_atoms] (float64), ``gradient`` [n_pairs, 3]; return how many pairs are too close.

    ``edges`` are the ends of the blocks of atoms that are one thread's work at a time; layers are
    :class:`votca_mlp.models.hipnn_layers.Layers`, the rest as in :func:`environments`.
    """
    blocks = len(edges) - 1
    missed = np.zeros(blocks, np.int64)
    for block in numba.prange(blocks):
        low, high = edges[block], edges[block + 1]
        environment = np.empty((high - low, table.shape[2]), np.float32)
        missed[block] = environments(low, high, starts, vectors, table, grid, environment)
        energies_and_slopes(environment, layers, outputs[low:high])
        gradients(low, high, starts, vectors, table, grid, environment, gradient)
    return missed.sum()
