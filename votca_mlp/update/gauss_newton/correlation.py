"""How errors of g(r) at different r belong together in a simulation.

Pairs are not counted independently: how many a shell holds is all but fixed by the others, most of all in
sums over many shells, as liquids hardly compress. With A the pair counts of a frame, in units of their square
roots, along smooth functions Q of r, and S the covariance of A over the frames, that of the counts is

    <H>^1/2 [1 + Q (S - 1) Q^T] <H>^1/2 :

what is not smooth in r is counting alone. Eigenvalues of S go down to 1e-3: errors taken as independent hide
most of what a simulation says of slow parts of u(r).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FRAMES = 10.0
"""Independent frames that each smooth function needs. The inverse of S is too large by n / (n - p - 1) for p
functions and n frames (J. Hartlap, P. Simon, P. Schneider, Astron. Astrophys. 464, 399 (2007)): 11 %."""
_ROUNDING = 1e-6
"""Relative; of variances, so that a covariance stays positive."""


@dataclass(frozen=True)
class FrameCovariance:
    """How the data of one frame scatter.

    Attributes
    ----------
    matrix
        Covariance, shape [n, n]; 0 for data whose errors are independent.
    frames
        Independent frames that it comes from.
    functions
        Smooth functions in it.
    """

    matrix: Array
    frames: float
    functions: int

    def at(self, points: NDArray[np.int64], rows: NDArray[np.int64], size: int) -> "FrameCovariance":
        """Return that of some points as ``rows`` of ``size`` data, the others independent."""
        matrix = np.zeros((size, size))
        matrix[np.ix_(rows, rows)] = self.matrix[np.ix_(points, points)]
        return FrameCovariance(matrix, self.frames, self.functions)

    def of_mean(self, variances: Array) -> Array:
        """Return the covariance of means with these variances, shape [n] to [n, n].

        That of a frame over the number of independent ones, which is one number for all data: variances that
        come from parts of a simulation scatter themselves. Independent data have their own.
        """
        own = np.diag(self.matrix)
        known = own > 0
        share = float(np.mean(variances[known] / own[known])) if known.any() else 0.0
        found = share * self.matrix
        found[np.diag_indices(len(own))] = np.where(known, (1.0 + _ROUNDING) * share * own, variances)
        return found


def frame_covariance(
    counts: Sequence[Array], r: Sequence[Array], scales: Sequence[Array], spacing: float
) -> FrameCovariance:
    """Return the covariance of values that are proportional to the pair counts of a frame.

    Parameters
    ----------
    counts
        By frame of each pair of species, at constant pressure times V/<V> of the frame, as g(r) has them;
        shape [n_frames, n_bins] each.
    r
        Their bins, Angstrom.
    scales
        Values over counts, shape [n_bins] each.
    spacing
        Distance of the knots of the smooth functions, Angstrom.
    """
    sizes = [count.shape[1] for count in counts]
    begins = np.concatenate([[0], np.cumsum(sizes)])
    along, onto, roots = [], [], np.zeros(begins[-1])
    for begin, count, points, scale in zip(begins, counts, r, scales, strict=False):
        mean = count.mean(axis=0)
        found = weighted_splines(mean, points, spacing)
        if found is None:
            continue
        seen, functions = found
        smooth = np.linalg.qr(functions)[0]
        along.append(((count - mean)[:, seen] / np.sqrt(mean[seen])) @ smooth)
        onto.append(np.zeros((begins[-1], smooth.shape[1])))
        onto[-1][begin + seen] = smooth
        roots[begin + seen] = (scale * np.sqrt(mean))[seen]
    if not along:
        return FrameCovariance(np.diag(roots), np.inf, 0)
    a, q = np.concatenate(along, axis=1), np.concatenate(onto, axis=1)
    beyond = a.T @ a / max(len(a) - 1, 1) - np.eye(a.shape[1])
    matrix = roots[:, None] * (np.eye(begins[-1]) + q @ beyond @ q.T) * roots
    return FrameCovariance(matrix, _independent(a), a.shape[1])


def _independent(a: Array) -> float:
    """Return how many independent frames there are, from the correlation of each with the next one."""
    if len(a) < 3:
        return float(len(a))
    squares = np.maximum((a[1:] ** 2).mean(axis=0), 1e-300)
    next_to = float(np.clip(np.mean((a[1:] * a[:-1]).mean(axis=0) / squares), 0.0, 0.99))
    return len(a) * (1.0 - next_to) / (1.0 + next_to)


def beside(found: Sequence[FrameCovariance]) -> FrameCovariance:
    """Return that of the data of several simulations, one after another."""
    from scipy.linalg import block_diag

    worst = min(found, key=lambda item: item.frames / max(item.functions, 1))
    return FrameCovariance(block_diag(*(item.matrix for item in found)), worst.frames, worst.functions)


def together(found: Sequence[FrameCovariance]) -> FrameCovariance | None:
    """Return that of several simulations with the same data, None where all are too short for one."""
    frames = np.array([item.frames for item in found])
    functions = max((item.functions for item in found), default=0)
    if not functions or frames.sum() < FRAMES * functions:
        return None
    whole = np.einsum("k,kij->ij", frames / frames.sum(), np.stack([item.matrix for item in found]))
    return FrameCovariance(np.asarray(whole), float(frames.sum()), functions)


def weighted_splines(mean: Array, r: Array, spacing: float) -> tuple[NDArray[np.int64], Array] | None:
    """Return the bins with pairs, and splines there times the square root of <H>; None for too few bins.

    Parameters
    ----------
    mean
        <H>, shape [n_bins].
    r
        Bins, Angstrom.
    spacing
        Largest distance of two knots, Angstrom.

    Returns
    -------
    Indices, shape [n_seen], and functions, shape [n_seen, n_functions].
    """
    seen = np.flatnonzero(mean > 0)
    if len(seen) < 8:
        return None
    first, last = r[seen[0]], r[seen[-1]]
    count = max(2, int(np.ceil((last - first) / spacing)))
    knots = np.linspace(first, last, count + 1)
    padded = np.concatenate([np.repeat(first, 3), knots, np.repeat(last, 3)])
    from scipy.interpolate import BSpline

    functions = BSpline.design_matrix(np.clip(r[seen], first, last), padded, 3).toarray()
    return seen, np.sqrt(mean[seen])[:, None] * functions
