"""The repulsive core of a measured g(r), where the truth is zero and the data hold ripples."""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.targets.plausible import CORE_LIMIT, core_mean

Array = NDArray[np.float64]

SMALL = 0.02
"""A g below this fraction of the main peak counts as zero when it never reaches zero."""

PEAK_RANGE = (0.6, 15.0)
"""Where the first peak of atoms may be, Angstrom (H2 at 0.74 is the shortest)."""


def first_rise(g: Array) -> int:
    """Return the index where g first exceeds half its maximum: the flank of the first real peak."""
    return int(np.argmax(g > 0.5 * g.max()))


def check_peak(r: Array, g: Array, unit: str) -> float:
    """Return the position of the first peak, Angstrom; refuse one that says the unit is wrong.

    Parameters
    ----------
    r
        Angstrom, shape [n].
    g
        Shape [n].
    unit
        The unit that the user named, for the message.

    Raises
    ------
    UserError
        No positive values; a first peak where no pair of atoms has one.
    """
    if g.max() <= 0.0:
        raise UserError("g(r) has no positive value", accepted="a measured g(r)")
    index = first_rise(g)
    while index + 1 < len(g) and g[index + 1] > g[index]:
        index += 1
    position = float(r[index])
    if not PEAK_RANGE[0] <= position <= PEAK_RANGE[1]:
        shown = position / 10.0 if unit == "nm" else position
        other = "angstrom" if unit == "nm" else "nm"
        raise UserError(
            f"the first peak is at {shown:g} {unit}",
            accepted=f"a first peak between {PEAK_RANGE[0]:g} and {PEAK_RANGE[1]:g} Angstrom; "
            f"are the data in {other}? (--unit {other})",
        )
    return position


def check_core(r: Array, g: Array, density: float) -> list[str]:
    """Return a note on g in the core, where it must be zero: the test of density and normalisation.

    Parameters
    ----------
    r, g
        Angstrom and g(r) as it comes from S(Q) or G(r), shape [n].
    density
        What it was made with, atoms per cubic Angstrom.

    Raises
    ------
    UserError
        When g is far from zero there.
    """
    core, begin, end = core_mean(r, g)
    if not np.isfinite(core):
        return []
    # g - 1 there goes with 1/density, and should be -1
    fits = density * (1.0 - core)
    hint = f"a density of {fits:.3g} would give 0" if fits > 0.0 else "no density gives 0"
    if abs(core) > CORE_LIMIT:
        raise UserError(
            f"g is {core:.2g} between {begin:.3g} and {end:.3g} Angstrom, where there are no atoms: "
            f"density or normalisation are wrong, or the data begin too late",
            accepted=f"g = 0 in the core ({hint}; the density is {density:g} atoms/A^3)",
        )
    if abs(core) > CORE_LIMIT / 6.0:
        return [f"core: g is {core:.2g} between {begin:.3g} and {end:.3g} A instead of 0 ({hint})"]
    return []


def clean_core(r: Array, g: Array, *, keep: bool = False) -> tuple[Array, list[str]]:
    """Return g with a clean core, and notes on what was changed.

    The core ends at the last point below the first peak where g is zero or negative; when g never falls
    that far, at the last point below 2 % of the main peak. Up to there g is set to zero. Negative values
    elsewhere become zero too, since no density is negative.

    Parameters
    ----------
    r, g
        Angstrom and g(r), shape [n].
    keep
        Leave positive ripples in the core as they are.
    """
    notes: list[str] = []
    cleaned = g.copy()
    rise = first_rise(g)
    below = np.flatnonzero(g[:rise] <= 0.0)
    if len(below) == 0:
        below = np.flatnonzero(g[:rise] < SMALL * g.max())
    if len(below) == 0:
        if rise > 0:
            low = int(np.argmin(g[:rise]))
            notes.append(
                f"core: g does not reach zero below the first peak (least {g[low]:.3g} at {r[low]:g} A)"
            )
    elif not keep:
        edge = int(below[-1])
        ripples = g[: edge + 1]
        changed = int(np.count_nonzero(ripples))
        if changed:
            notes.append(
                f"core: {changed} points up to {r[edge]:g} A set to zero "
                f"(ripples from {ripples.min():.3g} to {ripples.max():.3g})"
            )
        else:
            notes.append(f"core: g is zero up to {r[edge]:g} A, nothing changed")
        cleaned[: edge + 1] = 0.0
    else:
        notes.append(f"core: ripples up to {r[below[-1]]:g} A kept")
    negative = cleaned < 0.0
    if negative.any():
        notes.append(
            f"negative values: {int(negative.sum())} points set to zero (least {cleaned.min():.3g} "
            f"at {r[int(np.argmin(cleaned))]:g} A)"
        )
        cleaned[negative] = 0.0
    return cleaned, notes
