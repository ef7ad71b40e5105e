"""The update shared by several states: the published rule, dropped points, and terms in temperature."""

import numpy as np
import pytest

from votca_mlp.update.states import shared_update, temperature_basis
from votca_mlp.update.wibi import wibi_update

R = np.arange(0.02, 1.0, 0.02)
KBT = np.array([7.84, 8.51, 11.0])
ALPHA = np.array([0.2, 0.5, 1.0])


def rdf(peak: float, height: float) -> np.ndarray:
    """A g(r) with an empty core."""
    g = 1.0 + height * np.exp(-(((R - peak) / 0.05) ** 2)) + 0.1 * np.cos(20.0 * R) * np.exp(-3.0 * R)
    return np.where(peak - 0.1 < R, g, 0.0)


G = [rdf(0.30, 1.4), rdf(0.28, 1.2), rdf(0.26, 0.8)]
TARGET = [rdf(0.29, 1.8), rdf(0.27, 1.0), rdf(0.28, 1.1)]


def states_updates() -> tuple[np.ndarray, np.ndarray]:
    """Each state's own update with a weight that vanishes at the cutoff, and where it is determined."""
    found = [
        wibi_update(g, target, kbt, alpha=alpha, weight=1.0 - R / R[-1])
        for g, target, kbt, alpha in zip(G, TARGET, KBT, ALPHA, strict=True)
    ]
    return np.stack([update for update, _ in found]), np.stack([flags == "i" for _, flags in found])


def msibi_rule(r_cut: float) -> np.ndarray:
    """Moore, Iacovella and McCabe 2014: V_{i+1} - V_i = -1/N sum_s alpha_s(r) kB T_s ln[g*_s/g_s].

    With their alpha_s(r) = alpha_s (1 - r/r_cut), written down point by point; where a g is zero their sum
    is not defined.
    """
    change = []
    for i, r in enumerate(R):
        total = 0.0
        for s in range(3):
            g, target = G[s][i], TARGET[s][i]
            both = g > 0 and target > 0
            term = ALPHA[s] * (1 - r / r_cut) * KBT[s] * np.log(target / g) if both else np.nan
            total -= term / 3
        change.append(total)
    return np.array(change)


def test_the_published_rule() -> None:
    updates, usable = states_updates()
    found = shared_update(updates, usable, np.full(3, 1 / 3), np.ones((3, 1)))
    expected = msibi_rule(float(R[-1]))
    defined = np.isfinite(expected)
    assert 20 < defined.sum() < len(R)
    np.testing.assert_allclose(found.terms[0][defined], expected[defined], rtol=1e-12, atol=1e-15)


def test_weights_need_not_be_normalised_and_zero_takes_a_state_out() -> None:
    updates, usable = states_updates()
    a = shared_update(updates, usable, np.array([0.1, 0.3, 0.6]), np.ones((3, 1))).terms
    b = shared_update(updates, usable, np.array([1.0, 3.0, 6.0]), np.ones((3, 1))).terms
    np.testing.assert_allclose(a, b, rtol=1e-14)
    alone = shared_update(updates, usable, np.array([0.0, 1.0, 0.0]), np.ones((3, 1)), start=14)
    own, flags = wibi_update(G[1], TARGET[1], KBT[1], alpha=ALPHA[1], weight=1.0 - R / R[-1])
    np.testing.assert_array_equal(alone.terms[0], own)
    assert list(alone.flags) == list(flags)


def test_an_undefined_point_leaves_its_state_out_of_that_sum_only() -> None:
    updates = np.array([[9.0, 1.0, 1.0, 1.0], [2.0, 3.0, 9.0, 2.0], [9.0, 5.0, 5.0, 3.0]])
    usable = np.array([[0, 1, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]], bool)
    weights = np.array([0.5, 0.3, 0.2])
    found = shared_update(updates, usable, weights, np.ones((3, 1)), start=3)
    third = (0.5 * 1.0 + 0.2 * 5.0) / 0.7
    second = 0.5 * 1.0 + 0.3 * 3.0 + 0.2 * 5.0
    np.testing.assert_allclose(found.terms[0], [second, second, third, 0.5 + 0.6 + 0.6])
    assert list(found.flags) == ["o", "i", "i", "i"]


class TestTemperatureTerms:
    def test_one_linear_in_temperature_comes_back(self) -> None:
        """Updates that are linear in T are met exactly by K = 2, whatever the weights."""
        temperatures, weights = [943.0, 1023.0, 1323.0], np.array([0.2, 0.5, 0.3])
        basis = temperature_basis(2, temperatures, weights)
        assert basis.reference == pytest.approx(0.2 * 943 + 0.5 * 1023 + 0.3 * 1323)
        assert basis.scale == pytest.approx(190.0)
        a, b = np.sin(9 * R), np.cos(7 * R)
        updates = np.stack([a + b * (t - basis.reference) / 190.0 for t in temperatures])
        factors = np.stack([basis.values(t) for t in temperatures])
        found = shared_update(updates, np.ones_like(updates, bool), weights, factors)
        np.testing.assert_allclose(found.terms, [a, b], atol=1e-13)

    def test_it_is_the_weighted_least_squares_fit(self) -> None:
        """Against the closed form of a weighted straight line (Bevington's sums)."""
        updates, _ = states_updates()
        x, w = np.array([-1.0, 0.1, 1.0]), np.array([0.2, 0.5, 0.3])
        factors = np.stack([np.ones(3), x], axis=1)
        found = shared_update(updates, np.ones_like(updates, bool), w, factors).terms
        s, sx, sxx = w.sum(), w @ x, w @ x**2
        sy, sxy = w @ updates, (w * x) @ updates
        determinant = s * sxx - sx**2
        np.testing.assert_allclose(found[0], (sxx * sy - sx * sxy) / determinant, atol=1e-12)
        np.testing.assert_allclose(found[1], (s * sxy - sx * sy) / determinant, atol=1e-12)

    def test_the_mean_at_the_reference_is_that_of_one_term(self) -> None:
        """c_1 averages to zero at T_ref, so u_0 changes as the single u does."""
        updates, _ = states_updates()
        temperatures, weights = [943.0, 1023.0, 1323.0], np.array([0.2, 0.5, 0.3])
        basis = temperature_basis(2, temperatures, weights)
        factors = np.stack([basis.values(t) for t in temperatures])
        usable = np.ones_like(updates, bool)
        two = shared_update(updates, usable, weights, factors).terms
        one = shared_update(updates, usable, weights, factors[:, :1]).terms
        np.testing.assert_allclose(two[0], one[0], atol=1e-12)

    def test_where_one_state_is_left_the_slope_is_held(self) -> None:
        factors = np.array([[1.0, -1.0], [1.0, 1.0]])
        updates = np.array([[5.0, 5.0, 1.0, 2.0], [0.0, 4.0, 3.0, 6.0]])
        usable = np.array([[0, 0, 1, 1], [0, 1, 1, 1]], bool)
        found = shared_update(updates, usable, np.array([0.5, 0.5]), factors, start=3)
        np.testing.assert_allclose(found.terms[1], [1.0, 1.0, 1.0, 2.0])
        # the state that is left is met exactly: 4 = u_0 + 1
        np.testing.assert_allclose(found.terms[0], [3.0, 3.0, 2.0, 4.0])
        assert list(found.flags) == ["o", "o", "i", "i"]

    def test_two_states_of_one_temperature_do_not_make_a_slope(self) -> None:
        """Two densities at one T and another T that drops out: one term is left to fit."""
        factors = np.array([[1.0, -1.0], [1.0, -1.0], [1.0, 1.0]])
        updates = np.array([[1.0, 1.0], [3.0, 3.0], [9.0, 4.0]])
        usable = np.array([[1, 1], [1, 1], [0, 1]], bool)
        found = shared_update(updates, usable, np.full(3, 1 / 3), factors, start=1)
        assert found.terms[0][1] - found.terms[1][1] == pytest.approx(2.0)
        assert found.terms[0][1] + found.terms[1][1] == pytest.approx(4.0)
        assert found.terms[1][0] == found.terms[1][1]
        assert found.terms[0][0] - found.terms[1][0] == pytest.approx(2.0)
        assert found.flags[0] == "o"

    def test_states_of_one_temperature_have_a_scale(self) -> None:
        assert temperature_basis(1, [300.0, 300.0], [1.0, 1.0]).values(300.0) == pytest.approx([1.0])


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="different states"):
        shared_update(np.ones((2, 3)), np.ones((2, 3), bool), np.ones(3), np.ones((2, 1)))
