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
    knots
        In the unit of r, shape [n_knots].
    """

    values: Array
    slopes: Array
    centres: Array
    knots: Array

    @property
    def size(self) -> int:
        """Number of functions."""
        return int(self.values.shape[1])

    def on(self, r: Array) -> Array:
        """Return the functions on other points, shape [n, n_functions]; zero beyond the cutoff."""
        return _evaluated(self.knots, r)[0]

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
    padded = _padded(knots)
    count = intervals + _DEGREE
    values, slopes = _evaluated(knots, r)
    greville = np.array([padded[j + 1 : j + 1 + _DEGREE].mean() for j in range(count)])
    return Basis(values, slopes, greville[_kept(count)], knots)


def _padded(knots: Array) -> Array:
    return np.concatenate([np.repeat(knots[0], _DEGREE), knots, np.repeat(knots[-1], _DEGREE)])


def _kept(count: int) -> slice:
    """The first two are one: slope zero at the first knot; without the last two: both zero at the end."""
    return slice(1, count - 2)


def _evaluated(knots: Array, r: Array) -> tuple[Array, Array]:
    """Return values and slopes of the functions at r, shape [n, n_functions] each."""
    inside = np.clip(r, knots[0], knots[-1])
    count = len(knots) - 1 + _DEGREE
    # not above: votca-mlp check reads the rules without scipy
    from scipy.interpolate import BSpline

    spline = BSpline(_padded(knots), np.eye(count), _DEGREE)
    values, slopes = spline(inside), spline.derivative()(inside)
    slopes[r < knots[0]] = 0.0
    return _joined(values)[:, _kept(count)], _joined(slopes)[:, _kept(count)]


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
        Where the target is defined, shape [n]; nowhere: u begins at the first point of the grid.
    """
    if not known.any():
        return float(r[0])
    usable = known & (target > 0.01 * target[known].max())
    peak = int(np.argmax(np.where(known, target, -np.inf)))
    gaps = np.flatnonzero(~usable[: peak + 1])
    return float(r[gaps[-1] + 1]) if len(gaps) else float(r[np.argmax(usable)])
