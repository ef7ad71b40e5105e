"""ANI's networks for atoms of one species, forward and backward, float32, compiled for the CPU."""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.kernels.panels import panels_of, panels_product
from votca_mlp.kernels.products import dot, filled
from votca_mlp.kernels.simd import aligned
from votca_mlp.models.ani.polynomials import FAST, LOG2E, ONE, ZERO, F, exp2

Array = NDArray[np.float32]


class Networks(NamedTuple):
    """The networks of one species, rows filled up with zeros to whole vectors.

    Attributes
    ----------
    sizes
        Of the AEV and of each hidden layer, filled up.
    weights
        In the order in which they are read, in panels: [in, out] of the hidden layers of the first member,
        then [out, in] of them from the last to the first, then those of the next member.
    biases
        Of each hidden layer of the first member, and so on, flat.
    heads, shifts
        Weights [members, in] of the last layer, flat, and its biases [members].
    """

    sizes: NDArray[np.int64]
    weights: Array
    biases: Array
    heads: Array
    shifts: Array


def networks_of(layers: list[tuple[Tensor, Tensor]], read: list[int], columns: int) -> Networks:
    """Return the networks on some columns of the AEV.

    Parameters
    ----------
    layers
        Weight [members, out, in] and bias [members, 1, out] by layer.
    read
        The columns that are there, in the model's own AEV.
    columns
        How many there are when filled up.
    """
    *hidden, (head, shift) = [(w.detach().numpy(), b.detach().numpy()[:, 0]) for w, b in layers]
    sizes = [columns, *(filled(weight.shape[1]) for weight, _ in hidden)]
    members = len(head)
    weights, biases = [], []
    for m in range(members):
        forward = []
        for k, (weight, bias) in enumerate(hidden):
            own = np.zeros((sizes[k], sizes[k + 1]), np.float32)
            if k:
                own[: weight.shape[2], : weight.shape[1]] = weight[m].T
            else:
                own[: len(read), : weight.shape[1]] = weight[m][:, read].T
            forward.append(own)
            biases.append(np.zeros(sizes[k + 1], np.float32))
            biases[-1][: bias.shape[1]] = bias[m]
        weights += [panels_of(own) for own in forward] + [panels_of(own.T) for own in reversed(forward)]
    heads = np.zeros((members, sizes[-1]), np.float32)
    heads[:, : head.shape[2]] = head[:, 0]
    # no vector across two lines of the cache
    flat = aligned(np.concatenate(weights))
    return Networks(np.array(sizes), flat, np.concatenate(biases), heads.ravel(), shift[:, 0].copy())


@numba.njit(inline="always", fastmath=FAST)
def _celu(x, begin, rows, biases, at, size, alpha):  # type: ignore[no-untyped-def]
    """x [rows, size], from ``begin`` on, becomes CELU(x + bias)."""
    # the compiler reads arrays in vectors where they begin at zero, else number by number
    scale, own = F(LOG2E) / alpha, biases[at : at + size]
    for r in range(rows):
        row = x[begin + r * size : begin + (r + 1) * size]
        for k in range(size):
            value = row[k] + own[k]
            row[k] = max(value, ZERO) + alpha * (exp2(min(value, ZERO) * scale) - ONE)


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _celu_back(slope, y, alpha):  # type: ignore[no-untyped-def]
    """slope times CELU's slope where y = CELU(x): 1 above zero, exp(x / alpha) = 1 + y / alpha below."""
    scale = ONE / alpha
    for k in range(len(y)):
        slope[k] *= ONE + scale * min(y[k], ZERO)


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def evaluate(rows, networks, alpha, environment, slopes, outputs):  # type: ignore[no-untyped-def]
    """Fill outputs [members, rows] and slopes [rows, columns] = d(mean output)/d(environment).

    environment [rows, columns]; both flat. rows is a multiple of ROWS.
    """
    sizes, members = networks.sizes, len(networks.shifts)
    layers, last = len(sizes) - 1, sizes[len(sizes) - 1]
    widest = sizes[1:].max()
    hidden = np.empty(rows * sizes[1:].sum(), np.float32)
    slope, other = np.empty(rows * widest, np.float32), np.empty(rows * widest, np.float32)
    weight = bias = 0
    for member in range(members):
        begin = end = 0
        for k in range(layers):
            source, before = (environment, 0) if k == 0 else (hidden, begin)
            begin, width, size = end, sizes[k], sizes[k + 1]
            panels_product(rows, size, width, source, before, networks.weights, weight, hidden, begin, False)
            _celu(hidden, begin, rows, networks.biases, bias, size, alpha)
            end += rows * size
            weight += width * size
            bias += size
        head = networks.heads[member * last : (member + 1) * last]
        for r in range(rows):
            outputs[member, r] = networks.shifts[member] + dot(hidden, begin + r * last, head, 0, last)
            row = slope[r * last : (r + 1) * last]
            for k in range(last):
                row[k] = head[k] / F(members)
        for k in range(layers - 1, -1, -1):
            width, size = sizes[k], sizes[k + 1]
            _celu_back(slope[: rows * size], hidden[begin : begin + rows * size], alpha)
            if k:
                panels_product(rows, width, size, slope, 0, networks.weights, weight, other, 0, False)
                slope, other = other, slope
                begin -= rows * width
            else:
                panels_product(rows, width, size, slope, 0, networks.weights, weight, slopes, 0, member > 0)
            weight += width * size
