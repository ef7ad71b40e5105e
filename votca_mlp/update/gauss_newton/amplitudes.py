"""An amplitude of u(r) for each interaction, averaged over what the data leave open of it.

Totals see one sum of all partial g(r). Which interaction a change belongs to is then partly a matter of how
large each u(r) is expected to be, and one amplitude for all says more than is known: where the u(r) of one
pair is large and of another small, the open combination is shared out evenly, with an error that is too
small. Here each interaction has its own, log-uniform about the common one, and

    p(c | d) = sum over A_1, A_2, ... of p(A_1, A_2, ... | d) p(c | d, A_1, A_2, ...)

with the evidence as the weight (D. J. C. MacKay, Neural Comput. 4, 415 (1992)) gives mean and covariance of
c.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from votca_mlp.update.gauss_newton.inference import Inferred, Linear, without

Array = NDArray[np.float64]
Groups = NDArray[np.int64]

WIDTH = 5.0
"""Times and part of the common amplitude between which each is looked for."""
_POINTS = {2: 9, 3: 9, 4: 5, 5: 3, 6: 3}
"""Amplitudes tried for each of so many interactions: some hundred combinations."""
MOST = max(_POINTS)
_LEAST = 1e-4
"""Of the largest weight: combinations below it are left out."""


@dataclass(frozen=True)
class Averaged:
    """The solution, and what became of the amplitudes.

    Attributes
    ----------
    inferred
        With mean and covariance over all amplitudes.
    amplitudes
        Their means, shape [n_interactions].
    root
        Of the prior for an amplitude that is the common one, with each interaction scaled to its mean.
    """

    inferred: Inferred
    amplitudes: Array
    root: Array


def averaged(problem: Linear, found: Inferred, groups: Groups, bounds: tuple[float, float]) -> Averaged:
    """Return the mean over the amplitudes of the interactions.

    Parameters
    ----------
    problem
        The linear problem; its root has no entries between interactions.
    found
        The solution with one amplitude; its noise stays.
    groups
        The interaction of each coefficient, from 0 on, shape [m]; 2 to ``MOST`` of them.
    bounds
        Smallest and largest amplitude.
    """
    count = int(groups.max()) + 1
    low, high = max(found.amplitude / WIDTH, bounds[0]), min(found.amplitude * WIDTH, bounds[1])
    choices = np.geomspace(low, high, _POINTS[count])
    seen = found.noise.whitened(without(problem.nuisance, problem.jacobian @ problem.root, found.noise))
    wanted = found.noise.whitened(without(problem.nuisance, problem.wanted, found.noise))
    normal, right = seen.T @ seen, seen.T @ wanted
    tried = np.array(list(product(choices, repeat=count)))
    evidence = np.array([_log_evidence(normal, right, each[groups]) for each in tried])
    weights = np.exp(evidence - evidence.max())
    weights[weights < _LEAST] = 0.0
    weights /= weights.sum()
    means, covariances, size = [], np.zeros_like(normal), len(right)
    used = np.flatnonzero(weights)
    for index in used:
        scale = tried[index][groups]
        inverse = np.linalg.inv(np.eye(size) + scale[:, None] * normal * scale)
        means.append(scale * (inverse @ (scale * right)))
        covariances += weights[index] * scale[:, None] * inverse * scale
    mean = weights[used] @ np.array(means)
    off = np.array(means) - mean
    covariances += (weights[used, None] * off).T @ off
    amplitudes = weights @ tried
    root = problem.root
    return Averaged(
        replace(found, coefficients=root @ mean, covariance=root @ covariances @ root.T),
        amplitudes,
        root * (amplitudes / found.amplitude)[groups],
    )


def _log_evidence(normal: Array, right: Array, scale: Array) -> float:
    """Return log p(d | A) up to a constant, for the amplitude of each coefficient."""
    lower = np.linalg.cholesky(np.eye(len(right)) + scale[:, None] * normal * scale)
    solved = np.linalg.solve(lower, scale * right)
    return float(0.5 * solved @ solved - np.log(np.diag(lower)).sum())
