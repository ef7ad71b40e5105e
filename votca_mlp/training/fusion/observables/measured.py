"""Values by frame in chunks: memory is bounded by a chunk, whatever the number of frames.

Going forward only numbers are kept. Where the gradient of a loss comes back to a frame's numbers, the frame
is evaluated again with its graph and the gradient goes on into the model's parameters; then the graph is
dropped (gradient accumulation: a vector-Jacobian product chunk by chunk).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.observables.derivatives import derivatives_of_frames
from votca_mlp.training.fusion.observables.frames import StoredFrames

QUANTITIES = ("energy", "virial", "born")
"""What a model can be asked for, in the order of strain derivatives; see :class:`.StrainDerivatives`."""

ATOMS_AT_ONCE = 600
"""Of a chunk, unless it is given: some hundred megabytes for metals on second derivatives."""


def measure(
    model: PairModel, frames: StoredFrames, needs: Iterable[str], chunk: int | None = None
) -> dict[str, Tensor]:
    """Return values by frame, differentiable (once) in the model's parameters that require a gradient.

    Parameters
    ----------
    model
        In float64: as it is, nothing is converted.
    frames
        What to evaluate.
    needs
        Names of :data:`QUANTITIES`.
    chunk
        Frames at once; None: as many as have :data:`ATOMS_AT_ONCE` atoms.

    Returns
    -------
    values
        Those asked for, eV, [n_frames, ...], and volume, Angstrom^3, [n_frames].
    """
    wanted = set(needs)
    names = [name for name in QUANTITIES if name in wanted]
    if unknown := wanted - set(QUANTITIES):
        raise ValueError(f"no quantity of a model: {sorted(unknown)}")
    found = {"volume": frames.volumes}
    if not names:
        return found
    size = chunk or max(1, ATOMS_AT_ONCE // frames.n_atoms)
    parts = [slice(k, min(k + size, len(frames))) for k in range(0, len(frames), size)]
    parameters = [p for p in model.parameters() if p.requires_grad] if torch.is_grad_enabled() else []
    if parameters:
        values = _Chunked.apply(model, frames, names, parts, *parameters)  # type: ignore[no-untyped-call]
    else:
        values = _values(model, frames, names, parts)
    return found | dict(zip(names, values, strict=True))


class _Chunked(torch.autograd.Function):
    """(model, frames, names, parts, *parameters) -> values by name."""

    @staticmethod
    def forward(
        ctx: Any,
        model: PairModel,
        frames: StoredFrames,
        names: list[str],
        parts: Sequence[slice],
        *parameters: Tensor,
    ) -> tuple[Tensor, ...]:
        """Return the values."""
        ctx.of = model, frames, names, parts
        ctx.versions = [p._version for p in parameters]
        ctx.parameters = parameters
        return _values(model, frames, names, parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the derivatives by the parameters."""
        model, frames, names, parts = ctx.of
        if [p._version for p in ctx.parameters] != ctx.versions:
            raise RuntimeError("the parameters have changed since the values were measured")
        totals: list[Tensor | None] = [None] * len(ctx.parameters)
        for part in parts:
            of_part = [each[part] for each in gradients]
            for k, gradient in enumerate(
                _chunk_gradient(model, frames.take(part), names, ctx.parameters, of_part)
            ):
                if gradient is not None:
                    before = totals[k]
                    totals[k] = gradient if before is None else before + gradient
        return None, None, None, None, *totals


def _values(
    model: PairModel, frames: StoredFrames, names: list[str], parts: Sequence[slice]
) -> tuple[Tensor, ...]:
    chunks = [_chunk_values(model, frames.take(part), names, graph=False) for part in parts]
    return tuple(torch.cat(each) for each in zip(*chunks, strict=True))


def _chunk_gradient(
    model: PairModel,
    frames: StoredFrames,
    names: list[str],
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
) -> tuple[Tensor | None, ...]:
    with torch.enable_grad():
        values = _chunk_values(model, frames, names, graph=True)
        return torch.autograd.grad(values, parameters, gradients, allow_unused=True)


def _chunk_values(model: PairModel, frames: StoredFrames, names: list[str], *, graph: bool) -> list[Tensor]:
    order = max(QUANTITIES.index(name) for name in names)
    found = derivatives_of_frames(model, frames, order, graph=graph)
    return [getattr(found, name) for name in names]
