"""The smooth functions that u(r) of the rule ``gauss_newton`` is a sum of.

u(r) = sum_j c_j phi_j(r) with cubic B-splines on even knots (C. de Boor, A Practical Guide to Splines, 1978).
Value and slope are zero at the cutoff; below the first knot u is constant, with slope zero at it, so that the
core, where no pair says anything, holds a constant that has no force.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_DEGREE = 3
FEWEST = 4
"""Fewer functions cannot be made: three intervals of knots at least."""


@dataclass(frozen=True)
class Basis:
    """phi_j on a grid.

    Attributes
    ----------
    values
        phi_j(r_k), shape [n_points, n_functions].
    slopes
        d phi_j / dr at r_k, same shape, in 1/(unit of r).
    centres
        Where each function stands (its Greville abscissa), in the unit of r, shape [n_functions].
    """

    values: Array
    slopes: Array
    centres: Array

    @property
    def size(self) -> int:
        """Number of functions."""
        return int(self.values.shape[1])

    def fitted(self, u: Array) -> Array:
        """Return the c_j whose sum is nearest to u on the grid (least squares), shape [n_functions]."""
        return np.asarray(np.linalg.lstsq(self.values, u, rcond=None)[0])


def spline_basis(r: Array, first: float, spacing: float) -> Basis:
    """Return the basis on a grid.

    Parameters
    ----------
    r
        Grid, increasing, shape [n_points]; its last point is the cutoff.
    first
        The first knot, in the unit of r: u is constant below it.
    spacing
        Largest distance of two knots, in the unit of r.

    Raises
    ------
    ValueError
        A first knot too near the cutoff for the spacing.
    """
    end = float(r[-1])
    intervals = int(np.ceil((end - first) / spacing - 1e-9))
    if intervals < FEWEST - 1:
        raise ValueError(f"only {max(intervals, 0)} intervals between {first:g} and {end:g}")
    knots = np.linspace(first, end, intervals + 1)
    padded = np.concatenate([np.repeat(knots[0], _DEGREE), knots, np.repeat(knots[-1], _DEGREE)])
    count = intervals + _DEGREE
    inside = np.clip(r, first, end)
    # not above: votca-mlp check reads the rules without scipy
    from scipy.interpolate import BSpline

    spline = BSpline(padded, np.eye(count), _DEGREE)
    values, slopes = spline(inside), spline.derivative()(inside)
    slopes[r < first] = 0.0
    greville = np.array([padded[j + 1 : j + 1 + _DEGREE].mean() for j in range(count)])
    # the first two as one: slope zero at the first knot; without the last two: both zero at the end
    keep = slice(1, count - 2)
    values, slopes = _joined(values)[:, keep], _joined(slopes)[:, keep]
    return Basis(values, slopes, greville[keep])


def _joined(columns: Array) -> Array:
    """Return the columns with the first added to the second."""
    joined = columns.copy()
    joined[:, 1] += joined[:, 0]
    return joined


def first_knot(r: Array, target: Array, known: NDArray[np.bool_]) -> float:
    """Return where a target g(r) begins, in the unit of r: below it pairs say nothing of u(r).

    The last point, going down from the main peak, at which g is still above a hundredth of the peak.

    Parameters
    ----------
    r, target
        Shape [n].
    known
        Where the target is defined, shape [n].
    """
    usable = known & (target > 0.01 * target[known].max())
    peak = int(np.argmax(np.where(known, target, -np.inf)))
    gaps = np.flatnonzero(~usable[: peak + 1])
    return float(r[gaps[-1] + 1]) if len(gaps) else float(r[np.argmax(usable)])
