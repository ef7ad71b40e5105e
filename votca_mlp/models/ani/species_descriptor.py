"""ANI's descriptor for several species, float32, compiled for the CPU.

As :mod:`votca_mlp.models.ani.descriptor`, but an atom's neighbours and triples are sorted by species:
exponentials run over all of them, sums over the stretch of a species or pair of species. Each block of the
AEV is a product of two matrices, the terms of the angle times those of the distance.
"""

import numba
import numpy as np

from votca_mlp.kernels.products import filled, product
from votca_mlp.models.ani.polynomials import FAST, HALF, TWO, ZERO, F, exp2, log2
from votca_mlp.models.ani.surroundings import (
    CUT,
    DISTANCE,
    STRIDE,
    fill_runs,
    fill_shells,
    fill_triples,
    gather,
    keep_near,
)
from votca_mlp.models.ani.triples import TINY

_QUARTER = F(0.25)


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def descriptors(atoms, species, starts, vectors, second, kinds, terms, columns, out):  # type: ignore[no-untyped-def]
    """Fill the AEVs of some atoms, whose neighbours are of so many species.

    starts [n_atoms + 1]: where each atom's pairs begin; vectors [n_pairs, 3], Angstrom; second [n_pairs];
    kinds [n_atoms]: the species, from 0 on; out [len(atoms), columns], flat.
    """
    most = 1
    for i in atoms:
        most = max(most, starts[i + 1] - starts[i])
    most = filled(most, STRIDE)
    n_radial, n_angular, n_sections = len(terms.radial), len(terms.angular), terms.sections.shape[1]
    wide, kept = filled(n_angular), terms.kept
    pairs, near = np.empty(most + 1, np.int64), np.empty(most + 1, np.int64)
    ends, near_ends = np.empty(species + 1, np.int64), np.empty(species + 1, np.int64)
    each, near_each = np.empty((6, most), np.float32), np.empty((6, most), np.float32)
    blocks, runs = (
        np.empty(species * (species + 1) // 2 + 1, np.int64),
        np.empty((3, most * species), np.int64),
    )
    term, size = np.empty(most, np.float32), 0
    cosine, sine = np.empty(0, np.float32), np.empty(0, np.float32)
    mean, room, weight = np.empty(0, np.float32), np.empty(0, np.float32), np.empty(0, np.float32)
    shells, angles = np.empty(0, np.float32), np.empty(0, np.float32)
    summed = np.empty(n_sections * wide, np.float32)
    for number in range(len(atoms)):
        i = atoms[number]
        row = out[number * columns : (number + 1) * columns]
        row[:] = ZERO
        gather(starts[i], starts[i + 1], vectors, second, kinds, terms.radial_cutoff, near, pairs, ends, each)
        distance, cut = each[DISTANCE], each[CUT]
        for j in range(n_radial):
            shift = terms.radial[j]
            for n in range(filled(ends[species], STRIDE)):
                d = distance[n] - shift
                term[n] = _QUARTER * cut[n] * exp2(terms.radial_scale * d * d)
            for kind in range(species):
                total = ZERO
                for n in range(ends[kind], ends[kind + 1]):
                    total += term[n]
                row[kind * n_radial + j] = total

        n = keep_near(ends, each, terms.angular_cutoff, near_ends, near, near_each)
        if filled(n * (n - 1) // 2, STRIDE) > size:
            size = filled(n * n, STRIDE)
            cosine, sine = np.empty(size, np.float32), np.empty(size, np.float32)
            mean, room, weight = (
                np.empty(size, np.float32),
                np.empty(size, np.float32),
                np.empty(size, np.float32),
            )
            shells, angles = np.zeros(size * wide, np.float32), np.empty(n_sections * size, np.float32)
        n_runs = fill_runs(near_ends, runs, blocks)
        count = fill_triples(n_runs, runs, near_each, cosine, sine, mean)
        fill_shells(count, mean, terms, room, shells)
        t0 = 0
        for run in range(n_runs):
            begin, cut_a = runs[1, run], TWO * near_each[CUT, runs[0, run]]
            for k in range(runs[2, run] - begin):
                weight[t0 + k] = cut_a * near_each[CUT, begin + k]
            t0 += runs[2, run] - begin
        weight[t0:count] = ZERO
        for k in range(n_sections):
            angle, cos_k, sin_k = (
                angles[k * size : (k + 1) * size],
                terms.sections[0, k],
                terms.sections[1, k],
            )
            for t in range(count):
                x = max(HALF + HALF * (cosine[t] * cos_k + sine[t] * sin_k), TINY)
                angle[t] = weight[t] * exp2(terms.zeta * log2(x))
        for block in range(len(blocks) - 1):
            begin, depth = blocks[block], blocks[block + 1] - blocks[block]
            if depth:
                product(n_sections, wide, depth, angles, begin, size, 1,
                        shells, begin * wide, wide, summed, 0, wide, False)  # fmt: skip
                column = species * n_radial + block * n_angular * kept
                for m in range(n_angular):
                    for k in range(kept):
                        row[column + m * kept + k] = summed[k * wide + m]
