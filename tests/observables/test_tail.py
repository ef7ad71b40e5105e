"""The continuation of g(r) beyond half the box."""

import numpy as np
import pytest

from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.observables.structure_factor import partial_factors, shell_volumes
from votca_mlp.observables.tail import Tail, fitted_tail, tail_factors

TRUE = Tail(6.0, 0.2, 2.0, 0.7)


def counts(end: float, noise: float = 0.0) -> PairHistograms:
    """Return counts of a g(r) that is a known tail beyond 4 Angstrom, 0 below, to a given end."""
    r = np.arange(0.0, end, 0.02)
    g = np.where(r > 4.0, 1.0 + TRUE(np.maximum(r, 1.0)), 0.0)
    volume, number = 20000.0, 500
    expected = g * shell_volumes(r) * number**2 / (2.0 * volume)
    # as the mean of ten thousand frames is
    counted = np.random.default_rng(1).poisson(1e4 * expected) / 1e4 if noise else expected
    return PairHistograms(
        r, (("Ar", "Ar"),), counted[None, None, :], np.array([volume]), np.array([2.0 / number**2])
    )


def test_fitted_tail_is_the_tail() -> None:
    r = np.arange(0.05, 14.0, 0.1)
    found = fitted_tail(r, 1.0 + TRUE(r))
    assert found is not None
    x = np.linspace(14.0, 25.0, 200)
    assert np.abs(found(x) - TRUE(x)).max() < 0.1 * np.abs(TRUE(x)).max()


def test_noise_has_no_tail() -> None:
    r = np.arange(0.05, 14.0, 0.1)
    assert fitted_tail(r, 1.0 + 0.01 * np.random.default_rng(2).normal(size=len(r))) is None
    assert fitted_tail(r[:30], 1.0 + TRUE(r[:30])) is None


def test_no_bragg_peak_of_what_a_small_box_does_not_tell() -> None:
    """Hardly damped in 4 Angstrom: it may be noise, and is not carried on for 60."""
    r = np.arange(0.05, 9.3, 0.1)
    found = fitted_tail(r, 1.0 + 0.1 * np.cos(2.3 * r) / r)
    assert found is not None
    assert found.decay > 0.23
    assert found.wavenumber == pytest.approx(2.3, abs=0.1)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_short_range_with_its_tail_is_a_long_range(noise: float) -> None:
    q = np.linspace(0.4, 6.0, 60)
    short, long = counts(14.0, noise), counts(60.0)

    def factor(of: PairHistograms) -> np.ndarray:
        return np.asarray([partial_factors(of, q).mean()[0], tail_factors(of, q)[0]])

    cut, tail = factor(short)
    whole, _ = factor(long)
    before, after = np.abs(cut - whole).max(), np.abs(cut + tail - whole).max()
    assert before > 0.1
    assert after < 0.2 * before
