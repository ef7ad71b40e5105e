"""Weights of frames and what they are worth, against closed forms."""

import numpy as np
import pytest

from votca_mlp.ensemble.weights import effective_sample_size, weights_of


def test_weights_are_boltzmann_factors() -> None:
    changes = np.array([0.0, 0.1, -0.3])
    factors = np.exp(-changes / 0.09)
    assert weights_of(changes, 0.09) == pytest.approx(factors / factors.sum(), rel=1e-14)


def test_a_constant_cancels_however_large() -> None:
    changes = np.array([0.02, -0.05, 0.11, 0.0])
    expected = weights_of(changes, 0.09)
    for constant in (1e6, -1e6):
        weights = weights_of(changes + constant, 0.09)
        # what is left of the differences in float64 beside the constant
        assert weights == pytest.approx(expected, rel=1e-8)
        assert weights.sum() == pytest.approx(1.0, abs=1e-15)


def test_effective_sample_size_of_limits() -> None:
    assert effective_sample_size(np.full(160, 1 / 160)) == pytest.approx(160)
    assert effective_sample_size(weights_of(np.array([0.0, 1e4, 1e4]), 0.09)) == 1.0
    assert effective_sample_size(np.array([2.0, 2.0, 0.0, 0.0])) == 2.0


def test_gaussian_energies() -> None:
    """A coordinate x of variance 1 in U = kBT x^2/2, shifted by dU = -kBT a x, samples exp(-(x - a)^2/2).

    So the mean moves to a, and the effective size is n exp(-a^2).
    """
    x, a, kbt = np.random.default_rng(1).standard_normal(400_000), 0.5, 0.088
    weights = weights_of(-kbt * a * x, kbt)
    assert weights @ x == pytest.approx(a, abs=5 * np.sqrt(np.exp(a * a) / len(x)))
    assert effective_sample_size(weights) == pytest.approx(len(x) * np.exp(-a * a), rel=0.01)
