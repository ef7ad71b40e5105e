"""Is a curve a g(r)? What a target, measured or made, must have: an empty core, no holes, one at its end."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from votca_mlp.tables import Table

Array = NDArray[np.float64]

NEGATIVE = -0.01
"""Below this a g(r) is no rounding and no undershoot of a spline."""
ENDS = (0.75, 1.3)
"""Mean of g(r) over the last quarter of the range that is used."""
CORE = (0.3, 0.6)
"""Of the main peak's position: there atoms are never, also in molecules, whose bonds are the main peak."""
CORE_LIMIT = 0.3
"""Median of g in the core above which density or normalisation are wrong."""
DOUBTFUL = 0.1
"""The same of a g(r) as it is; noisy data leave half of it where their negative values are set to zero."""
_HIGHEST = 1e5
_SPIKE = (100.0, 20.0)
_GAP = (3.0, 0.4)
_FALL = (0.2, 4.0)
_ZEROS = 3
_SEEN = 0.05
_FEWEST = 4
"""Points that an Akima spline needs, and how far beyond the last one it looks."""


class Doubt(NamedTuple):
    """What is wrong with a curve, and what would be accepted."""

    what: str
    accepted: str


def doubts(r: Array, g: Array, sigma: Array | None = None) -> Iterator[Doubt]:
    """Yield what is wrong with a g(r), worst first.

    Parameters
    ----------
    r
        Angstrom, increasing, shape [n].
    g, sigma
        g(r) and its standard error, shape [n].
    """
    if not np.all(np.isfinite(g)):
        at = r[~np.isfinite(g)][0]
        yield Doubt(f"is not a number at {at:.4g} Angstrom", "a number at every point, 0 in the core")
        return
    low, high = int(np.argmin(g)), int(np.argmax(g))
    if g[low] < NEGATIVE:
        yield Doubt(
            f"is negative, {g[low]:.3g} at {r[low]:.4g} Angstrom",
            "g(r) >= 0 (votca-mlp target sets ripples in the core to zero)",
        )
    beside = max(g[max(high - 1, 0)], g[min(high + 1, len(g) - 1)])
    if g[high] > _HIGHEST or (g[high] > _SPIKE[0] and g[high] > _SPIKE[1] * beside and 0 < high < len(g) - 1):
        yield Doubt(f"is {g[high]:.3g} at {r[high]:.4g} Angstrom, beside {beside:.3g}", "g(r) without spikes")
        return
    yield from _holes(r, g)
    yield from _core(r, g)
    if sigma is not None:
        yield from sigma_doubts(r, g, sigma)


def undefined(table: Table, end: float) -> Doubt | None:
    """Return what keeps a target table from a grid: csg_resample takes all its points, whatever their flag.

    Parameters
    ----------
    table
        As it was read; points that are undefined (flag ``u``) or outside (``o``) may hold anything.
    end
        Last point of the grid, in the table's unit.
    """
    if len(table.x) < _FEWEST:
        return Doubt(f"has {len(table.x)} points", f"at least {_FEWEST}")
    beyond = np.searchsorted(table.x, end) + _FEWEST
    wrong = np.flatnonzero(~np.isfinite(table.y[:beyond]))
    if not len(wrong):
        return None
    first = int(wrong[0])
    line = f"{table.x[first]:g} {table.y[first]:g} {table.flags[first]}"
    return Doubt(f"has the line '{line}'", "a number at every point whatever its flag, 0 in the core")


def sigma_doubts(r: Array, g: Array, sigma: Array) -> Iterator[Doubt]:
    """Yield what is wrong with the errors of a g(r) or S(Q), both near one far out; shapes [n]."""
    wrong = ~np.isfinite(sigma) | (sigma < 0.0)
    if wrong.any():
        yield Doubt(
            f"has an error of {sigma[wrong][0]:g} at {r[wrong][0]:.4g}", "errors that are numbers >= 0"
        )
        return
    far = _last_quarter(r)
    mean = float(sigma[far].mean())
    if mean > 0.5 * max(1.0, float(np.abs(g[far]).mean())):
        yield Doubt(
            f"has errors of {mean:.3g} on average beyond {r[far][0]:.4g}, where its values are near one",
            "a standard error: is that column n(r), or another g(r)?",
        )


def zero_error(r: Array, g: Array, sigma: Array) -> Doubt | None:
    """Return where a g(r) with errors has none: weighted by them, that point would outweigh all others.

    Where hardly a pair is, in the core, a simulation's errors are 0; zeros everywhere stand for no errors.
    """
    there = g > _SEEN
    zero = there & (sigma == 0.0)
    if not zero.any() or not (sigma[there] > 0.0).any():
        return None
    first = int(np.flatnonzero(zero)[0])
    return Doubt(
        f"has an error of 0 at {r[first]:.4g} Angstrom, where g is {g[first]:.3g}, and others elsewhere",
        "errors above 0 wherever g is, or no column of errors",
    )


def core_mean(r: Array, g: Array) -> tuple[float, float, float]:
    """Return the median of g in the core, and where that begins and ends (Angstrom); nan without points."""
    beyond = r > 0.5
    if not beyond.any():
        return (float("nan"),) * 3
    peak = float(r[beyond][int(np.argmax(g[beyond]))])
    begin, end = CORE[0] * peak, CORE[1] * peak
    inside = (r >= begin) & (r <= end)
    if inside.sum() < 2:
        return float("nan"), begin, end
    return float(np.median(g[inside])), begin, end


def end_of(r: Array, g: Array) -> tuple[float, float]:
    """Return the mean of g over the last quarter of r, and where that begins (Angstrom)."""
    far = _last_quarter(r)
    return float(g[far].mean()), float(r[far][0])


def grows(r: Array, g: Array) -> bool:
    """Return whether the far half lies rather on a line through zero than on a level: T(r), not g(r)."""
    far = r >= 0.5 * (r[0] + r[-1])
    x, y = r[far], g[far]
    if len(x) < 8 or x[-1] < 1.5 * x[0]:
        return False
    proportional = y - x * float((x * y).sum() / (x * x).sum())
    level = y - y.mean()
    return float((proportional**2).sum()) < 0.5 * float((level**2).sum())


def _last_quarter(r: Array) -> NDArray[np.bool_]:
    return np.asarray(r >= r[-1] - 0.25 * (r[-1] - r[0]))


def _holes(r: Array, g: Array) -> Iterator[Doubt]:
    steps = np.diff(r)
    wide = np.flatnonzero(
        (steps > _GAP[0] * np.median(steps)) & (steps > _GAP[1]) & (np.maximum(g[1:], g[:-1]) > 0.1)
    )
    if len(wide):
        at = int(wide[0])
        yield Doubt(f"has no point between {r[at]:.4g} and {r[at + 1]:.4g} Angstrom", "g(r) without gaps")
    # a g(r) comes down to zero gradually, also between a bond and the next shell
    for k in np.flatnonzero((g[1:] == 0.0) & (g[:-1] > _FALL[0])).tolist():
        before = np.abs(np.diff(g[max(0, k - 3) : k + 1]))
        # one zero is what noise may leave of a small value
        gap = not g[k + 1 : k + 1 + _ZEROS].any()
        if gap and len(before) and g[k] > _FALL[1] * before.max():
            yield Doubt(
                f"falls from {g[k]:.3g} at {r[k]:.4g} Angstrom to 0 at the next point",
                "g(r) without gaps of zeros, and no zeros beyond the data",
            )
            return


def _core(r: Array, g: Array) -> Iterator[Doubt]:
    core, begin, end = core_mean(r, g)
    # data may begin outside the core
    if np.isfinite(core) and r[0] <= begin and core > max(DOUBTFUL, 0.02 * float(g.max())):
        yield Doubt(
            f"is {core:.2g} between {begin:.3g} and {end:.3g} Angstrom, where there are no atoms",
            "g(r) that is 0 in the core",
        )
