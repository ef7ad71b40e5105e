"""The step of the parameters: Gauss-Newton on experiments and labels at once, inside a trust region.

With residuals r of the experiments over their errors and J their derivatives, the labels' chi^2 / 2 with
gradient g and matrix H, the step minimises

    |r + J d|^2 / 2 + g d + d H d / 2 + mu |T d|^2 / 2 + damping |d|^2 / 2.

H pins energies and forces of the labels: the step goes where the experiments ask for a change and the labels
for none. |T d|^2 is the variance over stored frames of the change of U / kBT, twice the relative entropy of
the two ensembles: mu keeps it within what reweighting can follow.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

DAMPING = 1e-6
"""Of the mean diagonal element."""
TRIES = 12


@dataclass(frozen=True)
class Step:
    """A change of the parameters [n_parameters], and the largest variance of U / kBT that it should cause."""

    change: Tensor
    variance: float


def solve(
    residuals: Tensor, rows: Tensor, gradient: Tensor, matrix: Tensor, spreads: list[Tensor], most: float
) -> Step:
    """Return the step.

    Parameters
    ----------
    residuals, rows
        r [n] and J [n, n_parameters], over the errors.
    gradient, matrix
        g [n_parameters] and H [n_parameters, n_parameters].
    spreads
        T of each state.
    most
        Largest variance of U / kBT in any state.
    """
    normal = rows.T @ rows + matrix
    normal = normal + DAMPING * normal.diagonal().mean() * torch.eye(len(normal), dtype=normal.dtype)
    right = -(rows.T @ residuals + gradient)
    joint = torch.cat(spreads)
    limit = joint.T @ joint
    weight, change = 0.0, _solved(normal, right)
    variance = _variance(spreads, change)
    for _ in range(TRIES):
        if variance <= most:
            break
        weight = max(0.03, weight * 4.0)
        change = _solved(normal + weight * limit, right)
        variance = _variance(spreads, change)
    if variance > most:
        change, variance = change * (most / variance) ** 0.5, most
    return Step(change, variance)


def _variance(spreads: list[Tensor], change: Tensor) -> float:
    return max(float((spread @ change).square().sum()) for spread in spreads)


def _solved(matrix: Tensor, right: Tensor) -> Tensor:
    factor, info = torch.linalg.cholesky_ex(matrix)
    if int(info) != 0:
        # rounding has left an eigenvalue below 0
        shift = 1e-4 * matrix.diagonal().mean() * torch.eye(len(matrix), dtype=matrix.dtype)
        factor = torch.linalg.cholesky(matrix + shift)
    return torch.cholesky_solve(right.unsqueeze(1), factor).squeeze(1)
