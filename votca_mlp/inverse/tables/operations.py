"""What VOTCA's scripts do to tables within one iteration, as functions from table to table (nm, kJ/mol).

Each names the script that it equals, digits included.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.inverse.tables.printing import AWK_DIGITS, NUMPY_DIGITS, PERL_DIGITS, VOTCA_DIGITS, as_printed
from votca_mlp.inverse.tables.splines import akima_curve, cubic_fit, fit_knots
from votca_mlp.tables import Table, make_table

Array = NDArray[np.float64]


def _perl(table: Table, y: Array) -> Table:
    return replace(table, y=as_printed(y, PERL_DIGITS), yerr=None)


def shift(table: Table) -> Table:
    """Return the table with its last value subtracted (potential_shift.pl, non-bonded)."""
    return _perl(table, table.y - table.y[-1])


def scale(table: Table, factor: float) -> Table:
    """Return the table times a factor (table_linearop.pl with b = 0)."""
    return _perl(table, factor * table.y + 0.0)


def smooth(table: Table, times: int = 1) -> Table:
    """Return the table smoothed ``times`` times: (1, 2, 1)/4 at valid points, (2, 1)/3 at the ends."""
    for _ in range(times):
        y = table.y
        averaged = np.concatenate(
            [
                [(2.0 * y[0] + y[1]) / 3],
                0.25 * y[:-2] + 0.5 * y[1:-1] + 0.25 * y[2:],
                [(2.0 * y[-1] + y[-2]) / 3],
            ]
        )
        table = _perl(table, np.where(table.valid, averaged, y))
    return table


def add(potential: Table, update: Table) -> Table:
    """Return potential plus update with the potential's flags (add_POT.pl).

    Where either is undefined (``u``) the potential stays and is flagged so.

    Raises
    ------
    UserError
        Different grids.
    """
    if potential.x.shape != update.x.shape or np.abs(potential.x - update.x).max() > 1e-4:
        raise UserError("potential and update are on different grids", accepted="one grid")
    undefined = (potential.flags == "u") | (update.flags == "u")
    y = np.where(undefined, potential.y, potential.y + update.y)
    return replace(_perl(potential, y), flags=np.where(undefined, "u", potential.flags), comments=())


def resample(table: Table, grid: Array) -> Table:
    """Return the table on another grid by Akima interpolation (csg_resample).

    A point has the flag of the first given point at or after it; outside the given range the end cubics run
    on, flagged ``o``.

    Raises
    ------
    UserError
        Fewer than four points.
    """
    at = accumulated(grid)
    try:
        y = akima_curve(table.x, table.y)(at)
    except ValueError as error:
        raise UserError(str(error), accepted="a table of at least four points") from None
    after = np.searchsorted(table.x, at - 1e-12)
    inside = (after < len(table.x)) & (at >= table.x[0])
    flags = np.where(inside, table.flags[np.minimum(after, len(table.x) - 1)], "o")
    return Table(grid, as_printed(y, VOTCA_DIGITS), flags)


def accumulated(grid: Array) -> Array:
    """Return the grid as csg_resample walks along it, step added to step, the last point exact.

    The differences are rounding; they decide which way a value with eleven digits is rounded to ten.
    """
    step = (grid[-1] - grid[0]) / (len(grid) - 1.0)
    at = np.add.accumulate(np.append(grid[0], np.full(len(grid) - 1, step)))
    at[-1] = grid[-1]
    return np.asarray(at)


def extrapolate(table: Table, *, left: str, points: int) -> Table:
    """Return the table with the points outside the valid ones filled and valid (table_extrapolate.pl).

    Parameters
    ----------
    left
        ``linear`` or ``exponential``, through the first valid point with the slope to the one ``points``
        further on. The right end is constant.
    points
        At least 1.

    Raises
    ------
    UserError
        No valid point, too few for the slope, or an exponential through zero.
    """
    valid = np.flatnonzero(table.valid)
    if not len(valid) or valid[0] + points >= len(table.x):
        raise UserError("too few valid points to extrapolate", accepted=f"more than {points} flagged i")
    first, last = int(valid[0]), int(valid[-1])
    x0, y0 = float(table.x[first]), float(table.y[first])
    slope = float((table.y[first + points] - y0) / (table.x[first + points] - x0))
    x, y, flags = table.x, table.y.copy(), table.flags.copy()
    if left == "linear":
        y[:first] = slope * (x[:first] - x0) + y0
    elif first > 0:
        if y0 == 0.0:
            raise UserError(
                f"an exponential cannot go through the zero at {x0:g} nm", accepted="no 'extrapolate'"
            )
        y[:first] = y0 * np.exp(-slope * x0 / y0) * np.exp(slope / y0 * x[:first])
    y[last + 1 :] = y[last]
    flags[:first] = flags[last + 1 :] = "i"
    return replace(_perl(table, y), flags=flags)


def resample_target(target: Table, grid: Array) -> Table:
    """Return a target g(r) on the interaction's grid (resample_target.sh): nowhere negative, all valid.

    Below its first valid point the target goes on along a straight line, beyond its last one it is constant.
    A standard error of the target, which VOTCA drops, is interpolated linearly.

    Raises
    ------
    UserError
        Too few points.
    """
    filled = extrapolate(resample(target, grid), left="linear", points=1)
    yerr = None if target.yerr is None else np.interp(grid, target.x, np.nan_to_num(target.yerr))
    return make_table(grid, np.where(filled.y < 0.0, 0.0, filled.y), yerr=yerr)


def splinesmooth(table: Table, spacing: float) -> Table:
    """Return a cubic spline fitted to the valid points, constant outside them.

    csg_resample's fit as postupd_splinesmooth.sh calls it, held at the ends as this package's script does:
    the fitted cubics would run on into the core.

    Raises
    ------
    UserError
        Too few valid points for that spacing.
    """
    used = table.valid
    accepted = "a splinesmooth.step of several grid steps, and more valid points than knots"
    if used.sum() < 2:
        raise UserError("fewer than two valid points to smooth", accepted=accepted)
    x, y = table.x[used], table.y[used]
    try:
        fitted = cubic_fit(x, y, fit_knots(float(x[0]), float(x[-1]), spacing))(accumulated(table.x))
    except ValueError as error:
        raise UserError(f"splinesmooth: {error}", accepted=accepted) from None
    y = as_printed(fitted, VOTCA_DIGITS)
    first, last = np.flatnonzero(used)[[0, -1]]
    y[:first], y[last + 1 :] = y[first], y[last]
    between = (table.x >= x[0] - 1e-12) & (table.x <= x[-1] + 1e-12)
    return replace(table, y=y, yerr=None, flags=np.where(between, "i", "o"), comments=())


def smooth_at_cut_off(table: Table) -> Table:
    """Return the table shifted so that its last but one slope continues to the cutoff's value.

    table_smooth_at_cut_off.py of VOTCA, for a cutoff at the last point; it expects a last value of zero.
    """
    # the script reads, adds and stores in single precision
    given = table.y.astype(np.float32)
    y = given.copy()
    y[:-1] += np.float32(-1.0) * (given[-2] - given[-3]) - given[-2]
    return _perl(table, as_printed(y.astype(float), NUMPY_DIGITS))


def summed_difference(a: Table, b: Table, power: int) -> float:
    """Return sum |a - b|^power over valid points (table_combine.pl --sum --withflag i).

    Raises
    ------
    UserError
        Other grids or flags.
    """
    if a.x.shape != b.x.shape or np.abs(a.x - b.x).max() > 1e-5 or (a.flags != b.flags).any():
        raise UserError("the tables have other grids or flags", accepted="tables of one grid")
    return float(np.sum(np.abs(a.y - b.y)[a.valid] ** power))


def average(tables: Sequence[Table]) -> Table:
    """Return mean and standard error of the mean, point by point (table_average.sh, six digits).

    Raises
    ------
    UserError
        Different grids.
    """
    if any(table.x.shape != tables[0].x.shape or (table.x != tables[0].x).any() for table in tables):
        raise UserError("the tables have different grids", accepted="one grid")
    return average_values(tables[0].x, np.stack([table.y for table in tables]))


def average_values(x: Array, samples: Array) -> Table:
    """Return mean and standard error of the mean of ``samples`` [n, n_points] as table_average.sh does."""
    count = len(samples)
    total, squares = samples.sum(axis=0), (samples**2).sum(axis=0)
    # rounding can make it negative, where awk prints nan
    variance = np.maximum(squares - total * total / count, 0.0) / (count * (count - 1))
    return make_table(
        x, as_printed(total / count, AWK_DIGITS), yerr=as_printed(np.sqrt(variance), AWK_DIGITS)
    )
