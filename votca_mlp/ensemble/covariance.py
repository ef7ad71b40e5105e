"""Covariances of values by frame, and their errors from blocks.

By linear response d<y>/d(parameter) = -cov(y, dU/d(parameter)) / kBT for a y that does not depend on the
parameter itself; for a pair potential on a grid dU/du(r_k) is the pair histogram (A. P. Lyubartsev and
A. Laaksonen, Phys. Rev. E 52, 3730 (1995)).
"""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError

Array = NDArray[np.float64]


def covariance(first: Array, second: Array, weights: Array | None = None) -> Array:
    """Return <y h> - <y><h>, shape [n_y, n_h].

    Without weights this is low by a factor of (n - 1)/n for independent frames.

    Parameters
    ----------
    first, second
        y and h of each frame, shape [n_frames, n_y] and [n_frames, n_h]; one-dimensional for one value.
    weights
        Of the frames, which sum to 1, shape [n_frames]; equal when None.
    """
    y, h = _columns(first), _columns(second)
    share = np.full(len(y), 1.0 / len(y)) if weights is None else np.asarray(weights, float)
    # deviations first: the product of the means may be many orders larger than the difference
    return np.asarray((y - share @ y).T @ ((h - share @ h) * share[:, None]))


def covariance_error(first: Array, second: Array, blocks: int = 10) -> Array:
    """Return the standard error of :func:`covariance` without weights, shape [n_y, n_h].

    From the scatter of its parts in consecutive blocks of equal length, with the means of all frames: right
    to leading order when a block is longer than the frames are correlated. Frames left over are not used.

    Raises
    ------
    UserError
        Fewer than two blocks, or fewer frames than blocks.
    """
    y, h = _columns(first), _columns(second)
    length = len(y) // blocks if blocks > 1 else 0
    if length == 0:
        raise UserError(
            f"{len(y)} frames cannot be cut into {blocks} blocks for the error of a covariance",
            accepted="at least two blocks and a frame for each",
        )
    y, h = y - y.mean(axis=0), h - h.mean(axis=0)
    parts = np.stack(
        [y[k * length : (k + 1) * length].T @ h[k * length : (k + 1) * length] for k in range(blocks)]
    )
    return np.asarray(parts.std(axis=0, ddof=1) / (length * np.sqrt(blocks)))


def _columns(values: Array) -> Array:
    values = np.asarray(values, float)
    return values.reshape(len(values), -1)
