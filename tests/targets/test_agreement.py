"""Agreement measures against closed forms, and their errors against resampling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from votca_mlp.errors import UserError
from votca_mlp.tables import make_table, read_table
from votca_mlp.targets.agreement import compare, compare_tables, main_peak

R = np.arange(0.0, 10.01, 0.05)


def _liquid(height: float = 2.6, position: float = 2.77) -> np.ndarray:
    wave = np.exp(-(R - position) / 2.5) * np.cos(2 * np.pi * (R - position) / 2.4)
    return np.where(position - 0.6 < R, 1 + (height - 1) * wave, 0.0)


def test_parabola_is_found_exactly():
    g = 3.0 - 1.7 * (R - 2.783) ** 2
    peak = main_peak(R, g)
    assert peak.position == pytest.approx(2.783)
    assert peak.height == pytest.approx(3.0)


def test_peak_error_is_the_scatter_of_noisy_peaks():
    rng = np.random.default_rng(0)
    g, error = 2.6 - 4.0 * (R - 2.78) ** 2, np.full(len(R), 0.0005)
    peaks = [main_peak(R, g + error * rng.standard_normal(len(R))) for _ in range(4000)]
    # noise well below the drop of one bin (0.01), where linear propagation holds
    expected = main_peak(R, g, error)
    assert np.std([p.position for p in peaks]) == pytest.approx(expected.position_error, rel=0.1)
    assert np.std([p.height for p in peaks]) == pytest.approx(expected.height_error, rel=0.1)


def test_measured_aluminium_peaks(data_dir):
    for temperature, position, height in ((943, 2.786, 2.833), (1023, 2.773, 2.633), (1323, 2.755, 2.220)):
        file = data_dir / "al_liquid_rdf" / f"liquid_al_{temperature}K.csv"
        r, g = np.loadtxt(file, delimiter=",", unpack=True)
        peak = main_peak(r, g)
        assert peak.position == pytest.approx(position, abs=6e-4)
        assert peak.height == pytest.approx(height, abs=6e-4)


def test_equal_functions_agree():
    same = compare(R, _liquid(), _liquid(), error=np.full(len(R), 0.01))
    assert (same.rms, same.largest, same.fit, same.chi2) == (0.0, 0.0, 1.0, 0.0)


def test_constant_offset():
    result = compare(R, _liquid() + 0.1, _liquid(), r_min=3.0, r_max=9.0)
    assert result.rms == pytest.approx(0.1)
    assert result.largest == pytest.approx(0.1)
    assert result.chi2 is None
    g = _liquid()[(R > 2.99) & (R < 9.01)]
    assert result.fit == pytest.approx(1 - 0.1 * len(g) / np.sum(2 * g + 0.1))


def test_chi2_is_one_within_noise():
    rng = np.random.default_rng(2)
    sigma, sigma_target = 0.02 * np.ones(len(R)), 0.03 * np.ones(len(R))
    values = [
        compare(
            R,
            _liquid() + sigma * rng.standard_normal(len(R)),
            _liquid() + sigma_target * rng.standard_normal(len(R)),
            error=sigma,
            target_error=sigma_target,
        ).chi2
        for _ in range(100)
    ]
    assert np.mean(values) == pytest.approx(1.0, abs=0.03)


def test_error_of_rms_is_its_scatter():
    rng = np.random.default_rng(3)
    target, sigma = _liquid(), np.full(len(R), 0.01)
    g = 1.1 * target
    found = [compare(R, g + sigma * rng.standard_normal(len(R)), target).rms for _ in range(2000)]
    assert compare(R, g, target, error=sigma).rms_error == pytest.approx(np.std(found), rel=0.1)
    assert np.isnan(compare(R, g, target).rms_error)


def test_bins_without_scatter_are_left_out_of_chi2():
    error = np.where(R > 5.0, 0.1, 0.0)
    result = compare(R, _liquid() + 0.1, _liquid(), error=error)
    assert result.chi2 == pytest.approx(1.0)
    assert compare(R, _liquid(), _liquid(), error=np.zeros(len(R))).chi2 is None


@given(st.floats(0.1, 3.0), st.floats(0.1, 3.0))
def test_fit_is_symmetric_and_bounded(a, b):
    one, other = compare(R, a * _liquid(), b * _liquid()), compare(R, b * _liquid(), a * _liquid())
    assert one.fit == pytest.approx(other.fit)
    assert 0.0 <= one.fit <= 1.0
    assert one.fit == pytest.approx(1 - abs(a - b) / (a + b))


def test_tables_and_refusals(tmp_path):
    table = make_table(R / 10, _liquid())
    assert compare_tables(table, table).rms == 0.0
    with pytest.raises(UserError, match="201 points"):
        compare_tables(table, make_table(R[:-1] / 10, _liquid()[:-1]))
    with pytest.raises(UserError, match="no point"):
        compare(R, _liquid(), _liquid(), r_min=11.0, r_max=12.0)
    flat = compare(R, np.zeros(len(R)), _liquid())
    assert np.isnan(flat.peak.height)
    assert flat.fit == pytest.approx(0.0)
    with pytest.raises(UserError):
        read_table(tmp_path / "none")
