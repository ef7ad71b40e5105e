"""The two splines of VOTCA's csg_resample, boundaries included.

Akima (J. ACM 17, 589 (1970)) with two more points on each side from a parabola through the last three; and a
natural cubic spline on knots of its own, fitted by least squares. Both run on as cubics outside their knots.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Curve = Callable[[Array], Array]
"""From x to y, same shape."""


def akima_curve(x: Array, y: Array) -> Curve:
    """Return csg_resample's Akima interpolation through the points.

    Parameters
    ----------
    x, y
        Increasing points and values, shape [n], any units.

    Raises
    ------
    ValueError
        Fewer than four points.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if len(x) < 4:
        raise ValueError(f"{len(x)} points; Akima interpolation needs four")
    xs = np.concatenate([_beyond_x(x[:3][::-1])[::-1], x, _beyond_x(x[-3:])])
    before = _parabola(x[:3], y[:3], xs[:2])
    after = _parabola(x[-3:][::-1], y[-3:][::-1], xs[-2:])
    m = np.diff(np.concatenate([before, y, after])) / np.diff(xs)
    left, right = np.abs(m[1:-2] - m[:-3]), np.abs(m[3:] - m[2:-1])
    flat = left + right == 0.0
    weight = np.where(flat, 1.0, left + right)
    slopes = np.where(flat, 0.5 * (m[1:-2] + m[2:-1]), (right * m[1:-2] + left * m[2:-1]) / weight)
    width, chord = np.diff(x), np.diff(y) / np.diff(x)
    square = (3.0 * chord - 2.0 * slopes[:-1] - slopes[1:]) / width
    cube = (slopes[:-1] + slopes[1:] - 2.0 * chord) / width**2

    def curve(at: Array) -> Array:
        k = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
        z = at - x[k]
        return np.asarray(y[k] + slopes[k] * z + square[k] * z**2 + cube[k] * z**3)

    return curve


def _beyond_x(last: Array) -> Array:
    """Return two more points after the last three, spaced as they are."""
    span = last[2] - last[0]
    return np.array([last[1] + span, last[2] + span])


def _parabola(x: Array, y: Array, at: Array) -> Array:
    """Return the parabola through three points; the first is where it is expanded."""
    dx, dy = x[1:] - x[0], y[1:] - y[0]
    ratio = (dx[0] / dx[1]) ** 2
    slope = (dy[0] - ratio * dy[1]) / (dx[0] - ratio * dx[1])
    curvature = (dy[1] - slope * dx[1]) / dx[1] ** 2
    return np.asarray(y[0] + slope * (at - x[0]) + curvature * (at - x[0]) ** 2)


def cubic_fit(x: Array, y: Array, knots: Array) -> Curve:
    """Return the natural cubic spline on ``knots`` with the least square distance to the points.

    Unknowns are value and second derivative at each knot; continuous slopes and zero curvature at both ends
    are exact constraints.

    Parameters
    ----------
    x, y
        Data, shape [n]; none beyond the knots.
    knots
        Increasing, shape [m], m >= 3.

    Raises
    ------
    ValueError
        Too few knots or points, or a knot without data near it.
    """
    x, y, knots = (np.asarray(values, float) for values in (x, y, knots))
    m = len(knots)
    if m < 3 or not len(x):
        raise ValueError(f"{m} knots and {len(x)} points; a fit needs three knots and points")
    width = np.diff(knots)
    constraints = np.zeros((m, 2 * m))
    constraints[0, m] = constraints[-1, -1] = 1.0
    for i in range(m - 2):
        a, b = width[i], width[i + 1]
        constraints[i + 1, i : i + 3] = -1.0 / a, 1.0 / a + 1.0 / b, -1.0 / b
        constraints[i + 1, m + i : m + i + 3] = a / 6.0, (a + b) / 3.0, b / 6.0
    design = _basis(x, knots)
    if (np.abs(design).max(axis=0) < 1e-9).any():
        raise ValueError("a knot has no data near it")
    free = np.linalg.qr(constraints.T, mode="complete")[0][:, m:]
    unknowns = free @ np.linalg.lstsq(design @ free, y, rcond=None)[0]
    return lambda at: np.asarray(_basis(np.asarray(at, float), knots) @ unknowns)


def _basis(x: Array, knots: Array) -> Array:
    """Return the factors of the values and of the second derivatives at the knots, shape [n, 2 m]."""
    m = len(knots)
    k = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, m - 2)
    h = knots[k + 1] - knots[k]
    z = x - knots[k]
    rows = np.arange(len(x))
    factors = np.zeros((len(x), 2 * m))
    factors[rows, k] = 1.0 - z / h
    factors[rows, k + 1] = z / h
    factors[rows, m + k] = 0.5 * z**2 - z**3 / (6.0 * h) - z * h / 3.0
    factors[rows, m + k + 1] = z**3 / (6.0 * h) - z * h / 6.0
    return factors


def fit_knots(first: float, last: float, spacing: float) -> Array:
    """Return csg_resample's fit grid: ``first``, then every ``spacing``, the last point moved to ``last``.

    Raises
    ------
    ValueError
        A spacing that is not positive.
    """
    if spacing <= 0.0:
        raise ValueError(f"a spacing of {spacing:g}")
    count = max(1, int((last - first) / spacing + 1.00000001))
    steps = np.append(first, np.full(count - 2, spacing)) if count > 1 else np.empty(0)
    return np.append(np.add.accumulate(steps), last)
