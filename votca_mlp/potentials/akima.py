"""One spline for host and device: the Akima coefficients that numpy and torch both evaluate.

H. Akima, J. ACM 17, 589 (1970). Knots are taken from the table's equally spaced grid. Three knots of the
first value are put before it and three zeros behind it, as u(r) is constant below the first point and zero
from r_max on: Akima's derivative between a straight and a curved side is that of the straight side, so the
slope at both ends is zero and u(r) is continuously differentiable everywhere. (Where the table itself is
straight up to its end, Akima's rule gives the mean of the two slopes; there the end slopes are set to zero.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import Akima1DInterpolator, CubicHermiteSpline

from votca_mlp.errors import UserError
from votca_mlp.tables import Table
from votca_mlp.units import ANGSTROM_PER_NM, EV_PER_KJMOL

_PADDING = 3


@dataclass(frozen=True)
class AkimaPair:
    """Piecewise cubic u(r) of one pair of types.

    Attributes
    ----------
    first, step, cutoff
        First grid point, spacing and end r_max, Angstrom.
    coefficients
        Shape [n_intervals, 4], highest power first, of (r - r_k), eV and Angstrom.
    """

    first: float
    step: float
    cutoff: float
    coefficients: NDArray[np.float64]

    def evaluate(self, r: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return u(r) in eV and du/dr in eV/Angstrom, shapes of ``r`` (Angstrom)."""
        r = np.asarray(r, float)
        inside = np.clip(r, self.first, None)
        index = np.clip(
            np.floor((inside - self.first) / self.step).astype(int), 0, len(self.coefficients) - 1
        )
        t = inside - (self.first + index * self.step)
        c3, c2, c1, c0 = self.coefficients[index].T
        energy = ((c3 * t + c2) * t + c1) * t + c0
        slope = (3.0 * c3 * t + 2.0 * c2) * t + c1
        within = r < self.cutoff
        return np.where(within, energy, 0.0), np.where(within & (r > self.first), slope, 0.0)


def akima_from_points(r: NDArray[np.float64], u: NDArray[np.float64]) -> AkimaPair:
    """Return the spline through u(r) (Angstrom, eV) on an equally spaced grid.

    The last value is subtracted everywhere, so that u(r_max) = 0 without a step: a constant has no force.

    Raises
    ------
    ValueError
        Fewer than two points, or a grid that is not equally spaced.
    """
    r, u = np.asarray(r, float), np.asarray(u, float)
    if len(r) < 2:
        raise ValueError("a pair table needs at least two points")
    step = (r[-1] - r[0]) / (len(r) - 1)
    if np.abs(np.diff(r) - step).max() > 1e-4 * step:
        raise ValueError("the grid of a pair table must be equally spaced")
    before = r[0] - step * np.arange(_PADDING, 0, -1)
    after = r[-1] + step * np.arange(1, _PADDING + 1)
    shifted = u - u[-1]
    knots = np.concatenate([before, r[0] + step * np.arange(len(r)), after])
    values = np.concatenate([np.full(_PADDING, shifted[0]), shifted, np.zeros(_PADDING)])
    table = slice(_PADDING, _PADDING + len(r))
    slopes = Akima1DInterpolator(knots, values).derivative()(knots[table])
    slopes[[0, -1]] = 0.0
    coefficients = CubicHermiteSpline(knots[table], values[table], slopes).c.T
    return AkimaPair(float(r[0]), float(step), float(r[-1]), np.ascontiguousarray(coefficients))


def akima_from_table(table: Table, *, where: str) -> AkimaPair:
    """Return the spline of a VOTCA potential table (nm, kJ/mol).

    Points flagged ``u`` at either end are left out: the spline is constant before the first used point and
    ends at the last one.

    Raises
    ------
    UserError
        Naming ``where``: an undefined point between defined ones, too few points, unequal spacing.
    """
    used = np.flatnonzero(table.flags != "u")
    accepted = "at least two points flagged i or o on an equally spaced grid, none undefined between them"
    if len(used) < 2 or len(used) != used[-1] - used[0] + 1:
        raise UserError(
            "the potential table has undefined points inside its range", where=where, accepted=accepted
        )
    try:
        return akima_from_points(table.x[used] * ANGSTROM_PER_NM, table.y[used] * EV_PER_KJMOL)
    except ValueError as error:
        raise UserError(str(error), where=where, accepted=accepted) from None
