"""A limit of u(r): the likeliest c within it, in the rule, and what is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.update.gauss_newton.test_states import answer, states, with_answer
from votca_mlp.units import EV_PER_KJMOL
from votca_mlp.update.gauss_newton.limit import SEEN, within
from votca_mlp.update.gauss_newton.options import GaussNewtonSettings
from votca_mlp.update.gauss_newton.report import in_words, read_report
from votca_mlp.update.gauss_newton.rule import GaussNewton


def test_the_nearest_within() -> None:
    """In two dimensions: the point of the box that the covariance's ellipses touch first."""
    mean, covariance = np.array([3.0, 0.2]), np.array([[1.0, 0.5], [0.5, 1.0]])
    found, cost = within(mean, covariance, np.eye(2))
    # c_0 = 1; the other follows the regression, c_1 = 0.2 + 0.5 (1 - 3)
    assert found == pytest.approx([1.0, -0.8])
    assert cost == pytest.approx(4.0)
    assert within(0.1 * mean, covariance, np.eye(2))[1] == 0.0
    moved, _ = within(mean, covariance, np.eye(2)[:1], np.array([1.5]))
    assert moved == pytest.approx([2.5, -0.05])


@pytest.mark.parametrize("scale", [1.0, 0.1, 1e-3])
def test_no_point_within_is_nearer(scale: float) -> None:
    """Many limits at once: none is broken, and no way from the found point into the box leads nearer."""
    rng = np.random.default_rng(1)
    root, rows, mean = rng.normal(size=(12, 12)), rng.normal(size=(80, 12)), rng.normal(size=12)
    covariance = root @ root.T
    found, cost = within(mean, covariance, rows / scale)
    assert np.abs(rows @ found).max() <= scale * (1 + 1e-8)
    slope = np.linalg.solve(covariance, found - mean)
    assert cost == pytest.approx((found - mean) @ slope, rel=1e-6)
    for other in rng.normal(size=(200, 12)):
        inside = other * scale / np.abs(rows @ other).max()
        assert slope @ (inside - found) >= -1e-8 * cost


def test_the_rule_keeps_it(tmp_path: Path) -> None:
    """At each state's temperature, where a target shows pairs; beyond them, and without it, as before."""
    step = states(tmp_path, 2)
    asked, _ = with_answer(step, answer(step))
    assert isinstance(asked.options, GaussNewtonSettings)

    def largest(of: GaussNewtonSettings) -> float:
        terms = GaussNewton().update(replace(asked, options=of), ["Ar-Ar"])["Ar-Ar"].terms
        sizes = []
        for state in asked.states:
            u = sum(f * t.y for f, t in zip(step.basis.values(state.temperature), terms, strict=True))
            sizes.append(np.abs(u[np.nan_to_num(state.targets["Ar-Ar"].values) > SEEN]).max())
        return float(max(sizes))

    free = largest(asked.options)
    report = read_report(step.directory)
    assert report is not None
    assert "limit" not in report["all"]
    assert free > 0.08
    limit = 0.03
    found = largest(asked.options.model_copy(update={"largest_u": limit * EV_PER_KJMOL}))
    assert found == pytest.approx(limit, rel=1e-6)
    report = read_report(step.directory)
    assert report is not None
    (line,) = (line for line in in_words(report) if "stays within" in line)
    assert "stays within 0.311 meV where g is above 0.3: chi2, summed over all data, is" in line
    assert report["all"]["limit"]["cost"] > 1.0
    # wide enough: nothing changes
    assert largest(asked.options.model_copy(update={"largest_u": 1.0})) == free
