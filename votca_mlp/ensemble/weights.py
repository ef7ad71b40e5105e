"""Weights of frames that stand for another potential than the one they were sampled with.

With dU_f the energy that the change of the potential adds to frame f, the ensemble of the new potential is
the old one with weights w_f proportional to exp(-dU_f / kBT) (R. W. Zwanzig, J. Chem. Phys. 22, 1420 (1954)).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def weights_of(energy_changes: Array, kbt: float) -> Array:
    """Return the weights of frames, which sum to 1, shape [n_frames].

    Parameters
    ----------
    energy_changes
        dU of each frame, in the unit of ``kbt``, shape [n_frames]. A constant in all of them cancels, and
        however large they are nothing overflows.
    kbt
        Boltzmann's constant times the temperature.
    """
    exponents = -np.asarray(energy_changes, float) / kbt
    weights = np.exp(exponents - exponents.max())
    return np.asarray(weights / weights.sum())


def effective_sample_size(weights: Array) -> float:
    """Return how many equally weighted frames are worth as much: (sum w)^2 / sum w^2 (L. Kish, 1965).

    The number of frames for equal weights, 1 when one frame has all. It counts frames, not independent ones.

    Parameters
    ----------
    weights
        Not negative, of any norm, shape [n_frames].
    """
    weights = np.asarray(weights, float)
    return float(weights.sum() ** 2 / (weights**2).sum())
