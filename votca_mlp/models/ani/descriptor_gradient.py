"""The gradient of an energy that depends on ANI's descriptor, for one species, float32, compiled for the CPU.

The loops are as in :mod:`votca_mlp.models.ani.descriptor`.
"""

import numba
import numpy as np

from votca_mlp.models.ani.polynomials import FAST, HALF, LOG2E, ONE, TWO, ZERO, F, cutoff_of, exp2, log2
from votca_mlp.models.ani.triples import SHRINK, TINY, UNROLL, fill_shells, fill_triples, gather

_QUARTER = F(0.25)


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def gradients(low, high, starts, vectors, radial, angular, sections, constants, slopes, out):  # type: ignore[no-untyped-def]
    """Fill d(energy)/d(vectors) of the pairs of the atoms low, ..., high - 1.

    out [n_pairs, 3]; slopes = d(energy)/d(AEV), same shape as the AEVs. The other
    arguments are those of :func:`votca_mlp.models.ani.descriptor.descriptors`.
    """
    radial_cutoff, radial_scale, window = constants[0], constants[1], int(constants[2])
    angular_cutoff, angular_scale, zeta = constants[3], constants[4], constants[5]
    radial_eta = radial_scale / F(LOG2E)
    angular_eta = angular_scale / F(LOG2E)
    n_radial, n_angular = len(radial), len(angular)
    n_sections = sections.shape[1]
    spacing = (radial[-1] - radial[0]) / F(max(n_radial - 1, 1))
    most = 1
    for i in range(low, high):
        most = max(most, starts[i + 1] - starts[i])
    near, distance = np.empty(most, np.int64), np.empty(most, np.float32)
    unit, cut = np.empty((3, most), np.float32), np.empty((2, most), np.float32)
    along, across = np.empty(most, np.float32), np.empty((3, most), np.float32)
    size = 0
    cosine, mean = np.empty(0, np.float32), np.empty(0, np.float32)
    sine, cotangent = np.empty(0, np.float32), np.empty(0, np.float32)
    by_shell = np.empty((2, 0), np.float32)
    shell, angle = np.empty((n_angular, 0), np.float32), np.empty((n_sections, 0), np.float32)
    turn, total = np.empty((n_sections, 0), np.float32), np.empty((3, 0), np.float32)
    for i in range(low, high):
        row = slopes[i - low]
        for p in range(starts[i], starts[i + 1]):
            x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
            r = np.sqrt(x * x + y * y + z * z)
            if r >= radial_cutoff:
                out[p, 0] = out[p, 1] = out[p, 2] = ZERO
                continue
            cutoff, fall = cutoff_of(r / radial_cutoff)
            fall /= radial_cutoff
            first = min(max(int((r - radial[0]) / spacing) + 1 - window // 2, 0), n_radial - window)
            slope = ZERO
            for j in range(window):
                d = r - radial[first + j]
                slope += row[first + j] * exp2(radial_scale * d * d) * (fall + TWO * radial_eta * d * cutoff)
            slope *= _QUARTER / r
            out[p, 0], out[p, 1], out[p, 2] = slope * x, slope * y, slope * z

        n = gather(vectors, starts[i], starts[i + 1], angular_cutoff, near, distance, unit, cut)
        if n * (n - 1) // 2 > size:
            size = n * n
            cosine, mean = np.empty(size, np.float32), np.empty(size, np.float32)
            sine, cotangent = np.empty(size, np.float32), np.empty(size, np.float32)
            by_shell = np.empty((2, size), np.float32)
            shell, angle = (
                np.empty((n_angular, size), np.float32),
                np.empty((n_sections, size), np.float32),
            )
            turn, total = np.empty((n_sections, size), np.float32), np.empty((3, size), np.float32)
        count = fill_triples(n, distance, unit, cosine, mean)
        for t in range(count):
            sine[t] = np.sqrt(ONE - cosine[t] * cosine[t])
        for t in range(count):
            cotangent[t] = cosine[t] / sine[t]
        fill_shells(count, mean, angular, angular_scale, shell)
        for k in range(n_sections):
            angle_k, turn_k, cos_k, sin_k = angle[k], turn[k], sections[0, k], sections[1, k]
            for t in range(count):
                x = max(HALF + HALF * (cosine[t] * cos_k + sine[t] * sin_k), TINY)
                turn_k[t] = TWO * exp2((zeta - ONE) * log2(x))
            for t in range(count):
                angle_k[t] = turn_k[t] * (HALF + HALF * (cosine[t] * cos_k + sine[t] * sin_k))
            for t in range(count):
                turn_k[t] *= (zeta * HALF) * (cos_k - sin_k * cotangent[t])
        # by triple, without the cutoffs: energy, its slope in the mean distance, its slope in the cosine
        energy_t, stretch_t, turn_t = total[0], total[1], total[2]
        for t in range(count):
            energy_t[t] = stretch_t[t] = turn_t[t] = ZERO
        value, slope_of = by_shell[0], by_shell[1]
        for m in range(n_angular):
            shell_m, shift = shell[m], angular[m]
            for k in range(0, n_sections, UNROLL):
                column = n_radial + m * n_sections + k
                g0, g1, g2, g3 = row[column], row[column + 1], row[column + 2], row[column + 3]
                a0, a1, a2, a3 = angle[k], angle[k + 1], angle[k + 2], angle[k + 3]
                b0, b1, b2, b3 = turn[k], turn[k + 1], turn[k + 2], turn[k + 3]
                if k == 0:
                    for t in range(count):
                        value[t] = g0 * a0[t] + g1 * a1[t] + g2 * a2[t] + g3 * a3[t]
                    for t in range(count):
                        slope_of[t] = g0 * b0[t] + g1 * b1[t] + g2 * b2[t] + g3 * b3[t]
                else:
                    for t in range(count):
                        value[t] += g0 * a0[t] + g1 * a1[t] + g2 * a2[t] + g3 * a3[t]
                    for t in range(count):
                        slope_of[t] += g0 * b0[t] + g1 * b1[t] + g2 * b2[t] + g3 * b3[t]
            for t in range(count):
                energy_t[t] += shell_m[t] * value[t]
            for t in range(count):
                stretch_t[t] += shell_m[t] * value[t] * (mean[t] - shift)
            for t in range(count):
                turn_t[t] += shell_m[t] * slope_of[t]

        for a in range(n):
            along[a] = across[0, a] = across[1, a] = across[2, a] = ZERO
        t0 = 0
        for a in range(n - 1):
            ux, uy, uz, cut_a, fall_a = unit[0, a], unit[1, a], unit[2, a], cut[0, a], cut[1, a]
            along_a = x_a = y_a = z_a = ZERO
            for k in range(n - a - 1):
                b, t = a + 1 + k, t0 + k
                both = cut_a * cut[0, b]
                stretch = angular_eta * stretch_t[t] * both
                bend = SHRINK * turn_t[t] * both
                along_a += stretch + energy_t[t] * fall_a * cut[0, b]
                along[b] += stretch + energy_t[t] * cut_a * cut[1, b]
                x_a += bend * unit[0, b]
                y_a += bend * unit[1, b]
                z_a += bend * unit[2, b]
                across[0, b] += bend * ux
                across[1, b] += bend * uy
                across[2, b] += bend * uz
            along[a] += along_a
            across[0, a] += x_a
            across[1, a] += y_a
            across[2, a] += z_a
            t0 += n - a - 1
        for a in range(n):
            ux, uy, uz = unit[0, a], unit[1, a], unit[2, a]
            x, y, z, inverse = across[0, a], across[1, a], across[2, a], ONE / distance[a]
            parallel = along[a] - (x * ux + y * uy + z * uz) * inverse
            p = near[a]
            out[p, 0] += x * inverse + parallel * ux
            out[p, 1] += y * inverse + parallel * uy
            out[p, 2] += z * inverse + parallel * uz
