"""The gradient of an energy in ANI's descriptor for several species, float32, compiled for the CPU.

The loops are as in :mod:`votca_mlp.models.ani.species_descriptor`.
"""

import numba
import numpy as np

from votca_mlp.kernels.products import ROWS, dot, filled, product
from votca_mlp.models.ani.polynomials import FAST, HALF, LOG2E, ONE, TWO, ZERO, F, exp2, log2
from votca_mlp.models.ani.surroundings import (
    CUT,
    DISTANCE,
    FALL,
    STRIDE,
    X,
    Y,
    Z,
    fill_runs,
    fill_shells,
    fill_triples,
    gather,
    keep_near,
)
from votca_mlp.models.ani.triples import SHRINK, TINY

_QUARTER = F(0.25)


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def gradients(atoms, species, starts, vectors, second, kinds, terms, columns, slopes, out):  # type: ignore[no-untyped-def]
    """Fill d(energy)/d(vectors) of some atoms' pairs.

    out [n_pairs, 3]; slopes = d(energy)/d(AEV), as the AEVs are. The other arguments are those of
    :func:`votca_mlp.models.ani.species_descriptor.descriptors`.
    """
    most = 1
    for i in atoms:
        most = max(most, starts[i + 1] - starts[i])
    most = filled(most, STRIDE)
    n_radial, n_angular, n_sections = len(terms.radial), len(terms.angular), terms.sections.shape[1]
    wide, kept = filled(n_angular), terms.kept
    twice_radial = -TWO * terms.radial_scale / F(LOG2E)
    angular_eta = -terms.angular_scale / F(LOG2E)
    pairs, near = np.empty(most + 1, np.int64), np.empty(most + 1, np.int64)
    ends, near_ends = np.empty(species + 1, np.int64), np.empty(species + 1, np.int64)
    each, near_each = np.empty((6, most), np.float32), np.empty((6, most), np.float32)
    blocks, runs = (
        np.empty(species * (species + 1) // 2 + 1, np.int64),
        np.empty((3, most * species), np.int64),
    )
    asked, slope = np.empty(most, np.float32), np.empty(most, np.float32)
    along, across = np.empty(most, np.float32), np.empty((3, most), np.float32)
    size = 0
    cosine, sine = np.empty(0, np.float32), np.empty(0, np.float32)
    mean, cotangent = np.empty(0, np.float32), np.empty(0, np.float32)
    shells, steep = np.empty(0, np.float32), np.empty(0, np.float32)
    angles, turns = np.empty(0, np.float32), np.empty(0, np.float32)
    by_shell, turn_by_shell = np.empty(0, np.float32), np.empty(0, np.float32)
    block_slopes = np.zeros(n_sections * wide, np.float32)
    for number in range(len(atoms)):
        i = atoms[number]
        row = slopes[number * columns : (number + 1) * columns]
        for p in range(starts[i], starts[i + 1]):
            out[p, 0] = out[p, 1] = out[p, 2] = ZERO
        gather(starts[i], starts[i + 1], vectors, second, kinds, terms.radial_cutoff, near, pairs, ends, each)
        distance, cut, fall = each[DISTANCE], each[CUT], each[FALL]
        asked[:] = slope[:] = ZERO
        for j in range(n_radial):
            shift = terms.radial[j]
            for kind in range(species):
                asked[ends[kind] : ends[kind + 1]] = _QUARTER * row[kind * n_radial + j]
            for n in range(filled(ends[species], STRIDE)):
                d = distance[n] - shift
                value = asked[n] * exp2(terms.radial_scale * d * d)
                slope[n] += value * (fall[n] - twice_radial * d * cut[n])
        for n in range(ends[species]):
            p = pairs[n]
            out[p, 0], out[p, 1], out[p, 2] = (
                slope[n] * each[X, n],
                slope[n] * each[Y, n],
                slope[n] * each[Z, n],
            )

        n = keep_near(ends, each, terms.angular_cutoff, near_ends, near, near_each)
        if filled(n * (n - 1) // 2, STRIDE) + ROWS > size:
            size = filled(n * n, STRIDE) + ROWS
            cosine, sine = np.empty(size, np.float32), np.empty(size, np.float32)
            mean, cotangent = np.empty(size, np.float32), np.empty(size, np.float32)
            shells, steep = np.zeros(size * wide, np.float32), np.zeros(size * wide, np.float32)
            angles, turns = np.zeros(n_sections * size, np.float32), np.zeros(n_sections * size, np.float32)
            by_shell, turn_by_shell = np.empty(size * wide, np.float32), np.empty(size * wide, np.float32)
        n_runs = fill_runs(near_ends, runs, blocks)
        count = fill_triples(n_runs, runs, near_each, cosine, sine, mean)
        fill_shells(count, mean, terms, cotangent, shells)
        for m in range(n_angular):
            shift = terms.angular[m]
            for t in range(count):
                steep[t * wide + m] = shells[t * wide + m] * (mean[t] - shift)
        for t in range(count):
            cotangent[t] = cosine[t] / sine[t]
        for k in range(n_sections):
            angle, turn = angles[k * size : (k + 1) * size], turns[k * size : (k + 1) * size]
            cos_k, sin_k = terms.sections[0, k], terms.sections[1, k]
            for t in range(count):
                x = max(HALF + HALF * (cosine[t] * cos_k + sine[t] * sin_k), TINY)
                turn[t] = TWO * exp2((terms.zeta - ONE) * log2(x))
            for t in range(count):
                angle[t] = turn[t] * (HALF + HALF * (cosine[t] * cos_k + sine[t] * sin_k))
            for t in range(count):
                turn[t] *= (terms.zeta * HALF) * (cos_k - sin_k * cotangent[t])
        for block in range(len(blocks) - 1):
            begin, depth = blocks[block], blocks[block + 1] - blocks[block]
            if depth:
                column = species * n_radial + block * n_angular * kept
                for m in range(n_angular):
                    for k in range(kept):
                        block_slopes[k * wide + m] = row[column + m * kept + k]
                # whole tiles: what is too much is written over by the next block
                tall = filled(depth, ROWS)
                product(tall, wide, n_sections, angles, begin, 1, size,
                        block_slopes, 0, wide, by_shell, begin * wide, wide, False)  # fmt: skip
                product(tall, wide, n_sections, turns, begin, 1, size,
                        block_slopes, 0, wide, turn_by_shell, begin * wide, wide, False)  # fmt: skip

        along[:n] = ZERO
        across[:, :n] = ZERO
        t = 0
        for run in range(n_runs):
            a = runs[0, run]
            ux, uy, uz = near_each[X, a], near_each[Y, a], near_each[Z, a]
            cut_a, fall_a = near_each[CUT, a], near_each[FALL, a]
            along_a = x_a = y_a = z_a = ZERO
            for b in range(runs[1, run], runs[2, run]):
                # by triple, without the cutoffs: energy, its slope in the mean distance and in the cosine
                energy = dot(shells, t * wide, by_shell, t * wide, wide)
                stretch = dot(steep, t * wide, by_shell, t * wide, wide)
                bend = dot(shells, t * wide, turn_by_shell, t * wide, wide)
                cut_b = near_each[CUT, b]
                stretch *= -angular_eta * cut_a * cut_b
                bend *= SHRINK * cut_a * cut_b
                along_a += stretch + energy * fall_a * cut_b
                along[b] += stretch + energy * cut_a * near_each[FALL, b]
                x_a += bend * near_each[X, b]
                y_a += bend * near_each[Y, b]
                z_a += bend * near_each[Z, b]
                across[0, b] += bend * ux
                across[1, b] += bend * uy
                across[2, b] += bend * uz
                t += 1
            along[a] += along_a
            across[0, a] += x_a
            across[1, a] += y_a
            across[2, a] += z_a
        for a in range(n):
            ux, uy, uz, inverse = (
                near_each[X, a],
                near_each[Y, a],
                near_each[Z, a],
                ONE / near_each[DISTANCE, a],
            )
            x, y, z = across[0, a], across[1, a], across[2, a]
            parallel = along[a] - (x * ux + y * uy + z * uz) * inverse
            p = pairs[near[a]]
            out[p, 0] += x * inverse + parallel * ux
            out[p, 1] += y * inverse + parallel * uy
            out[p, 2] += z * inverse + parallel * uz
