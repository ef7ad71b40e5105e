"""Covariances by frame and their block errors, against closed forms."""

import numpy as np
import pytest

from votca_mlp.ensemble.covariance import covariance, covariance_error
from votca_mlp.ensemble.weights import weights_of
from votca_mlp.errors import UserError

MATRIX = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.3, 2.0]])
"""x = MATRIX z with independent z of variance 1: the covariance of x is MATRIX MATRIX^T."""


def test_against_numpy_and_by_hand() -> None:
    x = np.random.default_rng(0).standard_normal((50, 5))
    expected = np.cov(x.T, bias=True)
    assert covariance(x[:, :2], x[:, 2:]) == pytest.approx(expected[:2, 2:], abs=1e-14)
    assert covariance(np.array([1.0, 3.0]), np.array([2.0, 8.0])) == pytest.approx(np.array([[3.0]]))


def test_weighted() -> None:
    """Weights that are multiplicities of frames."""
    x = np.random.default_rng(0).standard_normal((6, 2))
    times = np.array([1, 3, 0, 2, 2, 4])
    repeated = np.repeat(x, times, axis=0)
    assert covariance(x, x, times / times.sum()) == pytest.approx(covariance(repeated, repeated), abs=1e-14)


def test_large_means_leave_the_digits() -> None:
    x = np.random.default_rng(0).standard_normal(100)
    assert covariance(x + 1e8, x + 1e8)[0, 0] == pytest.approx(x.var(), rel=1e-6)


def test_error_of_independent_frames() -> None:
    """Gaussian values: var(c_ij) = (S_ii S_jj + S_ij^2) / n; the estimates are right on average."""
    random, exact = np.random.default_rng(2), MATRIX @ MATRIX.T
    n, found, errors = 400, [], []
    for _ in range(300):
        x = random.standard_normal((n, 3)) @ MATRIX.T
        found.append(covariance(x, x))
        errors.append(covariance_error(x, x, blocks=20) ** 2)
    expected = np.sqrt((np.outer(np.diag(exact), np.diag(exact)) + exact**2) / n)
    assert np.mean(found, axis=0) == pytest.approx(exact * (1 - 1 / n), abs=0.02)
    assert np.sqrt(np.mean(errors, axis=0)) == pytest.approx(expected, rel=0.1)
    assert np.std(found, axis=0) == pytest.approx(expected, rel=0.15)


def test_error_of_correlated_frames() -> None:
    """x_t = rho x_{t-1} + noise: products decay as rho^2t, so var(c) = 2/n (1 + rho^2)/(1 - rho^2)."""
    random, rho, n, samples = np.random.default_rng(3), 0.8, 4000, 200
    x = np.empty((n, samples))
    x[0] = random.standard_normal(samples)
    for t in range(1, n):
        x[t] = rho * x[t - 1] + np.sqrt(1 - rho**2) * random.standard_normal(samples)
    errors = [covariance_error(x[:, k], x[:, k], blocks=20)[0, 0] ** 2 for k in range(samples)]
    expected = np.sqrt(2 / n * (1 + rho**2) / (1 - rho**2))
    assert np.sqrt(np.mean(errors)) == pytest.approx(expected, rel=0.1)


def test_linear_response_of_a_harmonic_coordinate() -> None:
    """U = kBT (x^2/2 + l x): <x> = -l, so d<x>/dl = -cov(x, dU/dl)/kBT = -1, also where l is not 0."""
    x, kbt = np.random.default_rng(4).standard_normal(200_000), 0.05
    for shift in (0.0, 0.4):
        weights = weights_of(kbt * shift * x, kbt)
        response = -covariance(x, kbt * x, weights)[0, 0] / kbt
        assert response == pytest.approx(-1.0, abs=0.02)


def test_too_few_frames() -> None:
    for frames, blocks in ((5, 6), (100, 1)):
        with pytest.raises(UserError, match="cannot be cut into"):
            covariance_error(np.zeros(frames), np.zeros(frames), blocks)
