"""One step: from what the simulations say and the data ask for to new coefficients, with their errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.update.gauss_newton.amplitudes import Groups, averaged
from votca_mlp.update.gauss_newton.inference import (
    Inferred,
    Linear,
    infer,
    nuisance_errors,
    reachable,
    without,
)
from votca_mlp.update.gauss_newton.limit import within
from votca_mlp.update.gauss_newton.pool import Pooled

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Wanted:
    """The data.

    Attributes
    ----------
    values
        y*, shape [n].
    variances
        Squared standard errors of y*, 0 where they are not known, shape [n].
    weights
        Of each datum in the fit, shape [n]: the share of its state.
    largest
        By how much each value may change in one step, shape [n].
    robust, units, nuisance
        Data that may be wrong, the unit of their scatter, shape [n], and columns of unknown size; see
        :class:`votca_mlp.update.gauss_newton.inference.Linear`.
    simulated
        Whether the errors are those of a simulation, correlated as in the run's own.
    """

    values: Array
    variances: Array
    weights: Array
    largest: Array
    robust: Flags
    units: Array | None = None
    nuisance: Array | None = None
    simulated: bool = False


@dataclass(frozen=True)
class Step:
    """A step.

    Attributes
    ----------
    coefficients
        The new c, shape [m].
    covariance
        Of the c that the data ask for: posterior and noise of the Jacobian, shape [m, m].
    inferred
        That c before limit and trust region, with amplitude and scatter.
    share
        Of the way there that the step goes: 1 unless a change would be larger than is trusted.
    predicted
        y after the step, shape [n].
    left
        y - y* where the largest u(r) would end, shape [n].
    pooled_variances
        Of y, all simulations together, shape [n].
    nuisance_errors
        Standard errors of the sizes of the nuisance columns, shape [k].
    amplitudes
        Of each interaction, where each has its own, shape [n_interactions].
    limited
        By how much chi2 is larger because u has a limit; None without one.
    """

    coefficients: Array
    covariance: Array
    inferred: Inferred
    share: float
    predicted: Array
    left: Array
    pooled_variances: Array
    nuisance_errors: Array
    amplitudes: Array | None = None
    limited: float | None = None


def solve(
    pool: Pooled,
    wanted: Wanted,
    here: Array,
    root: Array,
    *,
    amplitude: float | None,
    bounds: tuple[float, float],
    groups: Groups | None = None,
    limits: Array | None = None,
) -> Step:
    """Return the step from ``here``.

    Parameters
    ----------
    pool
        What the simulations say at ``here``.
    wanted
        The data.
    here
        Present c, shape [m].
    root
        Of the prior's covariance for an amplitude of 1, shape [m, m].
    amplitude, bounds
        As :func:`votca_mlp.update.gauss_newton.inference.infer`.
    groups
        The interaction of each coefficient, where each has an amplitude of its own; see
        :func:`votca_mlp.update.gauss_newton.amplitudes.averaged`.
    limits
        Rows whose product with c is to be between -1 and 1, shape [k, m]; see
        :func:`votca_mlp.update.gauss_newton.limit.within`.
    """
    sigma2 = pool.variances + wanted.variances
    target = wanted.values - pool.values + pool.jacobian @ here
    change = np.zeros(len(here))

    def linear(change: Array, weights: Array) -> Linear:
        """The problem, where the noise of J counts with the distance."""
        variances, shared = sigma2 + pool.noise(change), None
        if pool.shared is not None and pool.scatter is not None:
            shared = pool.shared + pool.scatter.of_mean(wanted.variances) + pool.noise_together(change)
            variances = np.diag(shared).copy()
            shared = shared / np.sqrt(weights[:, None] * weights)
        return Linear(
            pool.jacobian,
            target,
            variances / weights,
            root,
            wanted.robust,
            wanted.units,
            wanted.nuisance,
            shared,
        )

    found: Inferred | None = None
    # the distance is not known before
    for _ in range(3):
        found = infer(linear(change, wanted.weights), amplitude=amplitude, bounds=bounds)
        change = found.coefficients - here
    assert found is not None
    amplitudes, scaled = None, root
    if groups is not None:
        mean = averaged(linear(change, wanted.weights), found, groups, bounds)
        found, amplitudes, scaled = mean.inferred, mean.amplitudes, mean.root
        change = found.coefficients - here
    cost: float | None = None
    if limits is not None:
        nearest, cost = within(found.coefficients, found.covariance, limits)
        change = nearest - here
    moved = pool.jacobian @ change
    with np.errstate(divide="ignore"):
        share = float(min(1.0, np.min(wanted.largest / np.maximum(np.abs(moved), 1e-300))))
    unmoved = linear(np.zeros(len(here)), np.ones(len(target)))
    return Step(
        coefficients=here + share * change,
        covariance=found.covariance + _scatter(pool, found, target, here, scaled, wanted.nuisance),
        inferred=found,
        share=share,
        predicted=pool.values + share * moved,
        left=-reachable(unmoved, bounds[1]),
        pooled_variances=pool.variances,
        nuisance_errors=np.zeros(0)
        if wanted.nuisance is None
        else nuisance_errors(unmoved, found.noise, found.amplitude),
        amplitudes=amplitudes,
        limited=cost,
    )


def _scatter(
    pool: Pooled, found: Inferred, target: Array, here: Array, root: Array, nuisance: Array | None
) -> Array:
    """Return the covariance of c that the noise of the Jacobian makes, by leaving out parts (jackknife).

    And, where the errors of the values belong together, of those: what the posterior has of them is for
    independent ones, and small beside it.
    """
    count = len(pool.blocks)
    if count < 3:
        return np.zeros_like(found.covariance)
    data = target - pool.jacobian @ here
    each = []
    moves = np.zeros((count, 1)) if pool.moves is None else pool.moves
    for block, move in zip(pool.blocks, moves, strict=True):
        jacobian = (count * pool.jacobian - block) / (count - 1)
        x = without(nuisance, jacobian @ root, found.noise)
        normal = x.T @ found.noise.solved(x) + np.eye(len(here)) / found.amplitude**2
        each.append(root @ np.linalg.solve(normal, x.T @ found.noise.solved(data - move + jacobian @ here)))
    deviations = np.array(each) - np.mean(each, axis=0)
    return np.asarray((count - 1) / count * deviations.T @ deviations)
