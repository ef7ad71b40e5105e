"""Whether a shared correction can still serve its states, or whether they contradict each other.

At each r the states' updates Delta_s are split into what the shared terms can follow, F_s (their weighted
least-squares fit, orthogonal to the rest under the weights W_s), and the rest R_s = Delta_s - F_s, which no
choice of the shared terms removes at once. Each part is compared with what the noise of g and g* alone would
put into it:

    shared = <sum_s W_s F_s^2 / E[sum_s W_s F_s^2]>_r,    rest = <sum_s W_s R_s^2 / E[sum_s W_s R_s^2]>_r

About 1 is noise. While a run converges both may be large; when shared has come down to the noise and rest
has not, the updates of the states cancel: no u of this kind fits all of them. Where the size of the noise is
not known, only the ratio of the two is, which is about 1 for noise.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LIMIT = 2.0
"""Above it a part is taken to be more than noise (1, or (n - 1)/(n - 3) with errors from n blocks)."""

RATIO = 10.0
"""Of rest to shared: above it the updates are taken to cancel where the noise is not known."""


@dataclass(frozen=True)
class Misfit:
    """The two parts of an interaction's misfit in units of their noise.

    ``known`` is False where the errors are only known up to a common factor.
    """

    shared: float
    rest: float
    known: bool = True

    @property
    def conflict(self) -> bool:
        """Whether the shared part is noise while the rest is not."""
        if not self.known:
            return self.rest > RATIO * self.shared
        return self.shared <= LIMIT < self.rest

    def __str__(self) -> str:
        if not self.known:
            ratio = self.rest / self.shared if self.shared > 0 else float("inf")
            return f"rest over shared part {ratio:.2f} (about 1 for noise, whose size no errors of g(r) tell)"
        return f"shared part {self.shared:.2f}, rest {self.rest:.2f} (1 is noise)"


def split_misfit(
    updates: Array, errors: Array, weights: Array, factors: Array, *, known: bool = True
) -> Misfit | None:
    """Split the states' updates at the points where all of them are determined.

    Parameters
    ----------
    updates, errors
        Delta_s(r) and their standard errors in one unit, shape [n_states, n]; nan where not determined.
        States of weight 0 are left out.
    weights
        W_s, shape [n_states].
    factors
        c_k(T_s), shape [n_states, K].
    known
        Whether the errors are known, not only their dependence on r.

    Returns
    -------
    None without errors, without a common point, or when there are no more states than terms.
    """
    used = weights > 0
    updates, errors, weights, factors = updates[used], errors[used], weights[used], factors[used]
    points = np.isfinite(updates).all(axis=0) & np.isfinite(errors).all(axis=0) & (errors > 0).any(axis=0)
    if not points.any() or np.linalg.matrix_rank(factors) >= len(weights):
        return None
    updates, errors = updates[:, points], errors[:, points]
    root = np.sqrt(weights)[:, None]
    basis, _ = np.linalg.qr(root * factors)
    projection = basis @ basis.T
    scaled, noise = root * updates, (root * errors) ** 2
    parts = []
    for matrix in (projection, np.eye(len(weights)) - projection):
        expected = (matrix**2).sum(axis=0) @ noise
        found = ((matrix @ scaled) ** 2).sum(axis=0)
        noisy = expected > 0
        parts.append(float(np.mean(found[noisy] / expected[noisy])))
    return Misfit(parts[0], parts[1], known)
