"""The neighbours of an atom within the angular cutoff and their triples, for ANI's compiled loops."""

import numba
import numpy as np

from votca_mlp.models.ani.polynomials import FAST, HALF, ONE, F, cutoff_of, exp2

UNROLL = 4
"""Terms of the angle that are worked on at a time."""
SHRINK = F(0.95)
TINY = F(1e-30)


@numba.njit(inline="always", fastmath=FAST)
def gather(vectors, start, end, angular_cutoff, near, distance, unit, cut):  # type: ignore[no-untyped-def]
    """Gather an atom's pairs within the angular cutoff; return how many."""
    n = 0
    inverse = ONE / angular_cutoff
    for p in range(start, end):
        x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
        square = x * x + y * y + z * z
        if square < angular_cutoff * angular_cutoff:
            r = np.sqrt(square)
            near[n], distance[n] = p, r
            unit[0, n], unit[1, n], unit[2, n] = x / r, y / r, z / r
            cut[0, n], cut[1, n] = cutoff_of(r * inverse)
            cut[1, n] *= inverse
            n += 1
    return n


@numba.njit(inline="always", fastmath=FAST)
def fill_triples(n, distance, unit, cosine, mean):  # type: ignore[no-untyped-def]
    """Fill cosine and mean distance of every triple of one atom; return how many."""
    t = 0
    for a in range(n - 1):
        x, y, z, r = unit[0, a], unit[1, a], unit[2, a], distance[a]
        m = n - a - 1
        for k in range(m):
            b = a + 1 + k
            cosine[t + k] = SHRINK * (x * unit[0, b] + y * unit[1, b] + z * unit[2, b])
            mean[t + k] = HALF * (r + distance[b])
        t += m
    return t


@numba.njit(inline="always", fastmath=FAST)
def fill_shells(count, mean, shifts, scale, shell):  # type: ignore[no-untyped-def]
    """exp(-eta (mean - shift)^2) by shift and triple; scale = -eta log2(e)."""
    for m in range(len(shifts)):
        row, shift = shell[m], shifts[m]
        for t in range(count):
            d = mean[t] - shift
            row[t] = exp2(scale * d * d)
