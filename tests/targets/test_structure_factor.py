"""The transform from S(Q) against closed forms."""

from pathlib import Path

import numpy as np
import pytest

from votca_mlp.errors import UserError
from votca_mlp.tables import grid_points
from votca_mlp.targets.build import target_from_structure_factor
from votca_mlp.targets.measured import Measured
from votca_mlp.targets.structure_factor import (
    check_structure_factor,
    rdf_error,
    rdf_from_structure_factor,
)


def percus_yevick(q: np.ndarray, density: float, diameter: float) -> np.ndarray:
    """Return S(Q) of hard spheres in the Percus-Yevick approximation (Wertheim 1963).

    The direct correlation function inside the core is -(a + b x + c x^3), x = r/diameter, zero outside.
    """
    eta = np.pi / 6 * density * diameter**3
    a = (1 + 2 * eta) ** 2 / (1 - eta) ** 4
    b = -6 * eta * (1 + eta / 2) ** 2 / (1 - eta) ** 4
    c = eta * a / 2
    x, w = np.polynomial.legendre.leggauss(200)
    x, w = 0.5 * (x + 1) * diameter, 0.5 * w * diameter
    direct = -(a + b * x / diameter + c * (x / diameter) ** 3)
    transform = 4 * np.pi * np.sum(w * direct * x**2 * np.sinc(np.outer(q, x) / np.pi), axis=1)
    return 1 / (1 - density * transform)


def _data(q, s, sigma=None):
    return Measured(q, s, sigma, (), Path("sq.dat"))


def test_gaussian_hole():
    """h(r) = -exp(-r^2/2 s^2) has S = 1 - rho (2 pi s^2)^(3/2) exp(-Q^2 s^2/2)."""
    width, density = 0.9, 0.05
    q = np.arange(0.0, 12.0, 0.01)
    s = 1 - density * (2 * np.pi * width**2) ** 1.5 * np.exp(-((q * width) ** 2) / 2)
    r = np.arange(0.0, 10.01, 0.05)
    g = rdf_from_structure_factor(q, s, density, r, kind="none")
    np.testing.assert_allclose(g, 1 - np.exp(-(r**2) / (2 * width**2)), atol=2e-4)
    # straight lines between the points: the error falls with the square of their spacing
    coarse = rdf_from_structure_factor(q[::2], s[::2], density, r[1:], kind="none")
    exact = 1 - np.exp(-(r[1:] ** 2) / (2 * width**2))
    ratio = np.abs(coarse - exact).max() / np.abs(g[1:] - exact).max()
    assert ratio == pytest.approx(4.0, rel=0.05)


def test_hard_spheres():
    """Percus-Yevick: nothing inside the core and the known contact value (1 + eta/2)/(1 - eta)^2."""
    density, diameter = 0.05, 2.5
    eta = np.pi / 6 * density * diameter**3
    q = np.arange(0.0, 120.0, 0.02)
    s = percus_yevick(q, density, diameter)
    r = np.arange(0.3, 8.0, 0.05)
    g = rdf_from_structure_factor(q, s, density, r, kind="lorch")
    assert np.abs(g[r < 2.35]).max() < 0.01
    just_outside = rdf_from_structure_factor(q, s, density, np.array([2.56]), kind="lorch")[0]
    contact = (1 + eta / 2) / (1 - eta) ** 2
    assert just_outside < contact
    # the slope at contact is -4.5 eta (1 + eta)/(1 - eta)^3 per diameter
    slope = -4.5 * eta * (1 + eta) / (1 - eta) ** 3 / diameter
    assert just_outside == pytest.approx(contact + slope * 0.06, rel=0.02)


def test_round_trip_of_a_liquid():
    density = 0.0524
    r = np.arange(0.0, 60.0, 0.02)
    g = np.where(r > 2.2, 1 + 1.6 * np.exp(-(r - 2.77) / 2.0) * np.cos(2 * np.pi * (r - 2.77) / 2.4), 0.0)
    # a smooth rise, so that S(Q) ends before Qmax
    g *= 1 / (1 + np.exp(-(r - 2.45) / 0.06))
    q = np.arange(0.02, 40.0, 0.02)
    s = 1 + 4 * np.pi * density * np.trapezoid((g - 1) * r**2 * np.sinc(np.outer(q, r) / np.pi), r, axis=1)
    table, notes = target_from_structure_factor(_data(q, s), grid_points(0, 1, 0.005), density, kind="none")
    np.testing.assert_allclose(table.y, np.interp(table.x * 10, r, g), atol=0.01)
    assert any("window none" in note and "0.0524" in note for note in notes)
    assert any(note.startswith("core:") for note in notes)
    assert table.y[table.x < 0.15].max() == 0.0
    shorter, _ = target_from_structure_factor(_data(q[:600], s[:600]), grid_points(0, 1, 0.005), density)
    assert shorter.y.max() < table.y.max()


@pytest.mark.parametrize("kind", ["none", "lorch"])
def test_error_is_the_scatter_of_noisy_transforms(kind):
    rng = np.random.default_rng(0)
    q = np.arange(0.05, 15.0, 0.05)
    s, sigma, density = percus_yevick(q, 0.05, 2.5), 0.02 + 0.001 * q, 0.05
    r = np.array([0.5, 2.7, 5.0, 9.0])
    noisy = [
        rdf_from_structure_factor(q, s + sigma * rng.standard_normal(len(q)), density, r, kind=kind)
        for _ in range(2000)
    ]
    np.testing.assert_allclose(np.std(noisy, axis=0), rdf_error(q, sigma, density, r, kind=kind), rtol=0.1)


def test_bad_data_are_refused():
    q = np.arange(0.1, 12.0, 0.05)
    s = percus_yevick(q, 0.05, 2.5)
    with pytest.raises(UserError, match="averages to") as error:
        check_structure_factor(q, s - 1, 0.05)
    assert "S(Q) - 1" in str(error.value)
    with pytest.raises(UserError, match="number density of 52"):
        check_structure_factor(q, s, 52.0)
    with pytest.raises(UserError, match="ends at"):
        check_structure_factor(q[:50], s[:50], 0.05)
    with pytest.raises(UserError, match="Q begins"):
        check_structure_factor(q - 1, s, 0.05)
    with pytest.raises(UserError, match=r"sq\.dat"):
        target_from_structure_factor(_data(q, s + 0.5), grid_points(0, 1, 0.01), 0.05)
    coarse = q[::10]
    _, notes = target_from_structure_factor(
        _data(coarse, percus_yevick(coarse, 0.05, 2.5)), grid_points(0, 1, 0.01), 0.05
    )
    assert any("resolve g(r) only to 6.3 A" in note for note in notes)
