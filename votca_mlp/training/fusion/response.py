"""Experiments' observables of one state by reweighted frames, and their derivatives by the parameters.

A parameter enters an observable directly, as in the stress, and through the frames' weights. Both are
collected as derivatives by the frames' energies, virials and Born terms; these go on into the parameters
chunk by chunk, so that memory is bounded whatever the number of frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.experiments import Experiment, RestExperiment
from votca_mlp.training.fusion.labels import flat
from votca_mlp.training.fusion.observables.derivatives import derivatives_of_frames
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.observables.measured import ATOMS_AT_ONCE, QUANTITIES
from votca_mlp.training.fusion.observables.protocol import Values
from votca_mlp.training.fusion.pool import StatePool

NUMBERS = {"energy": 1, "virial": 6, "born": 36}
"""That a frame has of each quantity."""


@dataclass(frozen=True)
class Response:
    """What a state's experiments are with some parameters.

    Attributes
    ----------
    values, errors
        Of the compared observables and their statistical errors (nan where unknown), [n_values].
    effective
        n_eff over all stored frames, see :meth:`.pool.StatePool.share`.
    rows
        d(values)/d(parameters), [n_values, n_parameters]; None where they were not asked for.
    spread
        Rows T with |T d|^2 near the variance of the frames' change of energy over kBT for a change d of the
        parameters, [n_probes or n_frames, n_parameters].
    """

    values: Tensor
    errors: Tensor
    effective: float
    rows: Tensor | None = None
    spread: Tensor | None = None


def respond(
    pool: StatePool,
    experiments: Sequence[Experiment],
    copies: Copies,
    *,
    probes: int | None = None,
    seed: int = 0,
) -> Response:
    """Return the observables of a state with the present parameters, with rows where ``probes`` is a number.

    The spread is known by so many random combinations of the frames; with 0 by every frame, exactly.
    """
    frames = pool.frames
    values = pool.values(copies, [each.observable for each in experiments])
    names = [name for name in QUANTITIES if name in values]
    leaves = [values[name].detach().requires_grad_(True) for name in names]
    values |= dict(zip(names, leaves, strict=True))
    with torch.enable_grad():
        weights = pool.weights(values["energy"])
        found = torch.cat([each.observable.value(weights, values)[each.used] for each in experiments])
    errors = torch.cat([_error(each, weights.detach(), values)[each.used] for each in experiments])
    effective = pool.share(values["energy"])
    if probes is None:
        return Response(found.detach(), errors, effective)
    slopes: list[tuple[Tensor | None, ...]] = [
        torch.autograd.grad(each, leaves, retain_graph=True, allow_unused=True) for each in found
    ]
    share, random = weights.detach(), torch.Generator().manual_seed(seed)
    if probes == 0:
        rows = _into_parameters(copies, frames, names, slopes)
        spread = pool.state.beta * _spread_of_frames(copies, frames, share)
        return Response(found.detach(), errors, effective, rows, spread)
    for _ in range(probes):
        signs = 2.0 * torch.randint(0, 2, share.shape, generator=random).double() - 1.0
        root = share.sqrt() * signs
        probe = pool.state.beta * (root - share * root.sum()) / probes**0.5
        slopes.append((probe, *[None] * (len(names) - 1)))
    rows = _into_parameters(copies, frames, names, slopes)
    return Response(found.detach(), errors, effective, rows[: len(found)], rows[len(found) :])


def respond_at_rest(experiments: Sequence[RestExperiment], copies: Copies, *, rows: bool = False) -> Response:
    """Return the observables of fixed configurations with the present parameters, with rows if asked for.

    Raises
    ------
    UserError
        A configuration that an observable is not defined for with this model.
    """
    with torch.set_grad_enabled(rows):
        found = torch.cat([each.observable.value(copies.double)[each.used] for each in experiments])
    errors = torch.zeros(len(found), dtype=torch.float64)
    slopes = torch.stack([flat(each, copies.parameters, keep=True) for each in found]) if rows else None
    return Response(found.detach(), errors, 1.0, slopes)


def _error(experiment: Experiment, weights: Tensor, values: Values) -> Tensor:
    return experiment.observable.error(weights, values)


def _spread_of_frames(copies: Copies, frames: StoredFrames, share: Tensor) -> Tensor:
    """Return rows whose squares sum to the covariance of dU/d(parameters), [n_frames, n_parameters], eV."""
    found = []
    for k in range(len(frames)):
        with torch.enable_grad():
            one = derivatives_of_frames(copies.double, frames.take(slice(k, k + 1)), 0, graph=True)
            found.append(flat(one.energy.sum(), copies.parameters))
    slopes = torch.stack(found)
    return share.sqrt().unsqueeze(1) * (slopes - share @ slopes)


def _into_parameters(
    copies: Copies, frames: StoredFrames, names: Sequence[str], slopes: Sequence[tuple[Tensor | None, ...]]
) -> Tensor:
    """Return sums over frames of slopes times d(quantities)/d(parameters), [n_slopes, n_parameters].

    With more slopes than numbers that a frame has (a whole g(r) by energies, say), each of these numbers is
    differentiated once and serves all slopes.
    """
    if sum(NUMBERS[name] for name in names) < len(slopes):
        return _number_by_number(copies, frames, names, slopes)
    order = max(QUANTITIES.index(name) for name in names)
    size = max(1, ATOMS_AT_ONCE // frames.n_atoms)
    total = torch.zeros(len(slopes), sum(p.numel() for p in copies.parameters), dtype=torch.float64)
    for begin in range(0, len(frames), size):
        part = slice(begin, begin + size)
        with torch.enable_grad():
            found = derivatives_of_frames(copies.double, frames.take(part), order, graph=True)
            quantities = [getattr(found, name) for name in names]
            for k, slope in enumerate(slopes):
                terms = [
                    (quantity * each[part]).sum()
                    for quantity, each in zip(quantities, slope, strict=True)
                    if each is not None
                ]
                total[k] += flat(torch.stack(terms).sum(), copies.parameters, keep=True)
    return total


def _number_by_number(
    copies: Copies, frames: StoredFrames, names: Sequence[str], slopes: Sequence[tuple[Tensor | None, ...]]
) -> Tensor:
    """Return the same sums from the derivatives of each number of each frame."""
    order = max(QUANTITIES.index(name) for name in names)
    total = torch.zeros(len(slopes), sum(p.numel() for p in copies.parameters), dtype=torch.float64)
    for k in range(len(frames)):
        with torch.enable_grad():
            found = derivatives_of_frames(copies.double, frames.take(slice(k, k + 1)), order, graph=True)
            for at, name in enumerate(names):
                numbers = getattr(found, name)[0].reshape(-1)
                none = torch.zeros(len(numbers), dtype=torch.float64)
                factors = torch.stack(
                    [none if (each := slope[at]) is None else each[k].reshape(-1) for slope in slopes]
                )
                for column, value in zip(factors.T, numbers, strict=True):
                    total += torch.outer(column, flat(value, copies.parameters, keep=True))
    return total
