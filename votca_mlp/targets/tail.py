"""The far end of a measured g(r), where it should be one."""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError

Array = NDArray[np.float64]

JOIN = 1.0
"""Length over which g is led to one beyond the data, Angstrom."""


def check_tail(r: Array, g: Array) -> list[str]:
    """Return notes on the last quarter of the data; refuse data that do not tend to one.

    Raises
    ------
    UserError
        When the mean there is not between 0.5 and 1.5: G(r), r^2 g or N(r) instead of g(r).
    """
    quarter = r >= r[-1] - 0.25 * (r[-1] - r[0])
    mean = float(g[quarter].mean())
    if not 0.5 <= mean <= 1.5:
        raise UserError(
            f"beyond {r[quarter][0]:g} Angstrom the data average to {mean:.3g}, not one",
            accepted="g(r) itself, not the reduced G(r) = 4 pi rho r (g - 1), r^2 g or a coordination number",
        )
    notes = []
    if abs(mean - 1.0) > 0.01:
        notes.append(
            f"tail: g averages to {mean:.3f} beyond {r[quarter][0]:.2f} A instead of one; left as it is"
        )
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
