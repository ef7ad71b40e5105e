"""HIP-NN's layers after the first interaction, forward and backward, float32, compiled for the CPU.

Numbers are stored feature by feature, the atoms of a block beside each other, so that every loop runs over
many atoms in vector registers. The products are small and written out: a library's would round differently
for another number of threads.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_F = np.float32
# no "nnan"/"ninf": a broken configuration must give nan, not something plausible
_FAST = {"reassoc", "contract", "nsz", "arcp"}
_ZERO, _HALF, _ONE, _TWO = _F(0.0), _F(0.5), _F(1.0), _F(2.0)
_LOG2E, _LN2_HIGH, _LN2_LOW = _F(1.4426950408889634), _F(0.693359375), _F(-2.12194440e-4)
_LOWEST = _F(-87.0)  # e^x is a normal number from there on


class Layers(NamedTuple):
    """Layers z = softplus(weight x + bias), x' = back z + shift, plus x itself from the second one on.

    ``weights`` [n_layers, n_inner, n_in] and ``backs`` [n_layers, n_outer, n_inner] are filled up with zeros
    to the largest layer; ``inputs`` and ``inners`` say how much of them counts. biases [n_layers, n_inner],
    shifts [n_layers, n_outer]. The energy of an atom is the sum of ``exit`` [n_outer] times the last x'.
    """

    weights: Floats
    biases: Floats
    backs: Floats
    shifts: Floats
    inputs: NDArray[np.int64]
    inners: NDArray[np.int64]
    exit: Floats


@numba.njit(inline="always")
def _exponential(x):  # type: ignore[no-untyped-def]
    """Return e^x for x <= 0: 2^n times a polynomial on half a step of ln 2 on either side (Cephes' expf).

    Not to be compiled with "reassoc": ln 2 is taken away in two parts so as to lose no digits.
    """
    # a nan stays one through r
    n = np.floor(x * _LOG2E + _HALF)
    r = x - n * _LN2_HIGH - n * _LN2_LOW
    p = _F(1.9875691500e-4)
    p = p * r + _F(1.3981999507e-3)
    p = p * r + _F(8.3334519073e-3)
    p = p * r + _F(4.1665795894e-2)
    p = p * r + _F(1.6666665459e-1)
    p = p * r + _F(5.0000001201e-1)
    p = p * r * r + r + _ONE
    bits = (np.int32(n) + np.int32(127)) << np.int32(23)
    return p * np.int32(bits).view(np.float32)


@numba.njit(inline="always")
def _logarithm(e):  # type: ignore[no-untyped-def]
    """Return ln(1 + e) for 0 <= e <= 1, from the series of artanh(e / (2 + e))."""
    s = e / (_TWO + e)
    q = s * s
    p = _F(2.0 / 13.0) * q + _F(2.0 / 11.0)
    p = p * q + _F(2.0 / 9.0)
    p = p * q + _F(2.0 / 7.0)
    p = p * q + _F(2.0 / 5.0)
    p = p * q + _F(2.0 / 3.0)
    return (p * q + _TWO) * s


@numba.njit(cache=True, nogil=True, fastmath=_FAST - {"reassoc"}, error_model="numpy")
def softplus(hidden, slope):  # type: ignore[no-untyped-def]
    """Replace numbers by ln(1 + e^z), and fill ``slope`` with 1 / (1 + e^-z)."""
    for k in range(len(hidden)):
        z = hidden[k]
        size = abs(z)
        small = _exponential(_LOWEST if size > -_LOWEST else -size)
        share = _ONE / (_ONE + small)
        slope[k] = share if z >= _ZERO else small * share
        # half the sum of z and |z| is z where it is positive, and nan where z is
        hidden[k] = _HALF * (z + size) + _logarithm(small)


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _product(matrix, x, add, out):  # type: ignore[no-untyped-def]
    """out[o] = add[o] + sum over k of matrix[o, k] x[k], each x[k] and out[o] the numbers of all atoms."""
    for o in range(len(out)):
        row = out[o]
        row[:] = add[o]
        k = 0
        while k + 4 <= len(x):
            a, b, c, d = matrix[o, k], matrix[o, k + 1], matrix[o, k + 2], matrix[o, k + 3]
            x0, x1, x2, x3 = x[k], x[k + 1], x[k + 2], x[k + 3]
            for i in range(len(row)):
                row[i] += a * x0[i] + b * x1[i] + c * x2[i] + d * x3[i]
            k += 4
        while k < len(x):
            a, x0 = matrix[o, k], x[k]
            for i in range(len(row)):
                row[i] += a * x0[i]
            k += 1


@numba.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def energies_and_slopes(environment, layers, outputs):  # type: ignore[no-untyped-def]
    """Fill ``outputs`` [n_atoms] (float64); ``environment`` [n_atoms, n] becomes their gradient."""
    atoms, size = environment.shape
    count, inner, outer = len(layers.weights), layers.weights.shape[1], layers.backs.shape[1]
    most = max(size, outer)
    x, slope = np.zeros((most, atoms), np.float32), np.zeros((most, atoms), np.float32)
    nothing = np.zeros(max(most, inner), np.float32)
    hidden, derivative = np.empty((inner, atoms), np.float32), np.empty((count, inner, atoms), np.float32)
    out = np.empty((most, atoms), np.float32)
    for i in range(atoms):
        for s in range(size):
            x[s, i] = environment[i, s]
    for layer in range(count):
        n, m = layers.inputs[layer], layers.inners[layer]
        _product(layers.weights[layer], x[:n], layers.biases[layer], hidden[:m])
        for o in range(m):
            softplus(hidden[o], derivative[layer, o])
        _product(layers.backs[layer], hidden[:m], layers.shifts[layer], out[:outer])
        for o in range(outer):
            for i in range(atoms):
                x[o, i] = out[o, i] + (x[o, i] if layer else _ZERO)
    for i in range(atoms):
        total = _ZERO
        for o in range(outer):
            total += layers.exit[o] * x[o, i]
        outputs[i] = total
    for o in range(outer):
        slope[o] = layers.exit[o]
    for layer in range(count - 1, -1, -1):
        n, m = layers.inputs[layer], layers.inners[layer]
        _product(layers.backs[layer].T, slope[:outer], nothing, hidden[:m])
        for o in range(m):
            for i in range(atoms):
                hidden[o, i] *= derivative[layer, o, i]
        _product(layers.weights[layer].T, hidden[:m], nothing, out[:n])
        for s in range(n):
            for i in range(atoms):
                slope[s, i] = out[s, i] + (slope[s, i] if layer else _ZERO)
    for i in range(atoms):
        for s in range(size):
            environment[i, s] = slope[s, i]
