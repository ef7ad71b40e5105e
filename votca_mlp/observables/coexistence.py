"""Crystal and liquid in one box: how much is crystal, how fast the interfaces move, where they would rest.

Both phases' energies at the same temperature calibrate the fraction: it needs no picture of the structure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError

Array = NDArray[np.float64]
INTERVALS = 6
"""Of a simulation, whose growths give mean and error of the speed."""
ENDS = (0.15, 0.85)
"""Fractions of crystal between which both interfaces are whole."""
FEWEST = 3
"""Samples of each interval."""
RELAXED = 2000.0
"""Time that the joint of both halves needs, fs."""
SIGMAS = 2.0
"""Standard errors from which on a speed has a sign."""


@dataclass(frozen=True)
class Moving:
    """How the interfaces of a simulation have moved.

    Attributes
    ----------
    fraction
        Of crystal, by sample, shape [n].
    used
        Samples that count: from ``relaxed`` to where an end was reached.
    speed
        Of an interface, Angstrom/ps; above 0 the crystal grows. nan where one phase filled the box at once.
    direction
        1: the crystal grows, -1: it melts, 0: neither within the error.
    """

    fraction: Array
    used: slice
    speed: Estimate
    direction: int


def check_length(production: float, interval: float) -> None:
    """Refuse a coexistence (fs) that is too short for a speed, before hours of simulations.

    Raises
    ------
    UserError
        With the least length, or the time between samples that would do.
    """
    needed = RELAXED + INTERVALS * FEWEST * interval
    if production + interval < needed:
        closer = (production - RELAXED) / (INTERVALS * FEWEST)
        other = f", or samples every {closer:.3g} fs" if closer > 0.0 else ""
        raise UserError(
            f"a coexistence of {production:g} fs with samples every {interval:g} fs is too short: "
            f"{RELAXED:g} fs of it are for the joint, {INTERVALS * FEWEST} samples are needed after it",
            accepted=f"at least {needed:g} fs{other}",
        )


def interface_motion(
    energies: Array, solid: float, liquid: float, interval: float, length: float, *, relaxed: float = RELAXED
) -> Moving:
    """Return how the interfaces have moved.

    Parameters
    ----------
    energies
        Potential energy of an atom by sample, eV, shape [n].
    solid, liquid
        Those of both phases alone at the same temperature, eV.
    interval
        Between samples, fs.
    length
        Of the box if all of it were crystal, Angstrom: two interfaces share its growth.
    relaxed
        As :data:`RELAXED`.

    Raises
    ------
    UserError
        Fewer than three samples in each interval.
    """
    fraction = (liquid - np.asarray(energies, float)) / (liquid - solid)
    first = min(round(relaxed / interval), len(fraction) - 1)
    # single samples fluctuate across an end
    width = max(1, round(500.0 / interval))
    smooth = np.convolve(fraction, np.ones(width) / width, "same")
    # the convolution's own ends have fewer samples
    inner = slice(width // 2, len(fraction) - width // 2)
    outside = (smooth < ENDS[0]) | (smooth > ENDS[1])
    outside[: max(first, inner.start)] = False
    outside[inner.stop :] = False
    last = int(np.argmax(outside)) if outside.any() else len(fraction)
    used = slice(first, last)
    size = (last - first) // INTERVALS
    if size < FEWEST:
        if not outside.any():
            raise UserError(
                f"{last - first} samples after {relaxed:g} fs",
                accepted="a longer coexistence, or samples closer in time",
            )
        filled = 1 if smooth[last] > ENDS[1] else -1
        return Moving(fraction, used, Estimate(np.nan, np.nan), filled)
    parts = fraction[first : first + INTERVALS * size].reshape(INTERVALS, size).mean(axis=1)
    growth = 0.5 * length * np.diff(parts) / (1e-3 * interval * size)
    speed = Estimate(float(growth.mean()), float(growth.std(ddof=1) / np.sqrt(len(growth))))
    sure = abs(speed.mean) > SIGMAS * speed.error
    return Moving(fraction, used, speed, int(np.sign(speed.mean)) if sure else 0)


@dataclass(frozen=True)
class MeltingPoint:
    """Where the interfaces would rest.

    Attributes
    ----------
    temperature
        K: zero of a straight line through the speeds; None where they do not change sign.
    bracket
        K: the highest temperature at which the crystal grows, the lowest at which it melts; None for an end
        that was not found.
    mobility
        Slope of the line, Angstrom/ps/K, below zero.
    """

    temperature: Estimate | None
    bracket: tuple[float | None, float | None]
    mobility: Estimate | None


def melting_point(temperatures: Sequence[float], motions: Sequence[Moving]) -> MeltingPoint:
    """Return the melting temperature of interfaces that moved at temperatures (K).

    A weighted straight line through the speeds; its errors grow with the square root of its reduced chi^2
    where that is above 1.
    """
    t, direction = np.array(temperatures, float), np.array([motion.direction for motion in motions])
    v, error = (
        np.array([getattr(motion.speed, name) for motion in motions], float) for name in ("mean", "error")
    )
    grows, melts = t[direction > 0], t[direction < 0]
    bracket = (
        float(grows.max()) if len(grows) else None,
        float(melts.min()) if len(melts) else None,
    )
    known = np.isfinite(v)
    t, v, error = t[known], v[known], error[known]
    if None in bracket or len(np.unique(t)) < 2 or v.min() > 0.0 or v.max() < 0.0:
        return MeltingPoint(None, bracket, None)
    weights = 1.0 / np.square(np.maximum(error, 1e-9))
    middle = float(np.average(t, weights=weights))
    design = np.stack([np.ones_like(t), t - middle], axis=1)
    covariance = np.linalg.inv(design.T @ (weights[:, None] * design))
    offset, slope = covariance @ (design.T @ (weights * v))
    if slope >= 0.0:
        return MeltingPoint(None, bracket, None)
    if len(t) > 2:
        covariance *= max(1.0, float((weights * (v - design @ [offset, slope]) ** 2).sum()) / (len(t) - 2))
    # T = middle - offset/slope
    gradient = np.array([-1.0 / slope, offset / slope**2])
    spread = float(np.sqrt(gradient @ covariance @ gradient))
    return MeltingPoint(
        Estimate(middle - float(offset / slope), spread),
        bracket,
        Estimate(float(slope), float(np.sqrt(covariance[1, 1]))),
    )
