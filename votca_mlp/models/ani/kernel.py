"""ANI's descriptor and its gradient for one species, float32, compiled for the CPU.

Both passes visit every triple, so nothing of the size of the triples is stored. An atom's results depend on
its own pairs only: same input, same bits, however the atoms are shared out among threads.

The loops run over the triples of one atom with the terms as the slow index, exponentials are polynomials
instead of library calls, and a loop writes one array only, because the compiler then vectorises it (it has to
check that arrays do not overlap, and gives up when there are too many). Relative error of the polynomials:
below the rounding of float32.
"""

import numba
import numpy as np

_F = np.float32
# no "nnan"/"ninf": a broken configuration must give nan, not something plausible
_FAST = {"reassoc", "contract", "nsz", "arcp"}
_UNROLL = 4

_ZERO, _HALF, _ONE, _TWO = _F(0.0), _F(0.5), _F(1.0), _F(2.0)
_QUARTER = _F(0.25)
_PI = _F(np.pi)
_SHRINK = _F(0.95)
_TINY = _F(1e-30)
# 2^-50 is nothing beside one, and products of two such terms are not denormal yet (those are slow)
_LOWEST = _F(-50.0)
_LOG2E = 1.4426950408889634

# 2^f, |f| <= 1/2
_E0, _E1, _E2, _E3 = _F(1.0), _F(0.6931472067028329), _F(0.24022650922289554), _F(0.05550327226669895)
_E4, _E5, _E6 = _F(0.00961805667843204), _F(0.0013400428177711937), _F(0.00015461444724808513)
# log2(1 + t) / t, sqrt(1/2) - 1 <= t <= sqrt(2) - 1
_L0, _L1, _L2 = _F(1.4426950399991771), _F(-0.7213473544788988), _F(0.4808985203256973)
_L3, _L4, _L5 = _F(-0.36069654181010763), _F(0.28855256137611995), _F(-0.23960812179087979)
_L6, _L7, _L8 = _F(0.20485764862623626), _F(-0.19138837832814584), _F(0.18476032985762197)
_L9 = _F(-0.10749788578567615)
# sin(pi v) / v and cos(pi v) in v^2, |v| <= 1/2
_S0, _S1, _S2 = _F(3.141592653536129), _F(-5.1677127645927206), _F(2.550163317932369)
_S3, _S4, _S5 = _F(-0.5992521864819006), _F(0.08205035003144684), _F(-0.007028303652380903)
_C0, _C1, _C2 = _F(0.9999999997791529), _F(-4.934802136928833), _F(4.058709154760502)
_C3, _C4, _C5 = _F(-1.335211949366169), _F(0.23493706849740192), _F(-0.0243959319559508)
_MANTISSA = np.int32(0x3F3504F3)  # sqrt(1/2)
_SHIFT, _BIAS = np.int32(23), np.int32(127)


@numba.njit(inline="always", fastmath=_FAST)
def _exp2(y):  # type: ignore[no-untyped-def]
    """2^y for y <= 0 (a rounding above zero does no harm); 2^-50 below -50."""
    y = max(y, _LOWEST)
    n = np.int32(y - _HALF)
    f = y - _F(n)
    p = _E0 + f * (_E1 + f * (_E2 + f * (_E3 + f * (_E4 + f * (_E5 + f * _E6)))))
    return p * np.int32((n + _BIAS) << _SHIFT).view(np.float32)


@numba.njit(inline="always", fastmath=_FAST)
def _log2(x):  # type: ignore[no-untyped-def]
    """log2(x) for x > 0."""
    bits = _F(x).view(np.int32)
    exponent = np.int32((bits - _MANTISSA) >> _SHIFT)
    t = np.int32(bits - np.int32(exponent << _SHIFT)).view(np.float32) - _ONE
    p = _L4 + t * (_L5 + t * (_L6 + t * (_L7 + t * (_L8 + t * _L9))))
    return _F(exponent) + t * (_L0 + t * (_L1 + t * (_L2 + t * (_L3 + t * p))))


@numba.njit(inline="always", fastmath=_FAST)
def _cutoff(u):  # type: ignore[no-untyped-def]
    """(1 + cos(pi u)) / 2 and its derivative, 0 <= u <= 1; zero from 1 on."""
    v = min(u, _ONE) - _HALF
    w = v * v
    sine = v * (_S0 + w * (_S1 + w * (_S2 + w * (_S3 + w * (_S4 + w * _S5)))))
    cosine = _C0 + w * (_C1 + w * (_C2 + w * (_C3 + w * (_C4 + w * _C5))))
    inside = _ONE if u < _ONE else _ZERO
    return inside * (_HALF - _HALF * sine), inside * (-_HALF * _PI) * cosine


@numba.njit(inline="always", fastmath=_FAST)
def _near(vectors, start, end, angular_cutoff, near, distance, unit, cut):  # type: ignore[no-untyped-def]
    """Gather an atom's pairs within the angular cutoff; return how many."""
    n = 0
    inverse = _ONE / angular_cutoff
    for p in range(start, end):
        x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
        square = x * x + y * y + z * z
        if square < angular_cutoff * angular_cutoff:
            r = np.sqrt(square)
            near[n], distance[n] = p, r
            unit[0, n], unit[1, n], unit[2, n] = x / r, y / r, z / r
            cut[0, n], cut[1, n] = _cutoff(r * inverse)
            cut[1, n] *= inverse
            n += 1
    return n


@numba.njit(inline="always", fastmath=_FAST)
def _triples(n, distance, unit, cosine, mean):  # type: ignore[no-untyped-def]
    """Fill cosine and mean distance of every triple of one atom; return how many."""
    t = 0
    for a in range(n - 1):
        x, y, z, r = unit[0, a], unit[1, a], unit[2, a], distance[a]
        m = n - a - 1
        for k in range(m):
            b = a + 1 + k
            cosine[t + k] = _SHRINK * (x * unit[0, b] + y * unit[1, b] + z * unit[2, b])
            mean[t + k] = _HALF * (r + distance[b])
        t += m
    return t


@numba.njit(inline="always", fastmath=_FAST)
def _shells(count, mean, shifts, scale, shell):  # type: ignore[no-untyped-def]
    """exp(-eta (mean - shift)^2) by shift and triple; scale = -eta log2(e)."""
    for m in range(len(shifts)):
        row, shift = shell[m], shifts[m]
        for t in range(count):
            d = mean[t] - shift
            row[t] = _exp2(scale * d * d)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
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
    spacing = (radial[-1] - radial[0]) / _F(max(n_radial - 1, 1))
    most = 1
    for i in range(low, high):
        most = max(most, starts[i + 1] - starts[i])
    near, distance = np.empty(most, np.int64), np.empty(most, np.float32)
    unit, cut = np.empty((3, most), np.float32), np.empty((2, most), np.float32)
    size = 0
    cosine, mean = np.empty(0, np.float32), np.empty(0, np.float32)
    sine, weight = np.empty(0, np.float32), np.empty(0, np.float32)
    shell, angle = np.empty((n_angular, 0), np.float32), np.empty((_UNROLL, 0), np.float32)
    for i in range(low, high):
        row = out[i - low]
        row[:] = _ZERO
        for p in range(starts[i], starts[i + 1]):
            x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
            r = np.sqrt(x * x + y * y + z * z)
            if r >= radial_cutoff:
                continue
            cutoff = _QUARTER * _cutoff(r / radial_cutoff)[0]
            first = min(max(int((r - radial[0]) / spacing) + 1 - window // 2, 0), n_radial - window)
            for j in range(window):
                d = r - radial[first + j]
                row[first + j] += cutoff * _exp2(radial_scale * d * d)

        n = _near(vectors, starts[i], starts[i + 1], angular_cutoff, near, distance, unit, cut)
        if n * (n - 1) // 2 > size:
            size = n * n
            cosine, mean = np.empty(size, np.float32), np.empty(size, np.float32)
            sine, weight = np.empty(size, np.float32), np.empty(size, np.float32)
            shell, angle = np.empty((n_angular, size), np.float32), np.empty((_UNROLL, size), np.float32)
        count = _triples(n, distance, unit, cosine, mean)
        t0 = 0
        for a in range(n - 1):
            for k in range(n - a - 1):
                weight[t0 + k] = _TWO * cut[0, a] * cut[0, a + 1 + k]
            t0 += n - a - 1
        for t in range(count):
            sine[t] = np.sqrt(_ONE - cosine[t] * cosine[t])
        _shells(count, mean, angular, angular_scale, shell)
        for k in range(0, n_sections, _UNROLL):
            for q in range(_UNROLL):
                angle_q, cos_q, sin_q = angle[q], sections[0, k + q], sections[1, k + q]
                for t in range(count):
                    x = max(_HALF + _HALF * (cosine[t] * cos_q + sine[t] * sin_q), _TINY)
                    angle_q[t] = weight[t] * _exp2(zeta * _log2(x))
            a0, a1, a2, a3 = angle[0], angle[1], angle[2], angle[3]
            for m in range(n_angular):
                shell_m = shell[m]
                s0 = s1 = s2 = s3 = _ZERO
                for t in range(count):
                    s = shell_m[t]
                    s0 += s * a0[t]
                    s1 += s * a1[t]
                    s2 += s * a2[t]
                    s3 += s * a3[t]
                column = n_radial + m * n_sections + k
                row[column], row[column + 1], row[column + 2], row[column + 3] = s0, s1, s2, s3


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def gradients(low, high, starts, vectors, radial, angular, sections, constants, slopes, out):  # type: ignore[no-untyped-def]
    """Fill d(energy)/d(vectors) of the pairs of the atoms low, ..., high - 1.

    out [n_pairs, 3]; slopes = d(energy)/d(AEV), same shape as the AEVs. The other
    arguments are those of :func:`descriptors`.
    """
    radial_cutoff, radial_scale, window = constants[0], constants[1], int(constants[2])
    angular_cutoff, angular_scale, zeta = constants[3], constants[4], constants[5]
    radial_eta = radial_scale / _F(_LOG2E)
    angular_eta = angular_scale / _F(_LOG2E)
    n_radial, n_angular = len(radial), len(angular)
    n_sections = sections.shape[1]
    spacing = (radial[-1] - radial[0]) / _F(max(n_radial - 1, 1))
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
                out[p, 0] = out[p, 1] = out[p, 2] = _ZERO
                continue
            cutoff, fall = _cutoff(r / radial_cutoff)
            fall /= radial_cutoff
            first = min(max(int((r - radial[0]) / spacing) + 1 - window // 2, 0), n_radial - window)
            slope = _ZERO
            for j in range(window):
                d = r - radial[first + j]
                slope += (
                    row[first + j] * _exp2(radial_scale * d * d) * (fall + _TWO * radial_eta * d * cutoff)
                )
            slope *= _QUARTER / r
            out[p, 0], out[p, 1], out[p, 2] = slope * x, slope * y, slope * z

        n = _near(vectors, starts[i], starts[i + 1], angular_cutoff, near, distance, unit, cut)
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
        count = _triples(n, distance, unit, cosine, mean)
        for t in range(count):
            sine[t] = np.sqrt(_ONE - cosine[t] * cosine[t])
        for t in range(count):
            cotangent[t] = cosine[t] / sine[t]
        _shells(count, mean, angular, angular_scale, shell)
        for k in range(n_sections):
            angle_k, turn_k, cos_k, sin_k = angle[k], turn[k], sections[0, k], sections[1, k]
            for t in range(count):
                x = max(_HALF + _HALF * (cosine[t] * cos_k + sine[t] * sin_k), _TINY)
                turn_k[t] = _TWO * _exp2((zeta - _ONE) * _log2(x))
            for t in range(count):
                angle_k[t] = turn_k[t] * (_HALF + _HALF * (cosine[t] * cos_k + sine[t] * sin_k))
            for t in range(count):
                turn_k[t] *= (zeta * _HALF) * (cos_k - sin_k * cotangent[t])
        # by triple, without the cutoffs: energy, its slope in the mean distance, its slope in the cosine
        energy_t, stretch_t, turn_t = total[0], total[1], total[2]
        for t in range(count):
            energy_t[t] = stretch_t[t] = turn_t[t] = _ZERO
        value, slope_of = by_shell[0], by_shell[1]
        for m in range(n_angular):
            shell_m, shift = shell[m], angular[m]
            for k in range(0, n_sections, _UNROLL):
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
            along[a] = across[0, a] = across[1, a] = across[2, a] = _ZERO
        t0 = 0
        for a in range(n - 1):
            ux, uy, uz, cut_a, fall_a = unit[0, a], unit[1, a], unit[2, a], cut[0, a], cut[1, a]
            along_a = x_a = y_a = z_a = _ZERO
            for k in range(n - a - 1):
                b, t = a + 1 + k, t0 + k
                both = cut_a * cut[0, b]
                stretch = angular_eta * stretch_t[t] * both
                bend = _SHRINK * turn_t[t] * both
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
            x, y, z, inverse = across[0, a], across[1, a], across[2, a], _ONE / distance[a]
            parallel = along[a] - (x * ux + y * uy + z * uz) * inverse
            p = near[a]
            out[p, 0] += x * inverse + parallel * ux
            out[p, 1] += y * inverse + parallel * uy
            out[p, 2] += z * inverse + parallel * uz


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def celu(x, alpha):  # type: ignore[no-untyped-def]
    """Replace x (flat, float32) by CELU(x) = x above zero, alpha (exp(x / alpha) - 1) below."""
    scale = _F(_LOG2E) / alpha
    for k in range(len(x)):
        below = min(x[k], _ZERO)
        x[k] = max(x[k], _ZERO) + alpha * (_exp2(below * scale) - _ONE)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def times_celu_slope(slope, y, alpha):  # type: ignore[no-untyped-def]
    """Multiply slope by CELU' where y = CELU(x): 1 above zero, exp(x / alpha) = 1 + y / alpha below."""
    scale = _ONE / alpha
    for k in range(len(y)):
        slope[k] *= _ONE + scale * min(y[k], _ZERO)
