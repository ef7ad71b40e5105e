"""The simulations of all iterations as one: Jacobian, and the values that they predict for the present u(r).

The Jacobian of one simulation is noisy and changes slowly: that of all is their mean. Values of an earlier
simulation, moved along the Jacobian to the present u(r), count by their errors, the noise of the Jacobian and
the error of a linear prediction over such a distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.update.gauss_newton.correlation import FrameCovariance, together
from votca_mlp.update.gauss_newton.response import Response

Array = NDArray[np.float64]

CURVATURE = 0.25
"""Of a linear prediction, what part of the predicted change it may be wrong by."""


@dataclass(frozen=True)
class Pooled:
    """What all simulations say together about the present u(r).

    Attributes
    ----------
    values, variances
        y at the present c, and its squared standard error, shape [n].
    jacobian
        Shape [n, m].
    blocks
        The Jacobian from each part of each simulation, shape [n_blocks, n, m].
    shared
        The covariance of the values where their errors belong together, shape [n, n]; None where that is not
        asked for, or not known yet.
    scatter
        How the data of one frame scatter, known with it.
    moves
        By what the values change where one of the blocks is left out, shape [n_blocks, n]; None where their
        errors are taken as independent. As jackknife replicates they have the errors' covariance.
    """

    values: Array
    variances: Array
    jacobian: Array
    blocks: Array
    shared: Array | None = None
    scatter: FrameCovariance | None = None
    moves: Array | None = None

    def noise(self, change: Array) -> Array:
        """Return the variance that the noise of the Jacobian gives to J times a change of c, shape [n]."""
        if len(self.blocks) < 2:
            return np.zeros(len(self.values))
        each = self.blocks @ change
        return np.asarray(each.var(axis=0, ddof=1) / len(each))

    def noise_together(self, change: Array) -> Array:
        """Return the covariance whose diagonal is :meth:`noise`, shape [n, n]."""
        each = self.blocks @ change
        each = each - each.mean(axis=0)
        return np.asarray(each.T @ each / (len(each) * max(len(each) - 1, 1)))


def pooled(runs: Sequence[Response], coefficients: Sequence[Array], here: Array) -> Pooled:
    """Return what several simulations say about the c of the last.

    Parameters
    ----------
    runs
        Each simulation's values and Jacobian, over the same c.
    coefficients
        The c that each ran with, shape [m].
    here
        The c asked for, shape [m].
    """
    blocks = np.concatenate([run.blocks for run in runs])
    jacobian = np.asarray(blocks.mean(axis=0))
    found = Pooled(runs[-1].values, runs[-1].variances, jacobian, blocks)
    moved = [jacobian @ (here - coefficient) for coefficient in coefficients]
    curved = [(CURVATURE * by) ** 2 for by in moved]
    sampled = [run.variances + found.noise(here - c) for run, c in zip(runs, coefficients, strict=True)]
    values = [run.values + by for run, by in zip(runs, moved, strict=True)]
    scatters = [run.scatter for run in runs if run.scatter is not None]
    scatter = together(scatters) if len(scatters) == len(runs) else None
    if scatter is not None:
        mean, shared = _together(
            values, [scatter.of_mean(v) + np.diag(c) for v, c in zip(sampled, curved, strict=True)]
        )
        return Pooled(mean, np.diag(shared).copy(), jacobian, blocks, shared, scatter)
    variances = [a + b for a, b in zip(sampled, curved, strict=True)]
    total = np.sum([1.0 / variance for variance in variances], axis=0)
    weighted = np.sum([value / variance for value, variance in zip(values, variances, strict=True)], axis=0)
    shares = [1.0 / (variance * total) for variance in variances]
    moves = _moves(runs, [here - c for c in coefficients], jacobian, shares)
    return Pooled(weighted / total, 1.0 / total, jacobian, blocks, moves=moves)


def _moves(
    runs: Sequence[Response], changes: Sequence[Array], jacobian: Array, shares: Sequence[Array]
) -> Array | None:
    """Return :attr:`Pooled.moves`: the mean of its simulation moves, and all values that J has moved."""
    if any(run.parts is None for run in runs):
        return None
    count = sum(len(run.blocks) for run in runs)
    if count < 2:
        return None
    found = []
    for run, share in zip(runs, shares, strict=True):
        assert run.parts is not None
        own = len(run.parts)
        # (count - 1)/count times the sum of squares is the variance of this simulation's mean
        scale = np.sqrt(count / ((count - 1) * own * (own - 1))) if own > 1 else 0.0
        for part, block in zip(run.parts, run.blocks, strict=True):
            other = (jacobian - block) / (count - 1)
            along = sum(s * (other @ change) for s, change in zip(shares, changes, strict=True))
            found.append(share * scale * (run.parts.mean(axis=0) - part) + along)
    return np.array(found)


def _together(values: Sequence[Array], covariances: Sequence[Array]) -> tuple[Array, Array]:
    """Return the mean of values with full covariances, and its own: generalised least squares."""
    precisions = [np.linalg.inv(covariance) for covariance in covariances]
    whole = np.linalg.inv(np.sum(precisions, axis=0))
    weighted = np.sum(
        [precision @ value for precision, value in zip(precisions, values, strict=True)], axis=0
    )
    return np.asarray(whole @ weighted), np.asarray(0.5 * (whole + whole.T))
