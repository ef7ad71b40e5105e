"""Errors of correlated series against the known answer of an autoregressive process."""

import numpy as np
import pytest

from votca_mlp.structure.blocks import (
    block_error,
    block_error_curve,
    detect_equilibration,
    mean_with_error,
    statistical_inefficiency,
)
from votca_mlp.structure.density import density, mean_density, total_mass


def _autoregressive(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    """Return x_{t+1} = phi x_t + noise; its statistical inefficiency is (1 + phi)/(1 - phi)."""
    noise = rng.standard_normal(n) * np.sqrt(1 - phi**2)
    x = np.empty(n)
    x[0] = rng.standard_normal()
    for t in range(1, n):
        x[t] = phi * x[t - 1] + noise[t]
    return x


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_inefficiency_and_error_of_a_known_process(phi):
    n = 20000
    x = _autoregressive(np.random.default_rng(4), n, phi)
    expected = (1 + phi) / (1 - phi)
    assert statistical_inefficiency(x) == pytest.approx(expected, rel=0.15)
    error = np.sqrt(expected / n)
    assert mean_with_error(x).error == pytest.approx(error, rel=0.1)
    assert block_error(x, 200) == pytest.approx(error, rel=0.25)
    assert abs(mean_with_error(x).mean) < 4 * error


def test_block_curve_rises_to_a_plateau():
    x = _autoregressive(np.random.default_rng(6), 2**15, 0.9)
    lengths, errors = block_error_curve(x)
    assert lengths[0] == 1
    assert lengths[-1] == 2**13
    assert errors[8] == pytest.approx(np.sqrt(19 / 2**15), rel=0.2)
    assert errors[0] < 0.3 * errors[8]


def test_block_error_of_independent_samples_is_the_standard_error():
    x = np.random.default_rng(0).standard_normal((12, 3))
    np.testing.assert_allclose(block_error(x, 1), x.std(axis=0, ddof=1) / np.sqrt(12))
    with pytest.raises(ValueError, match="1 blocks"):
        block_error(x, 7)


def test_equilibration_is_found():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(1000)
    x[:300] += np.linspace(20, 0, 300)
    found = detect_equilibration(x)
    assert 200 <= found.start <= 400
    assert found.effective_samples > 300


def test_short_and_constant_series():
    assert statistical_inefficiency(np.full(50, 3.0)) == 1.0
    assert np.isnan(mean_with_error(np.array([2.0])).error)
    assert detect_equilibration(np.zeros(5)).start == 0


def test_density_of_fcc_aluminium():
    mass = total_mass(["Al"] * 4)
    # lattice constant 4.0495 Angstrom, handbook density 2699 kg/m3
    assert density(mass, 4.0495**3) == pytest.approx(2699, abs=1.5)
    volumes = np.array([66.0, 67.0, 66.0, 67.0, 66.5, 66.5])
    mean = mean_density(mass, volumes)
    assert mean.mean == pytest.approx(density(mass, 66.5))
    assert mean.error == pytest.approx(mean.mean * mean_with_error(volumes).error / 66.5)
