"""Virials of HIP-NN with one species and one interaction layer, beside the forces of :mod:`.sums`.

A pair's energy changes with its distance by the same strength that forces have; the virial is the sum of
strength x distance x direction x direction, exact and cheap where forces are known.
"""

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from votca_mlp.training.batches import Batch
from votca_mlp.training.sums import _CHUNK, _FAST, _HALF, _ZERO, _exp

FULL = [0, 5, 4, 5, 1, 3, 4, 3, 2]
"""Where the elements of a tensor [3, 3] are in Voigt's order xx, yy, zz, yz, xz, xy."""

VOIGT = [0, 4, 8, 5, 2, 1]
"""Where xx, yy, zz, yz, xz, xy are in a tensor [9]."""


class VirialSum(torch.autograd.Function):
    """(G [n_atoms, n], v [n], a [n], batch) -> virials [n_frames, 6] in eV, Voigt's order.

    The sum over pairs of d x dU/dd: the stress times the volume, positive in tension.
    """

    @staticmethod
    def forward(ctx: Any, slopes: Tensor, v: Tensor, a: Tensor, batch: Batch) -> Tensor:
        """Return the virials."""
        slopes = slopes.detach().contiguous()
        ctx.batch = batch
        ctx.save_for_backward(slopes, v, a)
        out = np.zeros((len(batch.counts), 6))
        kernel: Any = _virial
        kernel(*_arrays(batch), v.detach().numpy(), a.detach().numpy(), slopes.numpy(), out)
        return torch.from_numpy(out).float()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Return derivatives by G, v and a."""
        slopes, v, a = ctx.saved_tensors
        by_slopes, out = np.zeros(slopes.shape, np.float32), np.zeros((2, len(v)))
        given = (v.detach().numpy(), a.detach().numpy(), slopes.numpy(), grad.contiguous().numpy())
        kernel: Any = _virial_backward
        kernel(*_arrays(ctx.batch), *given, by_slopes, out)
        by_v, by_a = torch.from_numpy(out).float()
        return torch.from_numpy(by_slopes), by_v, by_a, None


def _arrays(batch: Batch) -> tuple[Any, ...]:
    names = ("first", "second", "frame", "inverse", "cut", "cut_slope", "directions")
    return tuple(getattr(batch, name).numpy() for name in names)


@numba.njit(inline="always", fastmath=_FAST)
def _dyad(directions, p, k):  # type: ignore[no-untyped-def]
    rows, columns = (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)
    return directions[p, rows[k]] * directions[p, columns[k]]


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _virial(  # type: ignore[no-untyped-def]
    first, second, frame, inverse, cuts, cut_slopes, directions, v, a, slopes, out
):
    for p in range(len(first)):
        i, j, x, slope = first[p], second[p], inverse[p], cut_slopes[p]
        left, right = slopes[i], slopes[j]
        factor = x * x * cuts[p]
        strength = _ZERO
        for s in range(len(v)):
            q = x - v[s]
            strength += (left[s] + right[s]) * _exp(-_HALF * a[s] * q * q) * (a[s] * q * factor + slope)
        strength /= x
        for k in range(6):
            out[frame[i], k] += strength * _dyad(directions, p, k)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _virial_backward(  # type: ignore[no-untyped-def]
    first, second, frame, inverse, cuts, cut_slopes, directions, v, a, slopes, grad, by_slopes, out
):
    n = len(v)
    by_v, by_a = np.zeros(n, np.float32), np.zeros(n, np.float32)
    values = np.empty(n, np.float32)
    for p in range(len(first)):
        i, j, x, cut_slope = first[p], second[p], inverse[p], cut_slopes[p]
        left, right = slopes[i], slopes[j]
        factor = x * x * cuts[p]
        w = _ZERO
        for k in range(6):
            w += grad[frame[i], k] * _dyad(directions, p, k)
        w /= x
        for s in range(n):
            q = x - v[s]
            base = w * _exp(-_HALF * a[s] * q * q)
            slope = a[s] * q * factor + cut_slope
            values[s] = base * slope
            base *= left[s] + right[s]
            by_v[s] += base * a[s] * (q * slope - factor)
            by_a[s] += base * q * (factor - _HALF * q * slope)
        left, right = by_slopes[i], by_slopes[j]
        for s in range(n):
            left[s] += values[s]
            right[s] += values[s]
        if p % _CHUNK == _CHUNK - 1 or p == len(first) - 1:
            out[0] += by_v
            out[1] += by_a
            by_v[:] = _ZERO
            by_a[:] = _ZERO
