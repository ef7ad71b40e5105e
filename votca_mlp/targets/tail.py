"""The far end of a measured g(r), where it should be one."""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.targets.plausible import ENDS, end_of, grows

Array = NDArray[np.float64]

JOIN = 1.0
"""Length over which g is led to one beyond the data, Angstrom."""


def check_tail(r: Array, g: Array) -> list[str]:
    """Return notes on the last quarter of the data; refuse data that do not tend to one.

    Raises
    ------
    UserError
        When the mean there is far from one, or data that grow with r: T(r), G(r), r^2 g, N(r), partials
        with weights, or another density.
    """
    mean, begin = end_of(r, g)
    if not ENDS[0] <= mean <= ENDS[1]:
        raise UserError(
            f"beyond {begin:g} Angstrom the data average to {mean:.3g}, not one",
            accepted="g(r) itself, not the reduced G(r) = 4 pi rho r (g - 1), r^2 g or a coordination number "
            "(--function names what it is)",
        )
    if grows(r, g):
        raise UserError(
            "the far half of the data grows in proportion to r",
            accepted="g(r) itself, not T(r) = 4 pi rho r g (--function T with --density)",
        )
    notes = []
    if abs(mean - 1.0) > 0.01:
        notes.append(f"tail: g averages to {mean:.3f} beyond {begin:.2f} A instead of one; left as it is")
    return notes


def extend(r: Array, g: Array, wanted: Array) -> Array:
    """Return g at ``wanted`` points beyond the data: a cubic from the last value and slope to one.

    The slope is that of a straight line through the last 0.5 Angstrom; one is reached, with slope zero,
    1 Angstrom beyond the data.

    Parameters
    ----------
    r, g
        The data, Angstrom, shape [n].
    wanted
        Points beyond r[-1], Angstrom, shape [m].
    """
    last = r >= r[-1] - 0.5
    slope = float(np.polyfit(r[last], g[last], 1)[0]) if last.sum() > 2 else 0.0
    t = np.clip((wanted - r[-1]) / JOIN, 0.0, 1.0)
    value = 2 * t**3 - 3 * t**2 + 1
    return np.asarray(1.0 + (g[-1] - 1.0) * value + slope * JOIN * (t**3 - 2 * t**2 + t))
