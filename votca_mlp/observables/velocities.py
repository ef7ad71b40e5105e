"""Velocity autocorrelation of a trajectory, and self-diffusion by its integral (Green, Kubo).

D = 1/3 of the integral of C(t) = <v(0) v(t)> from 0 on. Velocities are differences of positions between two
frames. The sum of their products is then exactly half the slope of the mean square displacement at that time,
so frames need not be as close as for C(t) itself, and D of a straight line can be compared: C(t) shows when
the atoms have forgotten their velocities, and whether the line began before.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.units import M2_PER_S_PER_ANGSTROM2_PER_FS

Array = NDArray[np.float64]


def velocity_autocorrelation(positions: Array, interval: float, longest: int) -> Array:
    """Return C(t) at 0, 1, ... ``longest`` intervals, Angstrom^2/fs^2, over all atoms and beginnings.

    The motion of the (unweighted) centre of all atoms is taken out.

    Parameters
    ----------
    positions
        Unwrapped, Angstrom, shape [n_frames, n_atoms, 3].
    interval
        Time between frames, fs.

    Raises
    ------
    UserError
        Too few frames for the longest time.
    """
    velocities = np.diff(positions, axis=0) / interval
    velocities = velocities - velocities.mean(axis=1, keepdims=True)
    n, atoms = velocities.shape[:2]
    if longest >= n:
        raise UserError(
            f"{n + 1} frames {interval:g} fs apart have no velocities {longest * interval:g} fs apart",
            accepted="longer trajectories, or an earlier end of the integral",
        )
    products = [
        np.vdot(velocities[: n - lag], velocities[lag:]) / ((n - lag) * atoms) for lag in range(longest + 1)
    ]
    return np.array(products)


def integrated_diffusion(
    trajectories: Sequence[Array], interval: float, until: float
) -> tuple[Estimate, Array]:
    """Return D with its standard error in m^2/s, and the mean C(t) up to ``until`` (fs).

    Parameters
    ----------
    trajectories
        Unwrapped positions, Angstrom, each of shape [n_frames, n_atoms, 3]; their scatter gives the error.
    interval
        Time between frames, fs.
    until
        End of the integral, fs: when C(t) is 0 within its noise.

    Raises
    ------
    UserError
        Trajectories that are shorter.
    """
    longest = round(until / interval)
    curves = np.array([velocity_autocorrelation(x, interval, longest) for x in trajectories])
    values = interval / 3.0 * (curves.sum(axis=1) - 0.5 * curves[:, 0]) * M2_PER_S_PER_ANGSTROM2_PER_FS
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return Estimate(float(values.mean()), error), np.asarray(curves.mean(axis=0))
