"""The search for clusters near each atom: boxes around clusters first, then their nearest atom."""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.extending import intrinsic

from votca_mlp.kernels import simd
from votca_mlp.kernels.chunks import CHUNKS
from votca_mlp.kernels.simd import INT32, Columns, Lanes, load, shuffle, splat
from votca_mlp.neighbours.cluster_order import SIZE, TOGETHER

SHELLS = 8
"""Parts of the skin: a loop stops at those that nothing can have left inwards yet."""
ROUNDING = 1e-3  # Angstrom; the search is in float32
_BLOCK = 8  # clusters that are looked at in one go


@numba.njit(cache=True, nogil=True)
def boxes_of(coordinates):  # type: ignore[no-untyped-def]
    """Return lower and upper corners, [3, n], of each cluster and of each _BLOCK of them."""
    clusters = coordinates.shape[1] // SIZE
    groups = (clusters + _BLOCK - 1) // _BLOCK
    low, high = np.full((3, clusters), np.inf, np.float32), np.full((3, clusters), -np.inf, np.float32)
    lows, highs = np.full((3, groups), np.inf, np.float32), np.full((3, groups), -np.inf, np.float32)
    for k in range(3):
        for c in range(clusters):
            for slot in range(SIZE * c, SIZE * c + SIZE):
                x = coordinates[k, slot]
                if x < np.inf:
                    low[k, c], high[k, c] = min(low[k, c], x), max(high[k, c], x)
            g = c // _BLOCK
            lows[k, g], highs[k, g] = min(lows[k, g], low[k, c]), max(highs[k, g], high[k, c])
    return low, high, lows, highs


@intrinsic
def _nearest(typing: Any, coordinates: Any, cluster: Any, x: Any, y: Any, z: Any) -> Any:
    """Return the squared distance of the nearest atom of a cluster from x, y, z; coordinates [3, n_slots]."""
    real = coordinates.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        columns = Columns(context, builder, coordinates, arguments[0])
        at = builder.mul(builder.sext(arguments[1], simd.INT64), simd.int64(SIZE))
        squares = None
        for k in range(3):
            d = Lanes(builder, [load(builder, columns.at(k, at))]) - splat(builder, arguments[2 + k])
            squares = d * d if squares is None else squares + d * d
        assert squares is not None
        least = squares.vectors[0]
        for width in (4, 2, 1):  # halves against each other
            other = shuffle(builder, least, least, [(lane + width) % SIZE for lane in range(SIZE)])
            least = builder.select(builder.fcmp_ordered("<", least, other), least, other)
        return builder.extract_element(least, ir.Constant(INT32, 0))

    return real(coordinates, cluster, x, y, z), generate


@numba.njit(inline="always")
def _apart(low, high, a, lows, highs, b):  # type: ignore[no-untyped-def]
    """Squared distance of two boxes."""
    total = np.float32(0.0)
    for k in range(3):
        gap = max(lows[k, b] - high[k, a], low[k, a] - highs[k, b], np.float32(0.0))
        total += gap * gap
    return total


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy")
def search(coordinates, low, high, lows, highs, centres, kinds, ends, cutoffs, part, clusters):  # type: ignore[no-untyped-def]
    """Fill ``clusters`` [CHUNKS, room]; return begins, counts and whether there was too little room.

    coordinates [3, n_slots] (float32) and boxes of :func:`boxes_of`; ``part`` is the thickness of a shell;
    the others are as of :func:`votca_mlp.neighbours.clusters.find_clusters`.
    """
    atoms, n_kinds, room, empty = len(centres), len(cutoffs), clusters.shape[1], np.int32(low.shape[1] - 1)
    begins = np.zeros((atoms, n_kinds), np.int64)
    counts = np.zeros((SHELLS, atoms, n_kinds), np.int32)
    full = np.zeros(CHUNKS, np.bool_)
    for chunk in numba.prange(CHUNKS):
        own, n = clusters[chunk], 0
        near, found = np.empty(len(low[0]), np.int32), np.empty(len(low[0]), np.int32)
        shells = np.empty(len(low[0]), np.int64)
        last = chunk * atoms // CHUNKS
        stop_row = (chunk + 1) * atoms // CHUNKS
        while last < stop_row:
            first, cluster = last, centres[last] // SIZE
            while last < stop_row and centres[last] // SIZE == cluster:
                last += 1
            for kind in range(n_kinds):
                cutoff = cutoffs[kinds[centres[first]], kind]
                begins[first:last, kind] = chunk * room + n
                if cutoff <= 0.0:
                    continue
                reach = np.float32(cutoff + part * SHELLS + ROUNDING)
                some = 0
                for section in (kind, n_kinds + kind):
                    start = ends[section - 1] if section else 0
                    some = _near(
                        low, high, lows, highs, cluster, max(start, cluster), ends[section], reach, near, some
                    )
                for row in range(first, last):
                    i = centres[row]
                    x, y, z = coordinates[0, i], coordinates[1, i], coordinates[2, i]
                    hits = 0
                    for c in range(some):
                        distance = np.sqrt(_nearest(coordinates, near[c], x, y, z))
                        shell = max(np.int64((distance - cutoff) / part), 0)
                        found[hits], shells[hits] = near[c], min(shell, SHELLS - 1)
                        hits += distance < reach
                    if n + hits + TOGETHER > room:
                        full[chunk] = True
                        break
                    begins[row, kind] = chunk * room + n
                    n = _by_shell(found[:hits], shells[:hits], own, n, counts[:, row, kind], empty)
    return begins, counts, full.any()


@numba.njit(cache=True, nogil=True)
def _near(low, high, lows, highs, cluster, start, stop, reach, near, some):  # type: ignore[no-untyped-def]
    """Append the clusters start to stop within ``reach`` of a cluster's box to near[:some]; return some."""
    square = reach * reach
    for group in range(start // _BLOCK, (stop + _BLOCK - 1) // _BLOCK):
        if _apart(low, high, cluster, lows, highs, group) < square:
            for c in range(max(start, _BLOCK * group), min(stop, _BLOCK * (group + 1))):
                near[some] = c
                some += _apart(low, high, cluster, low, high, c) < square
    return some


@numba.njit(cache=True, nogil=True)
def _by_shell(found, shells, own, n, counts, empty):  # type: ignore[no-untyped-def]
    """Write ``found`` by shells and empty ones up to a multiple of TOGETHER to own[n:]; return the new n."""
    for shell in shells:
        counts[shell] += 1
    for shell in range(1, SHELLS):
        counts[shell] += counts[shell - 1]
    begins = np.empty(SHELLS, np.int64)
    begins[0] = n
    begins[1:] = n + counts[:-1]
    for k in range(len(found)):
        own[begins[shells[k]]] = found[k]
        begins[shells[k]] += 1
    n += len(found)
    for _ in range(-len(found) % TOGETHER):
        own[n] = empty
        n += 1
    return n
