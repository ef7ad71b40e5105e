"""Amplitudes of several interactions averaged over, and errors of values that belong together."""

import numpy as np
import pytest

from votca_mlp.update.gauss_newton.amplitudes import averaged
from votca_mlp.update.gauss_newton.inference import Linear, infer
from votca_mlp.update.gauss_newton.pool import pooled
from votca_mlp.update.gauss_newton.response import Response, stacked
from votca_mlp.update.gauss_newton.solve import Wanted, solve

SIZE, COUNT = 6, 8
BOUNDS = (1e-3, 1e3)
GROUPS = np.repeat([0, 1], SIZE)


def problem(seed: int, large: float, small: float) -> tuple[Linear, np.ndarray]:
    """Return fewer data than coefficients of two interactions, whose sums alone are well known."""
    rng = np.random.default_rng(seed)
    truth = np.concatenate([large * rng.standard_normal(SIZE), small * rng.standard_normal(SIZE)])
    jacobian = rng.standard_normal((COUNT, 2 * SIZE))
    wanted = jacobian @ truth + 0.1 * rng.standard_normal(COUNT)
    variances = np.full(COUNT, 0.01)
    return Linear(jacobian, wanted, variances, np.eye(2 * SIZE), np.zeros(COUNT, bool)), truth


def test_against_a_sum_over_full_matrices() -> None:
    linear, _ = problem(1, 1.0, 0.3)
    common = infer(linear, amplitude=None, bounds=BOUNDS)
    found = averaged(linear, common, GROUPS, BOUNDS)
    choices = np.geomspace(common.amplitude / 5.0, common.amplitude * 5.0, 9)
    weights, means, covariances, tried = [], [], [], []
    for first in choices:
        for second in choices:
            prior = np.diag(np.where(GROUPS == 0, first, second) ** 2)
            spread = linear.jacobian @ prior @ linear.jacobian.T + np.diag(linear.variances)
            gain = prior @ linear.jacobian.T @ np.linalg.inv(spread)
            size = np.linalg.slogdet(spread)[1]
            weights.append(np.exp(-0.5 * (linear.wanted @ np.linalg.solve(spread, linear.wanted) + size)))
            means.append(gain @ linear.wanted)
            covariances.append(prior - gain @ linear.jacobian @ prior)
            tried.append((first, second))
    share = np.array(weights) / np.sum(weights)
    mean = share @ np.array(means)
    off = np.array(means) - mean
    covariance = np.einsum("k,kij->ij", share, np.array(covariances)) + (share[:, None] * off).T @ off
    # combinations of a weight below 1e-4 of the largest are left out
    assert found.inferred.coefficients == pytest.approx(mean, abs=2e-3)
    assert found.inferred.covariance == pytest.approx(covariance, abs=1e-2)
    assert found.amplitudes == pytest.approx(share @ np.array(tried), rel=0.02)


def test_errors_are_right_where_one_amplitude_is_not_enough() -> None:
    """One interaction is wrong, the other is not: that is found out, and the coefficients are nearer."""
    off: dict[str, list[np.ndarray]] = {"common": [], "own": []}
    spread: dict[str, list[np.ndarray]] = {"common": [], "own": []}
    inside, larger = [], 0
    for seed in range(40):
        linear, truth = problem(seed, 1.0, 0.05)
        common = infer(linear, amplitude=None, bounds=BOUNDS)
        own = averaged(linear, common, GROUPS, BOUNDS)
        for name, found in (("common", common), ("own", own.inferred)):
            off[name].append((found.coefficients - truth) ** 2)
            spread[name].append(np.diag(found.covariance))
        inside.append(off["own"][-1] < np.diag(own.inferred.covariance))
        larger += own.amplitudes[0] > own.amplitudes[1]
    assert larger > 34
    assert np.mean(off["own"]) < 0.75 * np.mean(off["common"])
    # eight data know little of the amplitudes: the errors are rather too large, but less than those of one
    assert np.mean(inside) > 0.66
    assert np.mean(spread["own"]) < np.mean(spread["common"])


def test_parts_that_scatter_together_widen_the_errors() -> None:
    """Values that all move together in a simulation: their sum is as uncertain as one of them."""
    rng = np.random.default_rng(4)
    jacobian, common = np.ones((20, 1)), rng.standard_normal((3, 40))
    runs = []
    for noise in common:
        parts = np.tile(noise[:, None], (1, 20))
        blocks = np.tile(jacobian, (40, 1, 1))
        runs.append(Response(parts.mean(axis=0), np.full(20, 1.0 / 40), blocks, parts=parts))
    places = [np.zeros(1)] * 3
    pool = pooled(runs, places, np.zeros(1))
    assert pool.moves is not None
    count = len(pool.moves)
    variance = (count - 1) / count * np.sum((pool.moves[:, 0] - pool.moves[:, 0].mean()) ** 2)
    assert variance == pytest.approx(np.mean([noise.var(ddof=1) for noise in common]) / 120, rel=1e-6)
    wanted = Wanted(np.zeros(20), np.full(20, 1e-8), np.ones(20), np.full(20, np.inf), np.zeros(20, bool))
    step = solve(pool, wanted, np.zeros(1), np.eye(1), amplitude=100.0, bounds=BOUNDS)
    assert step.covariance[0, 0] == pytest.approx(variance, rel=0.1)
    independent = [Response(run.values, run.variances, run.blocks) for run in runs]
    assert pooled(independent, places, np.zeros(1)).moves is None


def test_values_of_both_kinds_side_by_side() -> None:
    blocks = np.zeros((2, 3, 1))
    alone = Response(np.arange(3.0), np.ones(3), blocks)
    together = Response(np.zeros(3), np.ones(3), blocks, parts=np.array([[1.0] * 3, [-1.0] * 3]))
    both = stacked([alone, together])
    assert both.parts is not None
    assert both.parts.tolist() == [[0, 1, 2, 1, 1, 1], [0, 1, 2, -1, -1, -1]]
    assert stacked([alone, alone]).parts is None
