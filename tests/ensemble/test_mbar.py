"""Weights of pooled frames against the closed form of harmonic oscillators."""

import numpy as np
import pytest

from votca_mlp.ensemble.mbar import pool_of
from votca_mlp.ensemble.weights import effective_sample_size, weights_of


def test_harmonic_oscillators() -> None:
    """x^2 k / 2 kB T: free energies ln(k_i/k_0)/2, and <x^2> = 1/k of a force constant that none had."""
    rng = np.random.default_rng(1)
    constants, counts = np.array([1.0, 2.0, 4.0]), [4000, 3000, 5000]
    x = np.concatenate([rng.standard_normal(n) / np.sqrt(k) for k, n in zip(constants, counts, strict=True)])
    pool = pool_of(0.5 * constants[:, None] * x**2, counts)
    assert pool.free_energies == pytest.approx(0.5 * np.log(constants), abs=0.02)
    weights = pool.weights(0.5 * 2.7 * x**2)
    assert weights.sum() == pytest.approx(1.0)
    assert weights @ x**2 == pytest.approx(1.0 / 2.7, rel=0.02)
    # better than from any simulation alone
    alone = weights_of(0.5 * (2.7 - 2.0) * x[4000:7000] ** 2, 1.0)
    assert effective_sample_size(weights) > 2 * effective_sample_size(alone)


def test_one_simulation_is_reweighting() -> None:
    rng = np.random.default_rng(2)
    energies, wanted = rng.standard_normal((2, 50))
    pool = pool_of(energies[None], [50])
    assert pool.weights(wanted) == pytest.approx(weights_of(wanted - energies, 1.0))
    assert pool.weights(energies) == pytest.approx(np.full(50, 0.02))


def test_shapes_are_looked_at() -> None:
    with pytest.raises(ValueError, match="energies are not of these"):
        pool_of(np.zeros((2, 10)), [5, 6])
