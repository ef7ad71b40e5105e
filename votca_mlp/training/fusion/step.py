"""The step of the parameters: Gauss-Newton on experiments and labels at once, inside a trust region.

With residuals r of the experiments over their errors and J their derivatives, the labels' chi^2 / 2 with
gradient g and matrix H, the step d minimises

    |r + J d|^2 / 2 + g d + d H d / 2 + damping |d|^2 / 2 + mu |T d|^2 / 2.

Damping (K. Levenberg 1944, D. W. Marquardt 1963) keeps the step where the linearisation holds. H pins the
energies and forces of the labels: the step goes where the experiments ask for a change and labels for none.
|T d|^2 is the variance over stored frames of the change of U / kBT, twice the relative entropy of the two
ensembles: mu keeps it within what reweighting can follow. There are few rows in J and T, so that the inverse
of H is applied to them once and the rest is small matrices (Woodbury's identity).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

FIRST, FACTOR, TRIES = 0.03, 2.0, 40
"""Values of mu: the first above 0, and by what it grows."""


@dataclass(frozen=True)
class Step:
    """A change of the parameters [n_parameters], and the largest variance of U / kBT that it should cause."""

    change: Tensor
    variance: float


def square_of(rows: Tensor) -> Tensor:
    """Return the smaller one of R R^T and R^T R, which any damping can be added to."""
    count, parameters = rows.shape
    return rows @ rows.T if count < parameters else rows.T @ rows


class Pinning:
    """H = R^T R of the labels, with damping, applied inversely.

    Parameters
    ----------
    rows
        R, [n_rows, n_parameters].
    damping
        In units of the mean diagonal element of R^T R.
    labels
        False where there are no labels: the rows then only say how large the damping is.
    square
        :func:`square_of` the rows, where it has been made before.
    """

    def __init__(
        self, rows: Tensor, damping: float, *, labels: bool = True, square: Tensor | None = None
    ) -> None:
        count, parameters = rows.shape
        self.damping = damping * float(rows.square().sum()) / parameters
        self.rows = rows if labels and count < parameters else None
        self.factor: Tensor | None = None
        if labels:
            square = square_of(rows) if square is None else square
            shift = self.damping * torch.eye(len(square), dtype=rows.dtype)
            self.factor = torch.linalg.cholesky(square + shift)

    def solved(self, columns: Tensor) -> Tensor:
        """Return (H + damping)^-1 times columns [n_parameters, n]."""
        if self.factor is None:
            return columns / self.damping
        if self.rows is None:
            return torch.cholesky_solve(columns, self.factor)
        inner = torch.cholesky_solve(self.rows @ columns, self.factor)
        return (columns - self.rows.T @ inner) / self.damping


def solve(
    residuals: Tensor,
    rows: Tensor,
    gradient: Tensor,
    pinning: Pinning,
    weight: float,
    spreads: list[Tensor],
    most: float,
) -> Step:
    """Return the step.

    Parameters
    ----------
    residuals, rows
        r [n] and J [n, n_parameters], over the errors.
    gradient, pinning, weight
        g [n_parameters] with its weight, H without, and the weight.
    spreads
        T of each state.
    most
        Largest variance of U / kBT in any state.
    """
    joint = torch.cat([rows, *spreads])
    right = rows.T @ residuals + gradient
    solved = pinning.solved(torch.cat([joint, right.unsqueeze(0)]).T) / weight
    columns, direct = solved[:, :-1], solved[:, -1]
    inner, outer = joint @ columns, joint @ direct
    mu, variance = 0.0, float("inf")
    change = -direct
    for attempt in range(TRIES):
        mu = 0.0 if attempt == 0 else max(FIRST, mu * FACTOR)
        scale = torch.ones(len(joint), dtype=joint.dtype)
        scale[len(rows) :] = mu
        # (1 + S J H^-1 J^T)^-1 S with S = scale, which may be 0
        small = torch.eye(len(joint), dtype=joint.dtype) + scale.unsqueeze(1) * inner
        change = -direct + columns @ torch.linalg.solve(small, scale * outer)
        variance = _variance(spreads, change)
        if variance <= most:
            return Step(change, variance)
    return Step(change * (most / variance) ** 0.5, most)


def _variance(spreads: list[Tensor], change: Tensor) -> float:
    # without states there are no frames to reweight
    return max((float((spread @ change).square().sum()) for spread in spreads), default=0.0)
