"""Where a g(r) agrees with its target within noise, and where it does not."""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WINDOW = 0.25
"""Angstrom: the differences of so many neighbouring points are judged together."""
SIGMAS = 2.0
"""Root mean square difference in a window, in standard errors, above which it is no noise.

Of n independent points the mean square of noise is 1 +- sqrt(2/n): 4 is far out for those of a window.
"""

_MUCH = 0.25
_LISTED = 4


class Range(NamedTuple):
    """From where to where, Angstrom."""

    begin: float
    end: float


def beyond_noise(r: Array, difference: Array, variance: Array) -> list[Range] | None:
    """Return the ranges in which g differs from its target by more than noise; None without any error.

    Parameters
    ----------
    r
        Evenly spaced, Angstrom, shape [n].
    difference, variance
        g - target and the variance of both together, shape [n]; a variance of 0 stands for one that is not
        known (a distance at which no pair has been).
    """
    known = variance > 0.0
    if not known.any():
        return None
    # where no pair has come, the error is taken to be as large as anywhere
    square = difference**2 / np.where(known, variance, variance.max())
    found: list[Range] = []
    edges = np.linspace(r[0], r[-1], max(1, round((r[-1] - r[0]) / WINDOW)) + 1)
    for k, (begin, end) in enumerate(itertools.pairwise(edges.tolist())):
        last = k == len(edges) - 2
        inside = (r >= begin - 1e-9) & ((r < end - 1e-9) | last)
        if not inside.any() or float(square[inside].mean()) <= SIGMAS**2:
            continue
        if found and begin - found[-1].end < 1e-6:
            found[-1] = Range(found[-1].begin, end)
        else:
            found.append(Range(begin, end))
    return found


DISAGREES = "g(r) does not agree with its target within noise"
"""What :func:`described_noise` begins with where much of the range is beyond noise."""


def described_noise(ranges: list[Range] | None, begin: float, end: float) -> str:
    """Return where g(r) agrees with its target, in words; ``begin`` and ``end`` of what was compared."""
    compared = f"from {begin:.3g} to {end:.3g} Angstrom"
    if ranges is None:
        return f"no errors are known {compared}: whether g(r) agrees within noise cannot be said"
    if not ranges:
        return f"g(r) agrees with its target within noise {compared}"
    first = ranges[0]
    if len(ranges) == 1 and first.end > end - 1e-6 and first.begin < begin + 1e-6:
        return f"{DISAGREES} anywhere {compared}"
    outside = sum(each.end - each.begin for each in ranges) / (end - begin)
    widest = sorted(sorted(ranges, key=lambda each: each.begin - each.end)[:_LISTED])
    listed = ", ".join(f"{each.begin:.3g} to {each.end:.3g}" for each in widest)
    if len(ranges) > _LISTED:
        more = len(ranges) - _LISTED
        listed += f" and in {more} narrower range{'' if more == 1 else 's'}"
    if outside > _MUCH:
        share = f"{100.0 * outside:.0f} % of {begin:.3g} to {end:.3g} Angstrom"
        return f"{DISAGREES} in {share}: {listed}"
    if len(ranges) == 1 and first.begin < begin + 1e-6:
        return f"g(r) agrees with its target within noise beyond {first.end:.3g} Angstrom; below it does not"
    return f"g(r) agrees with its target within noise {compared}, but not at {listed}"
