"""The covariance of the data's errors: of independent ones, and of ones that belong together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Noise:
    """Sigma.

    Attributes
    ----------
    variances
        Its diagonal, shape [n].
    factor
        Its lower Cholesky factor, shape [n, n]; None where it is diagonal.
    """

    variances: Array
    factor: Array | None = None

    def whitened(self, x: Array) -> Array:
        """Return x, shape [n] or [n, m], as data that are independent and of unit variance."""
        if self.factor is None:
            root = np.sqrt(self.variances)
            return np.asarray(x / (root if x.ndim == 1 else root[:, None]))
        from scipy.linalg import solve_triangular

        return np.asarray(solve_triangular(self.factor, x, lower=True))

    def solved(self, x: Array) -> Array:
        """Return Sigma^-1 x, shape of x."""
        if self.factor is None:
            return np.asarray(x / (self.variances if x.ndim == 1 else self.variances[:, None]))
        from scipy.linalg import cho_solve

        return np.asarray(cho_solve((self.factor, True), x))

    @property
    def log_determinant(self) -> float:
        """log det Sigma."""
        if self.factor is None:
            return float(np.log(self.variances).sum())
        return float(2.0 * np.log(np.diag(self.factor)).sum())


def noise_of(variances: Array, shared: Array | None) -> Noise:
    """Return Sigma.

    Parameters
    ----------
    variances
        Its diagonal, shape [n].
    shared
        The covariance of what is not independent, shape [n, n]; None for independent errors.
    """
    if shared is None:
        return Noise(variances)
    sigma = shared.copy()
    sigma[np.diag_indices(len(variances))] = variances
    return Noise(variances, np.asarray(np.linalg.cholesky(sigma)))
