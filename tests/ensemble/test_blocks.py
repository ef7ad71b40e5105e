"""Block errors against the closed form of a correlated series."""

import numpy as np
import pytest

from votca_mlp.ensemble.blocks import block_error


def test_block_error_of_correlated_series() -> None:
    random = np.random.default_rng(5)
    phi, n = 0.9, 2**13
    true, found = np.sqrt((1 + phi) / (1 - phi) / n), []
    for _ in range(20):
        noise = random.standard_normal(n) * np.sqrt(1 - phi**2)
        series = np.empty(n)
        series[0] = random.standard_normal()
        for k in range(1, n):
            series[k] = phi * series[k - 1] + noise[k]
        found.append(block_error(series))
    # the largest of several noisy levels lies somewhat above
    assert 0.95 < np.mean(found) / true < 1.6
    assert block_error(random.standard_normal(n)) == pytest.approx(1 / np.sqrt(n), rel=0.6)


def test_too_short_has_no_error() -> None:
    assert block_error(np.arange(7.0)) is None
