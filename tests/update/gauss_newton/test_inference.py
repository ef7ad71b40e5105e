"""Amplitude, scatter and coefficients against the formulae written out with full matrices."""

from dataclasses import replace

import numpy as np
import pytest

from votca_mlp.update.gauss_newton.correlation import FrameCovariance
from votca_mlp.update.gauss_newton.inference import Linear, infer, nuisance_errors, reachable
from votca_mlp.update.gauss_newton.pool import pooled
from votca_mlp.update.gauss_newton.prior import prior_root
from votca_mlp.update.gauss_newton.response import Response
from votca_mlp.update.gauss_newton.solve import Wanted, solve

N, M = 80, 15


def problem(seed: int, amplitude: float, noise: float, robust: bool = True) -> tuple[Linear, np.ndarray]:
    """Return data made of coefficients from the prior, and these."""
    rng = np.random.default_rng(seed)
    root = prior_root(np.linspace(0.3, 1.0, M), 0.1, 0.5)
    jacobian = rng.standard_normal((N, M))
    truth = amplitude * root @ rng.standard_normal(M)
    wanted = jacobian @ truth + noise * rng.standard_normal(N)
    return Linear(jacobian, wanted, np.full(N, noise**2), root, np.full(N, robust)), truth


def test_against_full_matrices() -> None:
    """Without robust data: mean, covariance and the evidence's maximum of Gaussian inference."""
    linear, _ = problem(1, 0.7, 0.3, robust=False)
    found = infer(linear, amplitude=0.7, bounds=(0.1, 10.0))
    prior = 0.49 * linear.root @ linear.root.T
    sigma = np.diag(linear.variances)
    gain = prior @ linear.jacobian.T @ np.linalg.inv(linear.jacobian @ prior @ linear.jacobian.T + sigma)
    assert found.coefficients == pytest.approx(gain @ linear.wanted, rel=1e-6, abs=1e-9)
    assert found.covariance == pytest.approx(prior - gain @ linear.jacobian @ prior, rel=1e-6, abs=1e-8)

    def evidence(amplitude: float) -> float:
        spread = amplitude**2 * linear.jacobian @ linear.root @ linear.root.T @ linear.jacobian.T + sigma
        sign, size = np.linalg.slogdet(spread)
        return float(-0.5 * (linear.wanted @ np.linalg.solve(spread, linear.wanted) + sign * size))

    chosen = infer(linear, amplitude=None, bounds=(0.1, 10.0)).amplitude
    around = [evidence(chosen * factor) for factor in (0.9, 1.0, 1.1)]
    assert max(around) == around[1]
    assert found.log_evidence == pytest.approx(evidence(0.7), rel=1e-9)


@pytest.mark.parametrize("amplitude", [0.05, 1.0])
def test_amplitude_is_found(amplitude: float) -> None:
    """The geometric mean over several data sets, within what fifteen coefficients can say."""
    found = [
        infer(problem(seed, amplitude, 0.01)[0], amplitude=None, bounds=(1e-3, 30.0)).amplitude
        for seed in range(8)
    ]
    assert np.exp(np.mean(np.log(found))) == pytest.approx(amplitude, rel=0.25)


def test_scatter_beyond_the_errors_is_found() -> None:
    """Errors that are three times too small do not go into u: s says what is missing."""
    linear, truth = problem(3, 0.5, 0.3)
    small = Linear(linear.jacobian, linear.wanted, linear.variances / 9.0, linear.root, linear.robust)
    found = infer(small, amplitude=None, bounds=(1e-3, 30.0))
    assert 0.15 < found.scatter < 0.4
    assert np.abs(found.coefficients - truth).max() < 0.3


def test_a_flaw_loses_its_weight() -> None:
    """Three data of a hundred sigma leave the coefficients where the others put them, and stay unmet."""
    linear, truth = problem(4, 0.5, 0.05)
    flawed = linear.wanted.copy()
    flawed[10:13] += 5.0
    bad = Linear(linear.jacobian, flawed, linear.variances, linear.root, linear.robust)
    found = infer(bad, amplitude=None, bounds=(1e-3, 30.0))
    assert np.abs(found.coefficients - truth).max() < 0.1
    assert (np.abs(flawed - linear.jacobian @ found.coefficients)[10:13] > 4.0).all()
    left = reachable(bad, 30.0) / 0.05
    assert set(np.flatnonzero(np.abs(left) > 20.0)) >= {10, 11, 12}


def test_errors_are_right() -> None:
    """Over many data sets 68 % of the coefficients are inside one standard error."""
    inside = []
    for seed in range(30):
        linear, truth = problem(100 + seed, 0.5, 0.2)
        found = infer(linear, amplitude=None, bounds=(1e-3, 30.0))
        error = np.sqrt(np.diag(found.covariance))
        inside.append(np.abs(found.coefficients - truth) < error)
    assert 0.6 < np.mean(inside) < 0.76


def responses(jacobian: np.ndarray, places: list[np.ndarray], noise: float, seed: int) -> list[Response]:
    rng = np.random.default_rng(seed)
    return [
        Response(
            jacobian @ place + noise * rng.standard_normal(N),
            np.full(N, noise**2),
            jacobian + noise * rng.standard_normal((4, N, M)),
        )
        for place in places
    ]


def test_pooling_averages() -> None:
    """Four simulations at one place are as good as one of four times the length."""
    rng = np.random.default_rng(6)
    jacobian, place = rng.standard_normal((N, M)), rng.standard_normal(M)
    pool = pooled(responses(jacobian, [place] * 4, 0.2, 7), [place] * 4, place)
    assert pool.variances == pytest.approx(np.full(N, 0.01))
    assert np.std(pool.values - jacobian @ place) == pytest.approx(0.1, rel=0.2)
    # sixteen parts
    assert np.std(pool.jacobian - jacobian) == pytest.approx(0.05, rel=0.1)
    change = rng.standard_normal(M)
    expected = 0.0025 * change @ change
    assert pool.noise(change).mean() == pytest.approx(expected, rel=0.2)


def test_a_far_simulation_counts_little() -> None:
    rng = np.random.default_rng(8)
    jacobian, far = rng.standard_normal((N, M)), 10.0 * rng.standard_normal(M)
    here = np.zeros(M)
    runs = responses(jacobian, [far, here], 0.1, 9)
    pool = pooled(runs, [far, here], here)
    assert np.abs(pool.values - runs[1].values).max() < 0.02


def test_step_is_cut_to_what_is_trusted() -> None:
    linear, _ = problem(10, 1.0, 0.01)
    here = np.zeros(M)
    runs = responses(linear.jacobian, [here], 1e-3, 11)
    pool = pooled(runs, [here], here)
    full = np.full(N, 1.0)

    def step(largest: float) -> "np.ndarray":
        wanted = Wanted(linear.wanted, np.full(N, 1e-4), full, largest * full, np.full(N, True))
        found = solve(pool, wanted, here, linear.root, amplitude=1.0, bounds=(1e-3, 10.0))
        assert np.abs(found.predicted - pool.values).max() <= largest * 1.0001
        return found.coefficients

    free, cut = step(np.inf), step(0.5)
    assert np.abs(linear.jacobian @ free - linear.wanted).max() < 0.1
    ratio = cut / free
    assert ratio == pytest.approx(np.full(M, ratio[0]))
    assert 0.0 < ratio[0] < 1.0


def test_a_scale_and_a_background_are_integrated_out() -> None:
    """As two more coefficients with a prior so wide that it says nothing: mean, covariance, evidence."""
    linear, _ = problem(5, 0.7, 0.3, robust=False)
    nuisance = np.stack([np.sin(np.arange(N)), np.ones(N)], axis=1)
    data = replace(linear, wanted=linear.wanted + nuisance @ [3.0, -8.0], nuisance=nuisance)
    found = infer(data, amplitude=0.7, bounds=(0.1, 10.0))
    prior = 0.49 * linear.root @ linear.root.T
    wide = 1e4
    sigma = np.diag(linear.variances) + wide**2 * nuisance @ nuisance.T
    spread = linear.jacobian @ prior @ linear.jacobian.T + sigma
    gain = prior @ linear.jacobian.T @ np.linalg.inv(spread)
    assert found.coefficients == pytest.approx(gain @ data.wanted, rel=1e-4, abs=1e-6)
    assert found.covariance == pytest.approx(prior - gain @ linear.jacobian @ prior, rel=1e-4, abs=1e-6)
    # without a word of what their sizes are, the coefficients are less certain
    less = infer(linear, amplitude=0.7, bounds=(0.1, 10.0)).covariance
    assert np.all(np.diag(found.covariance) > np.diag(less))

    def evidence(amplitude: float) -> float:
        whole = amplitude**2 * linear.jacobian @ linear.root @ linear.root.T @ linear.jacobian.T + sigma
        return float(-0.5 * (data.wanted @ np.linalg.solve(whole, data.wanted) + np.linalg.slogdet(whole)[1]))

    other = infer(data, amplitude=0.3, bounds=(0.1, 10.0)).log_evidence
    assert found.log_evidence - other == pytest.approx(evidence(0.7) - evidence(0.3), abs=1e-3)
    of_data = linear.jacobian @ prior @ linear.jacobian.T + np.diag(linear.variances)
    wanted = np.sqrt(np.diag(np.linalg.inv(nuisance.T @ np.linalg.solve(of_data, nuisance))))
    assert nuisance_errors(data, found.noise, 0.7) == pytest.approx(wanted, rel=1e-6)
    # what only a nuisance explains is within reach
    assert np.abs(reachable(data, 0.7)).max() < 5 * 0.3


def test_errors_that_belong_together() -> None:
    """Noise whose sums are known far better than its parts: with its covariance, u is found far better."""
    far, near, inside = [], [], []
    for seed in range(12):
        linear, truth = problem(200 + seed, 0.5, 0.2)
        rng = np.random.default_rng(seed)
        # five smooth directions of the data have a hundredth of the noise, and u acts along these alone
        q = np.linalg.qr(rng.standard_normal((N, 5)))[0]
        shared = 0.04 * (np.eye(N) - 0.9999 * q @ q.T)
        jacobian = q @ q.T @ linear.jacobian
        wanted = jacobian @ truth + np.linalg.cholesky(shared) @ rng.standard_normal(N)
        alone = Linear(jacobian, wanted, np.full(N, 0.04), linear.root, linear.robust)
        both = replace(alone, variances=np.diag(shared), shared=shared)
        for problem_, errors in ((alone, far), (both, near)):
            found = infer(problem_, amplitude=0.5, bounds=(1e-3, 30.0))
            errors.append(np.std(q.T @ linear.jacobian @ (found.coefficients - truth)))
            band = np.sqrt(np.diag(found.covariance))
        inside.append(np.abs(found.coefficients - truth) < band)
    assert np.mean(near) < 0.1 * np.mean(far)
    assert 0.55 < np.mean(inside) < 0.8


def test_values_that_belong_together_are_pooled() -> None:
    """Two simulations: their mean with the covariance of one half, where neither has been moved."""
    rng = np.random.default_rng(5)
    q = np.linalg.qr(rng.standard_normal((N, 3)))[0]
    scatter = FrameCovariance(np.eye(N) - 0.999 * q @ q.T, 400.0, 3)
    jacobian, here = rng.standard_normal((N, M)), np.zeros(M)
    runs = [replace(run, scatter=scatter) for run in responses(jacobian, [here, here], 0.1, 12)]
    pool = pooled(runs, [here, here], here)
    assert pool.values == pytest.approx(0.5 * (runs[0].values + runs[1].values))
    assert pool.shared is not None
    share = 0.01 / np.mean(1.0 / np.diag(scatter.matrix)) ** -1 * 0.5
    assert pool.shared == pytest.approx(share * scatter.matrix, rel=1e-3, abs=1e-7)
    # too short to know how: as if they were independent
    short = [replace(run, scatter=replace(scatter, frames=10.0)) for run in runs]
    assert pooled(short, [here, here], here).shared is None
