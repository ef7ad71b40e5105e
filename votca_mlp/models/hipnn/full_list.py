"""HIP-NN for one species from a full pair list, float32, compiled for the CPU.

With one species every atom has the same input features, so that an atom's environment is the sum of the
sensitivities over its neighbours: nothing of the size of pairs times sensitivities is stored. The
sensitivities are cubic polynomials in 1/r from a table. An atom's results depend on its own pairs only: same
input, same bits, however the atoms are shared out among threads.
"""

from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from votca_mlp.kernels.simd import WIDTH, Lanes, int64, load, shuffle, store
from votca_mlp.models.hipnn.lanes import PairLanes
from votca_mlp.models.hipnn.layers import energies_and_slopes


def _in_turn(context: Any, builder: Any, kind: Any, vectors: Any, at: Any) -> list[Lanes]:
    """Return x, y, z of eight vectors from ``at`` on of an array [n, 3]."""
    array = context.make_array(kind)(context, builder, vectors)
    first = builder.gep(array.data, [builder.mul(at, int64(3))])
    flat = [load(builder, builder.gep(first, [int64(WIDTH * k)])) for k in range(3)]
    two = shuffle(builder, flat[0], flat[1], range(16))
    three = shuffle(builder, flat[2], flat[2], [*range(8), *[0] * 8])
    order = [[3 * n + k for n in range(WIDTH)] for k in range(3)]
    return [Lanes(builder, [shuffle(builder, two, three, order[k])]) for k in range(3)]


@intrinsic
def add_sensitivities(
    typing: Any, vectors: Any, at: Any, count: Any, table: Any, grid: Any, chunks: Any, row: Any
) -> Any:
    """Add the sensitivities of up to eight pairs to ``row`` [n]; return how many of them are too close.

    Those from ``at`` on, and no more than ``count``.

    vectors [n_pairs, 3] in Angstrom, float32, to be read eight from ``at`` on; table [n_intervals + 1, 4, n],
    C-contiguous, the last row zero; grid: 1/r at the table's begin, intervals per 1/Angstrom; chunks: a tuple
    of n / 8 things, which tells the compiler how many.
    """
    many = len(chunks)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pairs, first, number, rows, numbers, _, target = arguments
        d = _in_turn(context, builder, vectors, pairs, first)
        lanes = PairLanes(context, builder, d, table, rows, numbers, number)
        data = context.make_array(row)(context, builder, target).data
        starts = [builder.gep(data, [int64(WIDTH * chunk)]) for chunk in range(many)]
        sums = [Lanes(builder, [load(builder, start)]) for start in starts]
        for pair in range(WIDTH):
            for chunk in range(many):
                sums[chunk] = sums[chunk] + lanes.sensitivity(pair, chunk, many)
        for start, total in zip(starts, sums, strict=True):
            store(builder, total.vectors[0], start)
        return lanes.too_close()

    return types.int64(vectors, at, count, table, grid, chunks, row), generate


@intrinsic
def put_gradients(
    typing: Any,
    vectors: Any,
    at: Any,
    count: Any,
    table: Any,
    grid: Any,
    chunks: Any,
    slopes: Any,
    out: Any,
    to: Any,
) -> Any:
    """Write dE/d(vector) of eight pairs from ``at`` on to ``out`` [n, 3] from ``to`` on.

    From the pair ``count`` on they are 0. slopes [n] is dE/d(sensitivity); the others are as of
    :func:`add_sensitivities`.
    """
    many = len(chunks)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pairs, first, number, rows, numbers, _, given, target, start = arguments
        d = _in_turn(context, builder, vectors, pairs, first)
        lanes = PairLanes(context, builder, d, table, rows, numbers, number)
        data = context.make_array(slopes)(context, builder, given).data
        weights = [
            Lanes(builder, [load(builder, builder.gep(data, [int64(WIDTH * chunk)]))])
            for chunk in range(many)
        ]
        scales = lanes.force_scales(lambda pair: weights, many)
        x, y, z = ((scales * d).vectors[0] for d in lanes.d)
        array = context.make_array(out)(context, builder, target)
        begin = builder.gep(array.data, [builder.mul(start, int64(3))])
        xy = shuffle(builder, x, y, range(16))
        zz = shuffle(builder, z, z, [*range(8), *[0] * 8])
        for k in range(3):
            order = [(n % 3) * WIDTH + n // 3 for n in range(WIDTH * k, WIDTH * (k + 1))]
            store(
                builder,
                shuffle(builder, xy, zz, order),
                builder.gep(begin, [int64(WIDTH * k)]),
            )
        return context.get_dummy_value()

    return types.none(vectors, at, count, table, grid, chunks, slopes, out, to), generate


@numba.njit(cache=True, nogil=True)
def environments(low, high, starts, vectors, table, grid, chunks, environment):  # type: ignore[no-untyped-def]
    """Fill ``environment`` [high - low, n] of atoms low to high; return how many pairs the table misses.

    starts [n_atoms + 1] are the atoms' first pairs; vectors [n_pairs + WIDTH, 3] in Angstrom, as so many are
    read from each pair on; table [n_intervals + 1, 4, n] the polynomials' coefficients, constant first, and a
    row of zeros; grid is 1/r at the table's begin and intervals per 1/Angstrom; chunks a tuple of n / 8
    things. Pairs closer than the table reaches, or not a number, are left out and counted.
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
