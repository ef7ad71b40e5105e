"""Sums of HIP-NN's sensitivities and forces for one species as differentiable torch functions.

With one species and one interaction layer an atom's environment is e_is = sum_j s_s(r_ij), and a pair pulls
its atoms together by (G_i + G_j) . s'(r_ij) with G = dE/de. Both sums and their derivatives by G and by the
sensitivities' parameters are compiled loops over the pairs, so that a fit needs no array of pairs times
sensitivities.

s(r) = exp(-a (1/r - v)^2 / 2) cos^2(pi r / 2R), with v = 1/mu and a = sigma^2 of hippynn.
"""

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from votca_mlp.training.batches import Batch

_F = np.float32
_FAST = {"reassoc", "contract", "nsz", "arcp"}
_HALF, _ZERO = _F(0.5), _F(0.0)
_LOG2E = _F(1.4426950408889634)
_LOWEST = _F(-50.0)
# 2^f, |f| <= 1/2
_E0, _E1, _E2, _E3 = _F(1.0), _F(0.6931472067028329), _F(0.24022650922289554), _F(0.05550327226669895)
_E4, _E5, _E6 = _F(0.00961805667843204), _F(0.0013400428177711937), _F(0.00015461444724808513)
_SHIFT, _BIAS = np.int32(23), np.int32(127)
_CHUNK = 256  # pairs whose float32 sums join in float64


class EnvironmentSum(torch.autograd.Function):
    """(v [n], a [n], batch) -> environments [n_atoms, n]."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, a: Tensor, batch: Batch) -> Tensor:
        """Return the environments."""
        ctx.batch = batch
        ctx.save_for_backward(v, a)
        out = torch.zeros(len(batch.frame), len(v))
        _call(_environment, _pairs(batch), v, a, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        """Return derivatives by v and a."""
        v, a = ctx.saved_tensors
        out = torch.zeros(2, len(v), dtype=torch.float64)
        _call(_environment_backward, _pairs(ctx.batch), v, a, grad.contiguous(), out)
        by_v, by_a = out.float()
        return by_v, by_a, None


class ForceSum(torch.autograd.Function):
    """(G [n_atoms, n], v [n], a [n], batch) -> forces [n_atoms, 3]."""

    @staticmethod
    def forward(ctx: Any, slopes: Tensor, v: Tensor, a: Tensor, batch: Batch) -> Tensor:
        """Return the forces."""
        slopes = slopes.detach().contiguous()
        ctx.batch = batch
        ctx.save_for_backward(slopes, v, a)
        out = torch.zeros(len(slopes), 3)
        _call(_force, _pairs(batch), batch.directions, v, a, slopes, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Return derivatives by G, v and a."""
        slopes, v, a = ctx.saved_tensors
        by_slopes, out = torch.zeros_like(slopes), torch.zeros(2, len(v), dtype=torch.float64)
        batch, rest = ctx.batch, (v, a, slopes, grad.contiguous(), by_slopes, out)
        _call(_force_backward, _pairs(batch), batch.directions, *rest)
        by_v, by_a = out.float()
        return by_slopes, by_v, by_a, None


def _pairs(batch: Batch) -> list[Tensor]:
    return [batch.first, batch.second, batch.inverse, batch.cut, batch.cut_slope]


def _call(kernel: Any, pairs: list[Tensor], *tensors: Tensor) -> None:
    kernel(*(tensor.detach().numpy() for tensor in (*pairs, *tensors)))


@numba.njit(inline="always", fastmath=_FAST)
def _exp(y):  # type: ignore[no-untyped-def]
    """exp(y) for y <= 0; 2^-50 where it is less."""
    y = max(y * _LOG2E, _LOWEST)
    n = np.int32(y - _HALF)
    f = y - _F(n)
    p = _E0 + f * (_E1 + f * (_E2 + f * (_E3 + f * (_E4 + f * (_E5 + f * _E6)))))
    return p * np.int32((n + _BIAS) << _SHIFT).view(np.float32)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _environment(first, second, inverse, cuts, cut_slopes, v, a, out):  # type: ignore[no-untyped-def]
    n = len(v)
    values = np.empty(n, np.float32)
    for p in range(len(first)):
        x, cut, left, right = inverse[p], cuts[p], out[first[p]], out[second[p]]
        for s in range(n):
            q = x - v[s]
            values[s] = cut * _exp(-_HALF * a[s] * q * q)
        for s in range(n):
            left[s] += values[s]
        for s in range(n):
            right[s] += values[s]


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _environment_backward(first, second, inverse, cuts, cut_slopes, v, a, grad, out):  # type: ignore[no-untyped-def]
    n = len(v)
    by_v, by_a = np.zeros(n, np.float32), np.zeros(n, np.float32)
    for p in range(len(first)):
        x, cut, left, right = inverse[p], cuts[p], grad[first[p]], grad[second[p]]
        for s in range(n):
            q = x - v[s]
            base = (left[s] + right[s]) * cut * _exp(-_HALF * a[s] * q * q)
            by_v[s] += base * a[s] * q
            by_a[s] -= _HALF * base * q * q
        if p % _CHUNK == _CHUNK - 1 or p == len(first) - 1:
            out[0] += by_v
            out[1] += by_a
            by_v[:] = _ZERO
            by_a[:] = _ZERO


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _force(first, second, inverse, cuts, cut_slopes, directions, v, a, slopes, out):  # type: ignore[no-untyped-def]
    for p in range(len(first)):
        i, j, x, slope = first[p], second[p], inverse[p], cut_slopes[p]
        left, right = slopes[i], slopes[j]
        factor = x * x * cuts[p]
        strength = _ZERO
        for s in range(len(v)):
            q = x - v[s]
            strength += (left[s] + right[s]) * _exp(-_HALF * a[s] * q * q) * (a[s] * q * factor + slope)
        for k in range(3):
            out[i, k] += strength * directions[p, k]
            out[j, k] -= strength * directions[p, k]


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _force_backward(  # type: ignore[no-untyped-def]
    first, second, inverse, cuts, cut_slopes, directions, v, a, slopes, grad, by_slopes, out
):
    n = len(v)
    by_v, by_a = np.zeros(n, np.float32), np.zeros(n, np.float32)
    values = np.empty(n, np.float32)
    for p in range(len(first)):
        i, j, x, cut_slope = first[p], second[p], inverse[p], cut_slopes[p]
        left, right = slopes[i], slopes[j]
        factor = x * x * cuts[p]
        w = _ZERO
        for k in range(3):
            w += (grad[i, k] - grad[j, k]) * directions[p, k]
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
        for s in range(n):
            right[s] += values[s]
        if p % _CHUNK == _CHUNK - 1 or p == len(first) - 1:
            out[0] += by_v
            out[1] += by_a
            by_v[:] = _ZERO
            by_a[:] = _ZERO
