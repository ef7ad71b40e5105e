"""HIP-NN for one species, float32, compiled for the CPU.

With one species every atom has the same input features, so that an atom's environment is the sum of the
sensitivities over its neighbours: nothing of the size of pairs times sensitivities is stored. The
sensitivities are cubic polynomials in 1/r from a table. An atom's results depend on its own pairs only: same
input, same bits, however the atoms are shared out among threads.
"""

import numba
import numpy as np

from votca_mlp.kernels.simd import WIDTH
from votca_mlp.models.hipnn.layers import energies_and_slopes
from votca_mlp.models.hipnn.pairs import add_sensitivities, put_gradients


@numba.njit(cache=True, nogil=True)
def environments(low, high, starts, vectors, table, grid, chunks, environment):  # type: ignore[no-untyped-def]
    """Fill ``environment`` [high - low, n] of atoms low to high; return how many pairs the table misses.

    starts [n_atoms + 1] are the atoms' first pairs; vectors [n_pairs + WIDTH, 3] in Angstrom, as so many are
    read from each pair on; table
    [n_intervals + 1, 4, n] the polynomials' coefficients, constant first, and a row of zeros; grid is 1/r at
    the table's begin and intervals per 1/Angstrom; chunks a tuple of n / 8 things. Pairs closer than the
    table reaches, or not a number, are left out and counted.
    """
    missed = 0
    for i in range(low, high):
        row = environment[i - low]
        row[:] = np.float32(0.0)
        for p in range(starts[i], starts[i + 1], WIDTH):
            missed += add_sensitivities(vectors, p, starts[i + 1] - p, table, grid, chunks, row)
    return missed


@numba.njit(cache=True, nogil=True)
def gradients(low, high, starts, vectors, table, grid, chunks, slopes, gradient):  # type: ignore[no-untyped-def]
    """Fill ``gradient`` [n_pairs, 3] for the pairs of atoms low to high.

    slopes [high - low, n] is dE/d(environment); the rest, also the pairs left out, as in
    :func:`environments`.
    """
    few = np.empty((WIDTH, 3), np.float32)
    for i in range(low, high):
        slope, stop = slopes[i - low], starts[i + 1]
        for p in range(starts[i], stop, WIDTH):
            if p + WIDTH <= stop:
                put_gradients(vectors, p, WIDTH, table, grid, chunks, slope, gradient, p)
            else:
                put_gradients(vectors, p, stop - p, table, grid, chunks, slope, few, 0)
                gradient[p:stop] = few[: stop - p]


@numba.njit(parallel=True, cache=True, nogil=True)
def evaluate(edges, starts, vectors, table, grid, chunks, layers, outputs, gradient):  # type: ignore[no-untyped-def]
    """Fill ``outputs`` [n_atoms] (float64), ``gradient`` [n_pairs, 3]; return how many pairs are too close.

    ``edges`` are the ends of the blocks of atoms that are one thread's work at a time; layers are
    :class:`votca_mlp.models.hipnn.layers.Layers`, the rest as in :func:`environments`.
    """
    blocks = len(edges) - 1
    missed = np.zeros(blocks, np.int64)
    for block in numba.prange(blocks):
        low, high = edges[block], edges[block + 1]
        first, stop = starts[low], starts[high]
        if stop + WIDTH <= len(vectors):
            rows, offset = vectors, 0
        else:
            # the last ones: with something behind them that may be read
            rows, offset = np.zeros((stop - first + WIDTH, 3), np.float32), first
            rows[: stop - first] = vectors[first:stop]
        environment = np.empty((high - low, table.shape[2]), np.float32)
        own = starts[low : high + 1] - offset
        missed[block] = environments(0, high - low, own, rows, table, grid, chunks, environment)
        energies_and_slopes(environment, layers, outputs[low:high])
        gradients(0, high - low, own, rows, table, grid, chunks, environment, gradient[offset:])
    return missed.sum()
