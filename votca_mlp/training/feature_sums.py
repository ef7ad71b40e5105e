"""Sums of HIP-NN's sensitivities times features as differentiable torch functions: later interaction layers.

With features z an atom's environment is e_isf = sum_j s_s(r_ij) z_jf. Energies that depend on it through
G = dE/de depend on the features through h_jf = sum_i sum_s s_s(r_ij) G_isf and on a distance through
sum_s s'_s(r_ij) sum_f (G_isf z_jf + G_jsf z_if), which is a pair's strength. A loss on forces needs the
derivatives of all three by G, z and the sensitivities' parameters.

All are products of small matrices, atom by atom: sensitivities of its neighbours times their features, times
its slopes, or features times slopes. Rows of numbers are filled up with zeros to whole vectors.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.kernels.products import ROWS, add_to, dot, filled, product
from votca_mlp.kernels.simd import WIDTH
from votca_mlp.training.batches import Batch
from votca_mlp.training.sums import _FAST, _HALF, _ZERO, _exp

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Neighbours:
    """Each atom's neighbours of a batch of half pairs.

    Attributes
    ----------
    starts
        Where each atom's begin, [n_atoms + 1].
    others, pairs
        The neighbours and the numbers of their pairs, [2 n_pairs].
    """

    starts: NDArray[np.int64]
    others: NDArray[np.int64]
    pairs: NDArray[np.int64]
    inverse: Array
    cut: Array
    cut_slope: Array


def neighbours_of(batch: Batch) -> Neighbours:
    """Return both directions of a batch's pairs, by atom."""
    first, second = batch.first.numpy(), batch.second.numpy()
    order = np.argsort(np.concatenate([first, second]), kind="stable")
    counts = np.bincount(first, minlength=len(batch.frame)) + np.bincount(second, minlength=len(batch.frame))
    starts = np.concatenate([[0], np.cumsum(counts)])
    pairs = np.where(order < len(first), order, order - len(first))
    rows = (batch.inverse, batch.cut, batch.cut_slope)
    return Neighbours(
        starts, np.concatenate([second, first])[order], pairs, *(row.numpy()[pairs] for row in rows)
    )


class FeatureSum(torch.autograd.Function):
    """(z [n_atoms, f], v [n], a [n], neighbours) -> environments [n_atoms, n, f], to be derived twice."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, v: Tensor, a: Tensor, near: Neighbours) -> Tensor:
        """Return the environments."""
        ctx.near = near
        ctx.save_for_backward(z, v, a)
        return _summed(near, v, a, z)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        """Return derivatives by z, which have slopes of their own, and by v and a, which have none."""
        z, v, a = ctx.saved_tensors
        by_z: Tensor = SlopeSum.apply(grad, v, a, ctx.near)  # type: ignore[no-untyped-call]
        # a graph is made for forces, whose derivatives by the environments alone are asked for
        if torch.is_grad_enabled() or not (ctx.needs_input_grad[1] or ctx.needs_input_grad[2]):
            return by_z, None, None, None
        return by_z, *_by_parameters(ctx.near, v, a, grad, z), None


class SlopeSum(torch.autograd.Function):
    """(G [n_atoms, n, f], v [n], a [n], neighbours) -> slopes in the features [n_atoms, f]."""

    @staticmethod
    def forward(ctx: Any, slopes: Tensor, v: Tensor, a: Tensor, near: Neighbours) -> Tensor:
        """Return the slopes."""
        ctx.near = near
        ctx.save_for_backward(slopes, v, a)
        count, wide = slopes.shape[2], filled(slopes.shape[2])
        out = np.zeros(len(slopes) * wide, np.float32)
        _call(_slope_sum, near, v, a, _flat(slopes), wide, out)
        return torch.from_numpy(out).view(-1, wide)[:, :count].contiguous()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Return derivatives by G, v and a."""
        slopes, v, a = ctx.saved_tensors
        return _summed(ctx.near, v, a, grad), *_by_parameters(ctx.near, v, a, slopes, grad), None


class Strength(torch.autograd.Function):
    """(G [n_atoms, n, f], z [n_atoms, f], v, a, neighbours) -> dE/dr of the pairs, eV/Angstrom, [n_pairs]."""

    @staticmethod
    def forward(ctx: Any, slopes: Tensor, z: Tensor, v: Tensor, a: Tensor, near: Neighbours) -> Tensor:
        """Return the strengths."""
        ctx.near = near
        ctx.save_for_backward(slopes, z, v, a)
        out = np.zeros(len(near.pairs) // 2, np.float32)
        _call(_strength, near, v, a, near.pairs, _flat(slopes), _flat(z), filled(z.shape[1]), out)
        return torch.from_numpy(out)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
        """Return derivatives by G, z, v and a."""
        slopes, z, v, a = ctx.saved_tensors
        (atoms, count), wide = z.shape, filled(z.shape[1])
        by_slopes = np.zeros(atoms * filled(len(v)) * wide, np.float32)
        by_z, out = np.zeros(atoms * wide, np.float32), np.zeros((2, filled(len(v))))
        given = (near := ctx.near).pairs, _flat(slopes), _flat(z), wide, grad.detach().contiguous().numpy()
        _call(_strength_backward, near, v, a, *given, by_slopes, by_z, out)
        by_v, by_a = torch.from_numpy(out[:, : len(v)]).float()
        first = torch.from_numpy(by_slopes).view(atoms, -1, wide)[:, : len(v), :count].contiguous()
        return first, torch.from_numpy(by_z).view(-1, wide)[:, :count].contiguous(), by_v, by_a, None


def _summed(near: Neighbours, v: Tensor, a: Tensor, z: Tensor) -> Tensor:
    """Return environments [n_atoms, n, f] of features."""
    (atoms, count), wide = z.shape, filled(z.shape[1])
    out = np.zeros(atoms * filled(len(v)) * wide, np.float32)
    _call(_sum, near, v, a, _flat(z), wide, out)
    return torch.from_numpy(out).view(atoms, -1, wide)[:, : len(v), :count].contiguous()


def _by_parameters(
    near: Neighbours, v: Tensor, a: Tensor, slopes: Tensor, z: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the derivatives of the sum of G times environments by v and a."""
    out = np.zeros((2, filled(len(v))))
    _call(_parameters, near, v, a, _flat(slopes), _flat(z), filled(z.shape[1]), out)
    by_v, by_a = torch.from_numpy(out[:, : len(v)]).float()
    return by_v, by_a


def _flat(x: Tensor) -> Array:
    """Return numbers flat, rows filled up with zeros: features, and sensitivities where there are."""
    up = [0, filled(x.shape[-1]) - x.shape[-1]]
    if x.dim() == 3:
        up += [0, filled(x.shape[1]) - x.shape[1]]
    found: Array = torch.nn.functional.pad(x.detach(), up).contiguous().view(-1).numpy()
    return found


def _call(kernel: Any, near: Neighbours, v: Tensor, a: Tensor, *rest: Any) -> None:
    kernel(near.starts, near.others, near.inverse, near.cut, near.cut_slope, _flat(v), _flat(a), *rest)


@numba.njit(cache=True, nogil=True)
def _most(starts):  # type: ignore[no-untyped-def]
    """Return the most neighbours of an atom, filled up to rows of a product."""
    most = 0
    for i in range(len(starts) - 1):
        most = max(most, starts[i + 1] - starts[i])
    return filled(most, WIDTH)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _senses(begin, end, inverse, cuts, v, a, out):  # type: ignore[no-untyped-def]
    """Fill the sensitivities of an atom's neighbours [n_neighbours, n]."""
    n = len(v)
    for p in range(begin, end):
        x, cut, row = inverse[p], cuts[p], out[(p - begin) * n : (p - begin + 1) * n]
        for s in range(n):
            q = x - v[s]
            row[s] = cut * _exp(-_HALF * a[s] * q * q)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _bells(begin, end, inverse, v, a, out):  # type: ignore[no-untyped-def]
    """Fill the sensitivities without the cutoff [n_neighbours, n]."""
    n = len(v)
    for p in range(begin, end):
        x, row = inverse[p], out[(p - begin) * n : (p - begin + 1) * n]
        for s in range(n):
            q = x - v[s]
            row[s] = _exp(-_HALF * a[s] * q * q)


@numba.njit(cache=True, nogil=True)
def _gather(begin, end, others, z, wide, out):  # type: ignore[no-untyped-def]
    for p in range(begin, end):
        to, at = (p - begin) * wide, others[p] * wide
        out[to : to + wide] = z[at : at + wide]


@numba.njit(cache=True, nogil=True)
def _scatter(begin, end, others, x, wide, out):  # type: ignore[no-untyped-def]
    for p in range(begin, end):
        for f in range(0, wide, WIDTH):
            add_to(x, (p - begin) * wide + f, out, others[p] * wide + f)  # type: ignore[call-arg]


@numba.njit(cache=True, nogil=True)
def _turned(slopes, at, n, wide, out):  # type: ignore[no-untyped-def]
    """Fill out [wide, n] from slopes [n, wide]."""
    for s in range(n):
        for f in range(wide):
            out[f * n + s] = slopes[at + s * wide + f]


@numba.njit(cache=True, nogil=True)
def _sum(starts, others, inverse, cuts, cut_slopes, v, a, z, wide, out):  # type: ignore[no-untyped-def]
    n, most = len(v), _most(starts)
    values, near = np.empty(most * n, np.float32), np.empty(most * wide, np.float32)
    for i in range(len(starts) - 1):
        begin, end = starts[i], starts[i + 1]
        _senses(begin, end, inverse, cuts, v, a, values)
        _gather(begin, end, others, z, wide, near)
        product(n, wide, end - begin, values, 0, 1, n, near, 0, wide, out, i * n * wide, wide, False)


@numba.njit(cache=True, nogil=True)
def _slope_sum(starts, others, inverse, cuts, cut_slopes, v, a, slopes, wide, out):  # type: ignore[no-untyped-def]
    n, most = len(v), _most(starts)
    values, found = np.zeros(most * n, np.float32), np.empty(most * wide, np.float32)
    for i in range(len(starts) - 1):
        begin, end = starts[i], starts[i + 1]
        _senses(begin, end, inverse, cuts, v, a, values)
        tall = filled(end - begin, ROWS)
        product(tall, wide, n, values, 0, n, 1, slopes, i * n * wide, wide, found, 0, wide, False)
        _scatter(begin, end, others, found, wide, out)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _parameters(starts, others, inverse, cuts, cut_slopes, v, a, slopes, z, wide, out):  # type: ignore[no-untyped-def]
    n, most = len(v), _most(starts)
    values, near = np.zeros(most * n, np.float32), np.zeros(most * wide, np.float32)
    turned, both = np.empty(n * wide, np.float32), np.empty(most * n, np.float32)
    by_v, by_a = np.empty(n, np.float32), np.empty(n, np.float32)
    for i in range(len(starts) - 1):
        begin, end = starts[i], starts[i + 1]
        _senses(begin, end, inverse, cuts, v, a, values)
        _gather(begin, end, others, z, wide, near)
        _turned(slopes, i * n * wide, n, wide, turned)
        product(filled(end - begin, ROWS), n, wide, near, 0, wide, 1, turned, 0, n, both, 0, n, False)
        by_v[:] = _ZERO
        by_a[:] = _ZERO
        for p in range(begin, end):
            x = inverse[p]
            row = values[(p - begin) * n : (p - begin + 1) * n]
            b = both[(p - begin) * n : (p - begin + 1) * n]
            for s in range(n):
                q = x - v[s]
                base = b[s] * row[s]
                by_v[s] += base * a[s] * q
                by_a[s] -= _HALF * base * q * q
        out[0] += by_v
        out[1] += by_a


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _strength(starts, others, inverse, cuts, cut_slopes, v, a, pairs, slopes, z, wide, out):  # type: ignore[no-untyped-def]
    n, most = len(v), _most(starts)
    values, near = np.zeros(most * n, np.float32), np.zeros(most * wide, np.float32)
    turned, both = np.empty(n * wide, np.float32), np.empty(most * n, np.float32)
    for i in range(len(starts) - 1):
        begin, end = starts[i], starts[i + 1]
        _bells(begin, end, inverse, v, a, values)
        _gather(begin, end, others, z, wide, near)
        _turned(slopes, i * n * wide, n, wide, turned)
        product(filled(end - begin, ROWS), n, wide, near, 0, wide, 1, turned, 0, n, both, 0, n, False)
        for p in range(begin, end):
            x, slope = inverse[p], cut_slopes[p]
            factor = x * x * cuts[p]
            row = values[(p - begin) * n : (p - begin + 1) * n]
            for s in range(n):
                row[s] *= a[s] * (x - v[s]) * factor + slope
            out[pairs[p]] += dot(values, (p - begin) * n, both, (p - begin) * n, n)  # type: ignore[call-arg]


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _strength_backward(  # type: ignore[no-untyped-def]
    starts, others, inverse, cuts, cut_slopes, v, a, pairs, slopes, z, wide, grad, by_slopes, by_z, out
):
    n, most = len(v), _most(starts)
    values, near = np.zeros(most * n, np.float32), np.zeros(most * wide, np.float32)
    turned, both = np.empty(n * wide, np.float32), np.empty(most * n, np.float32)
    found = np.empty(most * wide, np.float32)
    by_v, by_a = np.empty(n, np.float32), np.empty(n, np.float32)
    for i in range(len(starts) - 1):
        begin, end = starts[i], starts[i + 1]
        tall = filled(end - begin, ROWS)
        _bells(begin, end, inverse, v, a, values)
        _gather(begin, end, others, z, wide, near)
        _turned(slopes, i * n * wide, n, wide, turned)
        product(tall, n, wide, near, 0, wide, 1, turned, 0, n, both, 0, n, False)
        by_v[:] = _ZERO
        by_a[:] = _ZERO
        for p in range(begin, end):
            x, cut_slope, w = inverse[p], cut_slopes[p], grad[pairs[p]]
            factor = x * x * cuts[p]
            row = values[(p - begin) * n : (p - begin + 1) * n]
            b = both[(p - begin) * n : (p - begin + 1) * n]
            for s in range(n):
                q = x - v[s]
                slope = a[s] * q * factor + cut_slope
                base = w * row[s]
                row[s] = base * slope
                base *= b[s]
                by_v[s] += base * a[s] * (q * slope - factor)
                by_a[s] += base * q * (factor - _HALF * q * slope)
        out[0] += by_v
        out[1] += by_a
        product(n, wide, end - begin, values, 0, 1, n, near, 0, wide, by_slopes, i * n * wide, wide, False)
        product(tall, wide, n, values, 0, n, 1, slopes, i * n * wide, wide, found, 0, wide, False)
        _scatter(begin, end, others, found, wide, by_z)
