"""The splines of u(r): ends, core, and what they can be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from votca_mlp.update.gauss_newton.basis import first_knot, spline_basis
from votca_mlp.update.gauss_newton.prior import prior_root

R = np.linspace(0.0, 1.0, 201)


@settings(deadline=None, max_examples=40)
@given(first=st.floats(0.05, 0.5), spacing=st.floats(0.01, 0.1))
def test_ends_and_core(first: float, spacing: float) -> None:
    """Value and slope zero at the cutoff; constant below the first knot, with slope zero at it."""
    basis = spline_basis(R, first, spacing)
    assert np.abs(basis.values[-1]).max() == 0.0
    assert np.abs(basis.slopes[-1]).max() < 1e-9
    core = first > R
    assert (basis.values[core] == basis.values[core][0]).all()
    assert basis.values[0, 0] == pytest.approx(1.0)
    fine = spline_basis(np.array([first - 1e-6, first, first + 1e-6, 1.0]), first, spacing)
    assert np.abs(np.diff(fine.values[:3], axis=0)).max() < 1e-6
    # neighbouring functions add up to 1 until the last ones, which are left out
    inside = R + 3.1 * spacing < 1.0
    assert basis.values[inside].sum(axis=1) == pytest.approx(1.0)
    # the slopes are those of the values
    numeric = np.gradient(basis.values, R, axis=0)
    smooth = np.flatnonzero(first + 0.03 < R)[:-2]
    scale = np.abs(basis.slopes).max()
    assert np.abs(numeric - basis.slopes)[smooth].max() < 0.35 * scale * (0.01 / spacing) + 0.05 * scale


def test_a_smooth_function_is_fitted() -> None:
    basis = spline_basis(R, 0.2, 0.02)
    u = np.exp(-(((R - 0.4) / 0.06) ** 2)) - 0.5 * np.exp(-(((R - 0.6) / 0.1) ** 2))
    u[R < 0.2] = u[R >= 0.2][0]
    assert np.abs(basis.values @ basis.fitted(u) - u).max() < 2e-3


def test_too_few_knots_are_refused() -> None:
    with pytest.raises(ValueError, match=r"only 2 intervals between 0\.9 and 1"):
        spline_basis(R, 0.9, 0.05)


def test_where_a_target_begins() -> None:
    g = np.where(R > 0.22, 1.0 + np.exp(-(((R - 0.28) / 0.02) ** 2)), 0.0)
    known = np.full(len(R), True)
    assert first_knot(R, g, known) == pytest.approx(0.225)
    # a ripple in the core is not the beginning
    g[20:22] = 0.1
    assert first_knot(R, g, known) == pytest.approx(0.225)
    known[:50] = False
    assert first_knot(R, g, known) == pytest.approx(0.25)


def test_prior_has_its_covariance() -> None:
    """Amplitude 1 at the peak, falling off with the third power, correlated over the length."""
    centres = np.linspace(0.2, 1.0, 17)
    root = prior_root(centres, 0.1, 0.4)
    covariance = root @ root.T
    envelope = (0.4 / centres) ** 3
    expected = envelope[:, None] * envelope * np.exp(-0.5 * ((centres[:, None] - centres) / 0.1) ** 2)
    assert covariance == pytest.approx(expected, rel=1e-4, abs=1e-4)
