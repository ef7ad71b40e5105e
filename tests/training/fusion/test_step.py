"""The step against the minimum that a plain solver finds, and its trust region."""

import pytest
import torch

from votca_mlp.training.fusion.step import Pinning, solve

DAMPING = 1e-3


def drawn(*shape: int, seed: int) -> torch.Tensor:
    """Return random numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("count", [12, 60])
def test_the_step_is_the_minimum(count) -> None:
    labels, rows, residuals = drawn(count, 30, seed=1), drawn(4, 30, seed=2), drawn(4, seed=3)
    gradient, weight = drawn(30, seed=4) * 0.1, 2.5
    # of H's range, as the gradient of labels is
    gradient = labels.T @ (torch.linalg.pinv(labels.T) @ gradient)
    damping = DAMPING * float(labels.square().sum()) / 30
    matrix = rows.T @ rows + weight * (labels.T @ labels + damping * torch.eye(30, dtype=torch.float64))
    expected = -torch.linalg.solve(matrix, rows.T @ residuals + gradient)
    found = solve(residuals, rows, gradient, Pinning(labels, DAMPING), weight, [drawn(3, 30, seed=5)], 1e30)
    torch.testing.assert_close(found.change, expected, rtol=1e-6, atol=1e-8)


def test_the_step_stays_in_the_trust_region_and_still_goes_downhill() -> None:
    labels, rows, residuals = drawn(40, 30, seed=1) * 0.01, drawn(4, 30, seed=2), drawn(4, seed=3)
    spreads, none = [drawn(5, 30, seed=6), drawn(5, 30, seed=7)], torch.zeros(30, dtype=torch.float64)
    free = solve(residuals, rows, none, Pinning(labels, DAMPING), 1.0, spreads, 1e30)
    bound = solve(residuals, rows, none, Pinning(labels, DAMPING), 1.0, spreads, 0.01 * free.variance)
    assert bound.variance <= 0.01 * free.variance
    for spread in spreads:
        assert float((spread @ bound.change).square().sum()) <= 0.0101 * free.variance
    before, after = residuals.square().sum(), (residuals + rows @ bound.change).square().sum()
    assert after < before
    # a shorter free step of the same variance does less
    short = (residuals + 0.1 * rows @ free.change).square().sum()
    assert after < short
