"""Whether a step did what it was predicted to do; one that made it worse is taken back.

The prediction is linear, and its Jacobian noisy. A simulation that is further from the data than an earlier
one, after a step that was to bring it nearer, says that the step went beyond what both allow: the next one
starts from the best u(r) so far, with what all simulations say, and goes at most half as far.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.update.gauss_newton.response import Response
from votca_mlp.update.gauss_newton.solve import Wanted

Array = NDArray[np.float64]

WORSE = 1.5
"""Times the chi2 of the best simulation: near agreement chi2 itself scatters by a quarter."""


@dataclass(frozen=True)
class Base:
    """Where a step starts.

    Attributes
    ----------
    run
        Index of the simulation whose u(r) it starts from: the last one, or the best one.
    trust
        What part of the usual limits it may change g(r) and density by: 1, or half for each step in a row
        that made it worse.
    """

    run: int
    trust: float = 1.0


def base_of(runs: Sequence[Response], wanted: Wanted) -> Base:
    """Return where the next step starts.

    Parameters
    ----------
    runs
        Values of each simulation, the last one last.
    wanted
        The data.
    """
    chi2 = distances(runs, wanted)
    last = len(runs) - 1
    best = int(np.argmin(chi2))
    if chi2[last] <= WORSE * chi2[best]:
        return Base(last)
    failed = 0
    while chi2[last - failed] > WORSE * chi2[best]:
        failed += 1
    return Base(best, 0.5**failed)


def distances(runs: Sequence[Response], wanted: Wanted) -> Array:
    """Return chi2 of each simulation by the same errors, so that they can be compared, shape [n_runs]."""
    variances = wanted.variances + np.mean([run.variances for run in runs], axis=0)
    return np.array([np.mean(wanted.weights * (run.values - wanted.values) ** 2 / variances) for run in runs])
