"""Shear viscosity from the fluctuations of the stress (Green, Kubo).

eta = V/(10 kB T) of the integral of <P(0):P(t)>, P the traceless part of the stress, whose five independent
components count alike in a liquid (Daivis and Evans, J. Chem. Phys. 100, 541 (1994)).
"""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.units import KB_EV_PER_K

MPAS_PER_EV_FS_PER_ANGSTROM3 = 0.1602176634
"""1 eV fs/Angstrom^3 in mPa s."""


def shear_viscosity(
    stress: NDArray[np.float64],
    interval: float,
    volume: float,
    temperature: float,
    *,
    until: float,
    pieces: int = 10,
) -> Estimate:
    """Return the shear viscosity and its standard error, mPa s.

    Parameters
    ----------
    stress
        With its kinetic part, at constant volume, eV/Angstrom^3, shape [n_frames, 3, 3].
    interval
        Time between frames, fs: the fastest decay of the stress takes some ten fs.
    volume, temperature
        Angstrom^3, K.
    until
        End of the integral, fs: when the correlation is 0 within its noise.
    pieces
        The series is cut into so many; their scatter gives the error.

    Raises
    ------
    UserError
        Pieces that are not twice as long as the integral.
    """
    longest, length = round(until / interval), len(stress) // pieces
    if length < 2 * longest:
        raise UserError(
            f"{pieces} pieces of {length * interval:g} fs for an integral to {until:g} fs",
            accepted="pieces at least twice as long",
        )
    traceless = 0.5 * (stress + np.swapaxes(stress, 1, 2))
    traceless = traceless - np.trace(traceless, axis1=1, axis2=2)[:, None, None] * np.eye(3) / 3.0
    # in a liquid the mean is zero: what a series of this length leaves of it is noise, and stays
    parts = traceless[: pieces * length].reshape(pieces, length, 9)
    products = np.array(
        [[np.vdot(p[: length - k], p[k:]) / (length - k) for k in range(longest + 1)] for p in parts]
    )
    integrals = interval * (products.sum(axis=1) - 0.5 * (products[:, 0] + products[:, -1]))
    values = MPAS_PER_EV_FS_PER_ANGSTROM3 * volume * integrals / (10.0 * KB_EV_PER_K * temperature)
    error = float(values.std(ddof=1) / np.sqrt(pieces)) if pieces > 1 else float("nan")
    return Estimate(float(values.mean()), error)
