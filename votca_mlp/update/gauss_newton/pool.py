"""The simulations of all iterations as one: Jacobian, and the values that they predict for the present u(r).

The Jacobian of one simulation is noisy and changes slowly: that of all is their mean. Values of an earlier
simulation, moved along the Jacobian to the present u(r), count by their errors, the noise of the Jacobian and
the error of a linear prediction over such a distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    """

    values: Array
    variances: Array
    jacobian: Array
    blocks: Array

    def noise(self, change: Array) -> Array:
        """Return the variance that the noise of the Jacobian gives to J times a change of c, shape [n]."""
        if len(self.blocks) < 2:
            return np.zeros(len(self.values))
        each = self.blocks @ change
        return np.asarray(each.var(axis=0, ddof=1) / len(each))


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
    total, weighted = np.zeros(len(found.values)), np.zeros(len(found.values))
    for run, coefficient in zip(runs, coefficients, strict=True):
        moved = jacobian @ (here - coefficient)
        variance = run.variances + (CURVATURE * moved) ** 2 + found.noise(here - coefficient)
        total += 1.0 / variance
        weighted += (run.values + moved) / variance
    return Pooled(weighted / total, 1.0 / total, jacobian, blocks)
