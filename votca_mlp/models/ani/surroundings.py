"""An atom's neighbours and their triples by species, for ANI's compiled loops over several species.

Neighbours are sorted by species and triples by pair of species (0-0, 0-1, ..., 1-1, ...), so that what is
summed into one block of the AEV is a stretch of either. Triples come in runs: one neighbour with a stretch of
others.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.kernels.products import filled
from votca_mlp.models.ani.polynomials import FAST, HALF, ONE, ZERO, cutoff_of, exp2
from votca_mlp.models.ani.triples import SHRINK

Array = NDArray[np.float32]


class Terms(NamedTuple):
    """What the AEV is made of; float32, Angstrom.

    Attributes
    ----------
    radial, angular
        Shifts.
    sections
        Their cosines and sines, [2, n], filled up to a multiple of ROWS; the first ``kept`` are the AEV's.
    radial_scale, angular_scale
        -eta log2(e), 1/Angstrom^2.
    """

    radial: Array
    angular: Array
    sections: Array
    kept: int
    radial_cutoff: np.float32
    radial_scale: np.float32
    angular_cutoff: np.float32
    angular_scale: np.float32
    zeta: np.float32


STRIDE = 32
"""Loops with exponentials run over a multiple of so many numbers: a loop over vectors takes several at once,
and the rest would be done one by one."""
X, Y, Z, DISTANCE, CUT, FALL = 0, 1, 2, 3, 4, 5
"""Rows of a neighbour's numbers: unit vector, distance, the cutoff function there and its slope."""


@numba.njit(inline="always", fastmath=FAST)
def gather(start, stop, vectors, second, kinds, cutoff, found, pairs, ends, each):  # type: ignore[no-untyped-def]
    """Gather the pairs from start to before stop that are within the cutoff, by species.

    Fills ``pairs`` with their numbers, ``each`` [6, n] with the rows above; those of species s become ends[s]
    to ends[s + 1] - 1. ``found`` is room.
    """
    species, count = len(ends) - 1, 0
    for p in range(start, stop):
        x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
        # no branch, as no processor foresees it; a nan is kept: it must not give something plausible
        found[count] = p
        count += not x * x + y * y + z * z >= cutoff * cutoff
    ends[:] = 0
    for n in range(count):
        ends[kinds[second[found[n]]] + 1] += 1
    for kind in range(species):
        ends[kind + 1] += ends[kind]
    for n in range(count):
        kind = kinds[second[found[n]]]
        pairs[ends[kind]] = found[n]
        ends[kind] += 1
    # each end is now where the next species begins
    for kind in range(species, 0, -1):
        ends[kind] = ends[kind - 1]
    ends[0] = 0
    for n in range(count):
        p = pairs[n]
        x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
        r = np.sqrt(x * x + y * y + z * z)
        inverse = ONE / r
        each[X, n], each[Y, n], each[Z, n], each[DISTANCE, n] = x * inverse, y * inverse, z * inverse, r
    fill_cut(count, cutoff, each[DISTANCE], each[CUT], each[FALL])


@numba.njit(inline="always", fastmath=FAST)
def fill_cut(count, cutoff, distance, cut, fall):  # type: ignore[no-untyped-def]
    """Fill the cutoff function and its slope; what fills up the distances is at the cutoff: both are zero."""
    full, inverse = filled(count, STRIDE), ONE / cutoff
    distance[count:full] = cutoff
    for n in range(full):
        cut[n] = cutoff_of(distance[n] * inverse)[0]
    for n in range(full):
        fall[n] = inverse * cutoff_of(distance[n] * inverse)[1]


@numba.njit(inline="always", fastmath=FAST)
def keep_near(ends, each, cutoff, near_ends, near, near_each):  # type: ignore[no-untyped-def]
    """Fill ``near`` with those of the gathered pairs that are within another cutoff, in their order.

    near_ends and near_each are for them what ``ends`` and ``each`` are for all; return how many there are.
    """
    n = 0
    near_ends[0] = 0
    for kind in range(len(ends) - 1):
        for k in range(ends[kind], ends[kind + 1]):
            near[n] = k
            n += not each[DISTANCE, k] >= cutoff
        near_ends[kind + 1] = n
    for row in range(4):
        for k in range(n):
            near_each[row, k] = each[row, near[k]]
    fill_cut(n, cutoff, near_each[DISTANCE], near_each[CUT], near_each[FALL])
    return n


@numba.njit(inline="always")
def fill_runs(ends, runs, blocks):  # type: ignore[no-untyped-def]
    """Fill the runs of triples [3, n], the one neighbour, begin and end of the others; return how many.

    ``blocks`` [n_species pairs + 1] are where the triples of each pair of species begin.
    """
    run = block = t = 0
    for one in range(len(ends) - 1):
        for other in range(one, len(ends) - 1):
            blocks[block] = t
            block += 1
            for a in range(ends[one], ends[one + 1]):
                begin, end = ends[other], ends[other + 1]
                if one == other:
                    begin = a + 1
                if begin < end:
                    runs[0, run], runs[1, run], runs[2, run] = a, begin, end
                    run += 1
                    t += end - begin
    blocks[block] = t
    return run


@numba.njit(inline="always", fastmath=FAST)
def fill_triples(n_runs, runs, each, cosine, sine, mean):  # type: ignore[no-untyped-def]
    """Fill 0.95 of the cosine, its sine and the mean distance of every triple; return how many, filled up."""
    t = 0
    for run in range(n_runs):
        a, begin = runs[0, run], runs[1, run]
        x, y, z, r = each[X, a], each[Y, a], each[Z, a], each[DISTANCE, a]
        count = runs[2, run] - begin
        for k in range(count):
            b = begin + k
            cosine[t + k] = SHRINK * (x * each[X, b] + y * each[Y, b] + z * each[Z, b])
            mean[t + k] = HALF * (r + each[DISTANCE, b])
        t += count
    full = filled(t, STRIDE)
    cosine[t:full] = mean[t:full] = ZERO
    for k in range(full):
        sine[k] = np.sqrt(ONE - cosine[k] * cosine[k])
    return full


@numba.njit(inline="always", fastmath=FAST)
def fill_shells(count, mean, terms, row, shells):  # type: ignore[no-untyped-def]
    """Fill shells [n_triples, wide] with exp(-eta (mean - shift)^2); ``row`` [n_triples] is room."""
    wide = filled(len(terms.angular))
    for m in range(len(terms.angular)):
        shift = terms.angular[m]
        for t in range(count):
            d = mean[t] - shift
            row[t] = exp2(terms.angular_scale * d * d)
        for t in range(count):
            shells[t * wide + m] = row[t]
