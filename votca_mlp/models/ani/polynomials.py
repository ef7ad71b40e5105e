"""Functions as polynomials in float32, compiled: 2^y, log2, the cosine cutoff, CELU.

Library calls would keep the loops from vector registers. Relative error: below the rounding of float32.
"""

import numba
import numpy as np

F = np.float32
# no "nnan"/"ninf": a broken configuration must give nan, not something plausible
FAST = {"reassoc", "contract", "nsz", "arcp"}

ZERO, HALF, ONE, TWO = F(0.0), F(0.5), F(1.0), F(2.0)
_PI = F(np.pi)
# 2^-50 is nothing beside one, and products of two such terms are not denormal yet (those are slow)
_LOWEST = F(-50.0)
LOG2E = 1.4426950408889634

# 2^f, |f| <= 1/2
_E0, _E1, _E2, _E3 = F(1.0), F(0.6931472067028329), F(0.24022650922289554), F(0.05550327226669895)
_E4, _E5, _E6 = F(0.00961805667843204), F(0.0013400428177711937), F(0.00015461444724808513)
# log2(1 + t) / t, sqrt(1/2) - 1 <= t <= sqrt(2) - 1
_L0, _L1, _L2 = F(1.4426950399991771), F(-0.7213473544788988), F(0.4808985203256973)
_L3, _L4, _L5 = F(-0.36069654181010763), F(0.28855256137611995), F(-0.23960812179087979)
_L6, _L7, _L8 = F(0.20485764862623626), F(-0.19138837832814584), F(0.18476032985762197)
_L9 = F(-0.10749788578567615)
# sin(pi v) / v and cos(pi v) in v^2, |v| <= 1/2
_S0, _S1, _S2 = F(3.141592653536129), F(-5.1677127645927206), F(2.550163317932369)
_S3, _S4, _S5 = F(-0.5992521864819006), F(0.08205035003144684), F(-0.007028303652380903)
_C0, _C1, _C2 = F(0.9999999997791529), F(-4.934802136928833), F(4.058709154760502)
_C3, _C4, _C5 = F(-1.335211949366169), F(0.23493706849740192), F(-0.0243959319559508)
_MANTISSA = np.int32(0x3F3504F3)  # sqrt(1/2)
_SHIFT, _BIAS = np.int32(23), np.int32(127)


@numba.njit(inline="always", fastmath=FAST)
def exp2(y):  # type: ignore[no-untyped-def]
    """2^y for y <= 0 (a rounding above zero does no harm); 2^-50 below -50."""
    y = max(y, _LOWEST)
    n = np.int32(y - HALF)
    f = y - F(n)
    p = _E0 + f * (_E1 + f * (_E2 + f * (_E3 + f * (_E4 + f * (_E5 + f * _E6)))))
    return p * np.int32((n + _BIAS) << _SHIFT).view(np.float32)


@numba.njit(inline="always", fastmath=FAST)
def log2(x):  # type: ignore[no-untyped-def]
    """log2(x) for x > 0."""
    bits = F(x).view(np.int32)
    exponent = np.int32((bits - _MANTISSA) >> _SHIFT)
    t = np.int32(bits - np.int32(exponent << _SHIFT)).view(np.float32) - ONE
    p = _L4 + t * (_L5 + t * (_L6 + t * (_L7 + t * (_L8 + t * _L9))))
    return F(exponent) + t * (_L0 + t * (_L1 + t * (_L2 + t * (_L3 + t * p))))


@numba.njit(inline="always", fastmath=FAST)
def cutoff_of(u):  # type: ignore[no-untyped-def]
    """(1 + cos(pi u)) / 2 and its derivative, 0 <= u <= 1; zero from 1 on."""
    v = min(u, ONE) - HALF
    w = v * v
    sine = v * (_S0 + w * (_S1 + w * (_S2 + w * (_S3 + w * (_S4 + w * _S5)))))
    cosine = _C0 + w * (_C1 + w * (_C2 + w * (_C3 + w * (_C4 + w * _C5))))
    inside = ONE if u < ONE else ZERO
    return inside * (HALF - HALF * sine), inside * (-HALF * _PI) * cosine


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def celu(x, alpha):  # type: ignore[no-untyped-def]
    """Replace x (flat, float32) by CELU(x) = x above zero, alpha (exp(x / alpha) - 1) below."""
    scale = F(LOG2E) / alpha
    for k in range(len(x)):
        below = min(x[k], ZERO)
        x[k] = max(x[k], ZERO) + alpha * (exp2(below * scale) - ONE)


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def times_celu_slope(slope, y, alpha):  # type: ignore[no-untyped-def]
    """Multiply slope by CELU' where y = CELU(x): 1 above zero, exp(x / alpha) = 1 + y / alpha below."""
    scale = ONE / alpha
    for k in range(len(y)):
        slope[k] *= ONE + scale * min(y[k], ZERO)
