"""When the states of a run pull against each other: told from noise, and from a run under way."""

import numpy as np
import pytest

from votca_mlp.update.conflict import LIMIT, split_misfit

N = 160
ONE = np.ones((3, 1))
LINE = np.array([[1.0, -1.0], [1.0, 0.0], [1.0, 1.0]])
WEIGHTS = np.array([0.5, 0.3, 0.2])
BUMP = np.exp(-((np.linspace(-3, 3, N)) ** 2))


def blocks(mean: np.ndarray, rng: np.random.Generator, count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Mean and block error of noisy updates whose neighbouring points are correlated."""
    noise = rng.standard_normal((count, *mean.shape[:-1], mean.shape[-1] + 4))
    noise = sum(noise[..., k : k + mean.shape[-1]] for k in range(5)) / np.sqrt(5)
    samples = mean + 0.05 * np.sqrt(count) * noise
    return samples.mean(axis=0), samples.std(axis=0, ddof=1) / np.sqrt(count)


def split(mean: np.ndarray, seed: int, factors: np.ndarray = ONE):
    return split_misfit(*blocks(mean, np.random.default_rng(seed)), WEIGHTS, factors)


def test_noise_alone_is_about_one_and_no_conflict() -> None:
    found = [split(np.zeros((3, N)), seed) for seed in range(200)]
    # ten blocks inflate it by 9/7 at most
    assert 0.95 < np.mean([f.shared for f in found]) < 9 / 7
    assert 0.95 < np.mean([f.rest for f in found]) < 9 / 7
    assert sum(f.conflict for f in found) <= 4


def test_updates_that_cancel_are_a_conflict() -> None:
    against = np.array([1.0, -1.0, -1.0])[:, None] * BUMP
    assert abs(WEIGHTS @ against).max() < 1e-12
    found = [split(against, seed) for seed in range(50)]
    assert all(f.conflict for f in found)
    assert "rest" in str(found[0])


def test_a_run_under_way_is_none() -> None:
    under_way = np.array([1.0, 0.2, 0.1])[:, None] * BUMP
    found = split(under_way, 1)
    assert found.shared > LIMIT
    assert found.rest > LIMIT
    assert not found.conflict


def test_what_one_u_cannot_a_u_linear_in_temperature_can() -> None:
    line = np.array([-1.0, 0.0, 1.0])
    centred = (line - WEIGHTS @ line)[:, None] * BUMP
    assert split(centred, 2).conflict
    with_slope = split(centred, 2, LINE)
    assert with_slope.rest < LIMIT < with_slope.shared
    bent = np.array([1.0, -2.0, 1.0])
    # what is left of a bend beside the weighted straight line
    root = np.sqrt(WEIGHTS)
    basis, _ = np.linalg.qr(root[:, None] * LINE)
    rest = (root * bent - basis @ (basis.T @ (root * bent))) / root
    assert split(rest[:, None] * BUMP, 3, LINE).conflict


def test_the_parts_add_up() -> None:
    """The same errors in all states: W-weighted squares of the parts sum to those of the updates."""
    rng = np.random.default_rng(5)
    updates, errors = rng.standard_normal((3, N)), np.full((3, N), 0.7)
    found = split_misfit(updates, errors, np.full(3, 1 / 3), ONE)
    total = np.mean((updates**2).sum(axis=0)) / 0.49
    assert found.shared + 2 * found.rest == pytest.approx(total)


def test_without_the_size_of_the_errors_only_the_ratio_is_known() -> None:
    """Noise and a run under way do not look like a contradiction; updates that cancel do."""

    def unknown(mean: np.ndarray, seed: int):
        updates, _ = blocks(mean, np.random.default_rng(seed))
        return split_misfit(updates, np.full_like(updates, 7.0), WEIGHTS, ONE, known=False)

    assert not any(unknown(np.zeros((3, N)), seed).conflict for seed in range(200))
    assert not unknown(np.array([1.0, 0.2, 0.1])[:, None] * BUMP, 1).conflict
    found = unknown(np.array([1.0, -1.0, -1.0])[:, None] * BUMP, 1)
    assert found.conflict
    assert "rest over shared part" in str(found)


def test_nothing_is_known_without_errors_or_freedom() -> None:
    updates, errors = np.ones((3, N)), np.zeros((3, N))
    assert split_misfit(updates, errors, WEIGHTS, ONE) is None
    assert split_misfit(updates, np.full((3, N), np.nan), WEIGHTS, ONE) is None
    assert split_misfit(updates[:2], errors[:2] + 1, WEIGHTS[:2], LINE[:2]) is None
    # a state of weight 0 does not count
    assert split_misfit(updates, errors + 1, np.array([0.5, 0.5, 0.0]), LINE) is None
