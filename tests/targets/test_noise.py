"""Where g(r) agrees with its target, on curves whose noise is known."""

import numpy as np
import pytest

from votca_mlp.targets.noise import beyond_noise, described_noise

R = np.arange(2.0, 10.001, 0.05)
SIGMA = 0.01


def words(difference: np.ndarray, variance: np.ndarray | None = None) -> str:
    known = np.full(len(R), SIGMA**2) if variance is None else variance
    return described_noise(beyond_noise(R, difference, known), R[0], R[-1])


def noise(seed: int) -> np.ndarray:
    return SIGMA * np.random.default_rng(seed).standard_normal(len(R))


def test_noise_alone_agrees() -> None:
    found = [words(noise(seed)) for seed in range(200)]
    # 32 windows of five points each: about one run in thirty has one beyond two standard errors
    assert found.count("g(r) agrees with its target within noise from 2 to 10 Angstrom") > 185


def test_what_differs_is_named() -> None:
    core = noise(1) + np.where(R < 2.45, 0.1, 0.0)
    expected = "g(r) agrees with its target within noise beyond 2.5 Angstrom; below it does not"
    assert words(core) == expected
    two = noise(1) + np.where((R > 2.99) & (R < 3.24), 0.1, 0.0) + np.where((R > 5.99) & (R < 6.74), 0.1, 0.0)
    assert words(two).endswith("from 2 to 10 Angstrom, but not at 3 to 3.25, 6 to 6.75")
    much = "g(r) does not agree with its target within noise in 75 % of 2 to 10 Angstrom: 2 to 8"
    assert words(noise(1) + 0.1 * (R < 7.98)) == much
    many = 0.1 * (((R - 2.49) % 1.0 < 0.24) & (R < 9.0))
    assert words(noise(1) + many).endswith(" and in 3 narrower ranges")
    assert "within noise anywhere" in words(noise(1) + 0.1)


def test_unknown_errors() -> None:
    assert "no errors are known" in words(noise(1), np.zeros(len(R)))
    # no pair has come closer than 2.5 Angstrom, where the target has a plateau
    variance = np.where(R < 2.48, 0.0, SIGMA**2)
    difference = np.where(R < 2.48, -0.2, noise(1))
    assert "beyond 2.5 Angstrom; below it does not" in words(difference, variance)


@pytest.mark.parametrize("points", [1, 3])
def test_a_range_shorter_than_a_window(points: int) -> None:
    found = beyond_noise(R[:points], np.full(points, 0.1), np.full(points, SIGMA**2))
    assert found is not None
    assert len(found) == 1
