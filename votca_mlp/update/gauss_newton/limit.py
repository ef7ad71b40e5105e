"""The likeliest u(r) within a limit of its size.

Where few pairs are, and along slow trades between near and far, the data hardly know a large u(r) from a
small one, and the mean of the posterior may be several times larger than it has to be. With |u| <= limit the
likeliest c is the nearest point of a polytope, with the posterior's covariance for a metric (C. L. Lawson and
R. J. Hanson, Solving Least Squares Problems (1974), chapter 23: least distance programming).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from votca_mlp.update.gauss_newton.basis import Basis
from votca_mlp.update.rule import StepData

Array = NDArray[np.float64]

SEEN = 0.3
"""Where a target g(r) is above it there are pairs, and a limit holds."""


def limited_rows(step: StepData, bases: Mapping[str, Basis], limit: float) -> Array:
    """Return u/limit at every limited point by coefficient, shape [n, m]: of each state, at its temperature.

    Parameters
    ----------
    bases
        In the order of their coefficients.
    limit
        kJ/mol.
    """
    sizes = [basis.size for basis in bases.values()]
    begins = dict(zip(bases, np.cumsum([0, *sizes[:-1]]), strict=True))
    found = []
    for state in step.states:
        for name, basis in bases.items():
            if state.weight <= 0 or name not in state.targets:
                continue
            values = basis.values[np.nan_to_num(state.targets[name].values) > SEEN] / limit
            rows = np.zeros((len(values), sum(sizes)))
            rows[:, begins[name] : begins[name] + basis.size] = values
            found.append(np.hstack([factor * rows for factor in step.basis.values(state.temperature)]))
    return np.vstack(found)


def within(mean: Array, covariance: Array, rows: Array, middle: Array | float = 0.0) -> tuple[Array, float]:
    """Return the likeliest c with |rows c - middle| <= 1, and by how much chi2 is larger there.

    Parameters
    ----------
    mean, covariance
        Of the posterior, shapes [m] and [m, m].
    rows, middle
        Shapes [n, m] and [n].
    """
    from scipy.optimize import nnls

    sizes, directions = np.linalg.eigh(covariance)
    root = directions * np.sqrt(np.clip(sizes, 0.0, None))
    # c = mean + root x: the smallest x with matrix x >= least
    off, moved = rows @ mean - middle, rows @ root
    matrix, least = np.vstack([-moved, moved]), np.concatenate([off, -off]) - 1.0
    if least.max() <= 0.0:
        return mean, 0.0
    # the dual is a non-negative least-squares problem whose residual is the solution
    dual = np.vstack([matrix.T, least])
    wanted = np.append(np.zeros(len(mean)), 1.0)
    forces, _ = nnls(dual, wanted, maxiter=30 * len(least))
    residual = dual @ forces - wanted
    x = -residual[:-1] / residual[-1]
    return mean + root @ x, float(x @ x)
