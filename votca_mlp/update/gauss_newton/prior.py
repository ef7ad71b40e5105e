"""What is taken of u(r) before any data: a Gaussian process of an amplitude and a length.

    <u(r)> = 0,   <u(r) u(r')> = A^2 a(r) a(r') exp(-(r - r')^2 / (2 l^2)),   a(r) = (r_peak / r)^p

(without a(r): C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning, 2006, eq. 4.9).
Of all u(r) that explain the data alike the smallest and smoothest is the likeliest, and parts that the data
do not answer to stay zero. An error of a model is larger between neighbours than between distant atoms: A is
the amplitude at the main peak of g(r), and a(r) makes it fall off.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_JITTER = 1e-6
POWER = 3.0
"""p of the envelope: as Friedel oscillations fall off, the slowest part of a metal's pair interaction."""


def prior_root(centres: Array, length: float, peak: float) -> Array:
    """Return L with L L^T the covariance of the c_j for an amplitude of 1, shape [n, n].

    The coefficients of a cubic B-spline are nearly the values of u at the functions' centres (their Greville
    abscissae), so that these have the covariance of u there.

    Parameters
    ----------
    centres
        Shape [n].
    length
        l, in the unit of the centres.
    peak
        Where the envelope is 1, in the unit of the centres.
    """
    distance = (centres[:, None] - centres[None, :]) / length
    covariance = np.exp(-0.5 * distance**2)
    # two centres nearer than l are all but the same number: without this the root has rounding alone
    covariance[np.diag_indices(len(centres))] += _JITTER
    return np.asarray((peak / centres[:, None]) ** POWER * np.linalg.cholesky(covariance))
