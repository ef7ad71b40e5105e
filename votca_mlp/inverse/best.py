"""Which step of a run is the best one: a small RMS is worth nothing where the density has gone."""

from collections.abc import Sequence
from dataclasses import dataclass

NEAR = 0.02
"""Of the density wanted, within which the RMS decides."""


@dataclass(frozen=True)
class Found:
    """What a step has found.

    Attributes
    ----------
    step
        Its number.
    rms
        Of g(r) - target, all interactions.
    density
        kg/m^3, None where it is not known.
    """

    step: int
    rms: float
    density: float | None = None


def best_of(steps: Sequence[Found], wanted: float | None, near: float = NEAR) -> Found:
    """Return the step of the least RMS among those whose density is right, else that of the nearest density.

    Parameters
    ----------
    steps
        At least one.
    wanted
        kg/m^3; None where the density is held, or not known.
    near
        Relative difference that is right.
    """
    off = {
        found.step: abs(found.density / wanted - 1.0)
        for found in steps
        if wanted is not None and found.density is not None
    }
    if not off:
        return min(steps, key=lambda found: found.rms)
    right = [found for found in steps if off.get(found.step, near + 1.0) <= near]
    if right:
        return min(right, key=lambda found: found.rms)
    return min((found for found in steps if found.step in off), key=lambda found: off[found.step])
