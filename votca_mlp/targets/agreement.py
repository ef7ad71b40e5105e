"""How well a simulated g(r) meets its target."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.tables import Table
from votca_mlp.units import ANGSTROM_PER_NM

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Peak:
    """Main maximum of g(r): position in Angstrom and height, with standard errors (nan when unknown)."""

    position: float
    height: float
    position_error: float = float("nan")
    height_error: float = float("nan")


@dataclass(frozen=True)
class Agreement:
    """Measures of g against its target on a range of r.

    Attributes
    ----------
    rms, rms_error
        Root of the mean square difference, and its standard error (linear propagation; nan without errors).
    largest, largest_at
        The largest |g - target|, and its r in Angstrom.
    fit
        f_fit = 1 - sum |g - target| / sum (|g| + |target|), 1 for equal functions (Moore et al. 2014).
    chi2
        Mean of (g - target)^2 / (error^2 + target_error^2) over points with an error; about 1 when the two
        agree within noise. None without errors. Errors from n blocks inflate it by (n - 1)/(n - 3).
    peak, target_peak
        Main maxima.
    r_min, r_max
        Of the first and the last point compared, Angstrom.
    """

    rms: float
    largest: float
    largest_at: float
    fit: float
    chi2: float | None
    peak: Peak
    target_peak: Peak
    rms_error: float = float("nan")
    r_min: float = float("nan")
    r_max: float = float("nan")


def main_peak(r: Array, g: Array, error: Array | None = None) -> Peak:
    """Return the highest maximum from a parabola through its highest three points.

    Parameters
    ----------
    r
        Evenly spaced, Angstrom, shape [n].
    g, error
        g(r) and its standard error (independent from point to point), shape [n].

    Raises
    ------
    ValueError
        When g is highest at an end of the grid.
    """
    top = int(np.argmax(g))
    if top in (0, len(g) - 1):
        raise ValueError("g(r) has no maximum inside its grid")
    left, middle, right = (float(v) for v in g[top - 1 : top + 2])
    step = float(r[top] - r[top - 1])
    slope, curvature = 0.5 * (right - left), left - 2.0 * middle + right
    if curvature == 0.0:
        return Peak(float(r[top]), middle)
    offset = -slope / curvature
    position, height = float(r[top]) + offset * step, middle + 0.5 * slope * offset
    if error is None:
        return Peak(position, height)
    # derivatives of offset and height with respect to (left, middle, right)
    d_slope, d_curvature = np.array([-0.5, 0.0, 0.5]), np.array([1.0, -2.0, 1.0])
    d_offset = -d_slope / curvature + slope / curvature**2 * d_curvature
    d_height = np.array([0.0, 1.0, 0.0]) + 0.5 * (d_slope * offset + slope * d_offset)
    sigma = np.asarray(error[top - 1 : top + 2], float)
    return Peak(
        position,
        height,
        float(step * np.sqrt(np.sum((d_offset * sigma) ** 2))),
        float(np.sqrt(np.sum((d_height * sigma) ** 2))),
    )


def compare(
    r: Array,
    g: Array,
    target: Array,
    *,
    error: Array | None = None,
    target_error: Array | None = None,
    r_min: float = 2.0,
    r_max: float = 10.0,
) -> Agreement:
    """Compare g with its target.

    Parameters
    ----------
    r
        Evenly spaced, Angstrom, shape [n].
    g, target
        On the same grid, shape [n].
    error, target_error
        Standard errors or None, shape [n].
    r_min, r_max
        Range of the sums, Angstrom.

    Raises
    ------
    UserError
        When the range holds no point of the grid.
    """
    used = (r >= r_min - 1e-9) & (r <= r_max + 1e-9)
    if not used.any():
        raise UserError(
            f"no point of g(r) between {r_min} and {r_max} Angstrom",
            accepted=f"a range within {r[0]:g} to {r[-1]:g} Angstrom",
        )
    difference = (g - target)[used]
    worst = int(np.argmax(np.abs(difference)))
    total = float(np.sum(np.abs(g[used]) + np.abs(target[used])))
    variance = np.zeros(len(r))
    for sigma in (error, target_error):
        if sigma is not None:
            variance = variance + np.nan_to_num(sigma) ** 2
    # a bin that no pair ever entered has no scatter: its error is unknown, not zero
    known = variance[used] > 0.0
    chi2 = float(np.mean(difference[known] ** 2 / variance[used][known])) if known.any() else None
    rms = float(np.sqrt(np.mean(difference**2)))
    rms_error = float("nan")
    if known.any() and rms > 0.0:
        rms_error = float(np.sqrt(np.sum(difference**2 * variance[used])) / (len(difference) * rms))
    return Agreement(
        rms=rms,
        rms_error=rms_error,
        largest=float(np.abs(difference[worst])),
        largest_at=float(r[used][worst]),
        fit=1.0 - float(np.sum(np.abs(difference))) / total if total > 0.0 else 1.0,
        chi2=chi2,
        peak=_peak_or_nan(r, g, error),
        target_peak=_peak_or_nan(r, target, target_error),
        r_min=float(r[used][0]),
        r_max=float(r[used][-1]),
    )


def compare_tables(current: Table, target: Table, *, r_min: float = 2.0, r_max: float = 10.0) -> Agreement:
    """Compare two g(r) tables in nm on one grid; r_min and r_max in Angstrom.

    Raises
    ------
    UserError
        When the grids differ.
    """
    if current.x.shape != target.x.shape or not np.allclose(current.x, target.x, rtol=0.0, atol=1e-6):
        raise UserError(
            f"g(r) has {len(current.x)} points from {current.x[0]:g} to {current.x[-1]:g} nm, "
            f"the target {len(target.x)} from {target.x[0]:g} to {target.x[-1]:g} nm",
            accepted="two tables on one grid",
        )
    return compare(
        current.x * ANGSTROM_PER_NM,
        current.y,
        target.y,
        error=current.yerr,
        target_error=target.yerr,
        r_min=r_min,
        r_max=r_max,
    )


def without_target(current: Table) -> Agreement:
    """Return what is known of a g(r) (r in nm) that has no target: its main peak; the rest is nan."""
    nan = float("nan")
    peak = _peak_or_nan(current.x * ANGSTROM_PER_NM, current.y, current.yerr)
    return Agreement(nan, nan, nan, nan, None, peak, Peak(nan, nan))


def _peak_or_nan(r: Array, g: Array, error: Array | None) -> Peak:
    try:
        return main_peak(r, g, error)
    except ValueError:
        return Peak(float("nan"), float("nan"))
