"""ANI's descriptor for one species, float32, compiled for the CPU.

This pass and that of the gradient visit every triple, so nothing of the size of the triples is stored. An
atom's results depend on its own pairs only: same input, same bits, however the atoms are shared out among
threads.

The loops run over the triples of one atom with the terms as the slow index, exponentials are polynomials
instead of library calls, and a loop writes one array only, because the compiler then vectorises it (it has to
check that arrays do not overlap, and gives up when there are too many).
"""

import numba
import numpy as np

from votca_mlp.models.ani.polynomials import FAST, HALF, ONE, TWO, ZERO, F, cutoff_of, exp2, log2
from votca_mlp.models.ani.triples import TINY, UNROLL, fill_shells, fill_triples, gather

_QUARTER = F(0.25)


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def descriptors(low, high, starts, vectors, radial, angular, sections, constants, out):  # type: ignore[no-untyped-def]
    """Fill the AEVs of the atoms low, ..., high - 1.

    starts [n_atoms + 1]: where each atom's pairs begin; vectors [n_pairs, 3]; radial, angular: shifts;
    sections [2, n]: their cosines and sines, n a multiple of four; constants: radial cutoff, -eta log2(e),
    window and angular cutoff, -eta log2(e), zeta; out [high - low, n_radial + n_angular * n]. All float32.
    """
    radial_cutoff, radial_scale, window = constants[0], constants[1], int(constants[2])
    angular_cutoff, angular_scale, zeta = constants[3], constants[4], constants[5]
    n_radial, n_angular = len(radial), len(angular)
    n_sections = sections.shape[1]
    spacing = (radial[-1] - radial[0]) / F(max(n_radial - 1, 1))
    most = 1
    for i in range(low, high):
        most = max(most, starts[i + 1] - starts[i])
    near, distance = np.empty(most, np.int64), np.empty(most, np.float32)
    unit, cut = np.empty((3, most), np.float32), np.empty((2, most), np.float32)
    size = 0
    cosine, mean = np.empty(0, np.float32), np.empty(0, np.float32)
    sine, weight = np.empty(0, np.float32), np.empty(0, np.float32)
    shell, angle = np.empty((n_angular, 0), np.float32), np.empty((UNROLL, 0), np.float32)
    for i in range(low, high):
        row = out[i - low]
        row[:] = ZERO
        for p in range(starts[i], starts[i + 1]):
            x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
            r = np.sqrt(x * x + y * y + z * z)
            if r >= radial_cutoff:
                continue
            cutoff = _QUARTER * cutoff_of(r / radial_cutoff)[0]
            first = min(max(int((r - radial[0]) / spacing) + 1 - window // 2, 0), n_radial - window)
            for j in range(window):
                d = r - radial[first + j]
                row[first + j] += cutoff * exp2(radial_scale * d * d)

        n = gather(vectors, starts[i], starts[i + 1], angular_cutoff, near, distance, unit, cut)
        if n * (n - 1) // 2 > size:
            size = n * n
            cosine, mean = np.empty(size, np.float32), np.empty(size, np.float32)
            sine, weight = np.empty(size, np.float32), np.empty(size, np.float32)
            shell, angle = np.empty((n_angular, size), np.float32), np.empty((UNROLL, size), np.float32)
        count = fill_triples(n, distance, unit, cosine, mean)
        t0 = 0
        for a in range(n - 1):
            for k in range(n - a - 1):
                weight[t0 + k] = TWO * cut[0, a] * cut[0, a + 1 + k]
            t0 += n - a - 1
        for t in range(count):
            sine[t] = np.sqrt(ONE - cosine[t] * cosine[t])
        fill_shells(count, mean, angular, angular_scale, shell)
        for k in range(0, n_sections, UNROLL):
            for q in range(UNROLL):
                angle_q, cos_q, sin_q = angle[q], sections[0, k + q], sections[1, k + q]
                for t in range(count):
                    x = max(HALF + HALF * (cosine[t] * cos_q + sine[t] * sin_q), TINY)
                    angle_q[t] = weight[t] * exp2(zeta * log2(x))
            a0, a1, a2, a3 = angle[0], angle[1], angle[2], angle[3]
            for m in range(n_angular):
                shell_m = shell[m]
                s0 = s1 = s2 = s3 = ZERO
                for t in range(count):
                    s = shell_m[t]
                    s0 += s * a0[t]
                    s1 += s * a1[t]
                    s2 += s * a2[t]
                    s3 += s * a3[t]
                column = n_radial + m * n_sections + k
                row[column], row[column + 1], row[column + 2], row[column + 3] = s0, s1, s2, s3
