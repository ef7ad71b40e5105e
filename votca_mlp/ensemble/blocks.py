"""Means over the production of a step, with their errors."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

MIN_BLOCKS = 8
"""Fewer blocks give no usable error."""

Means = dict[str, dict[str, float | int | None]]
"""Mean, error and number of samples of each quantity."""


def means(columns: Mapping[str, NDArray[np.float64]]) -> Means:
    """Return mean, error and number of samples of each series, shape [n]."""
    return {
        name: {"mean": float(values.mean()), "error": block_error(values), "samples": len(values)}
        for name, values in columns.items()
    }


def block_error(values: NDArray[np.float64]) -> float | None:
    """Return the standard error of the mean of a correlated series, shape [n]; None when too short.

    Blocking of Flyvbjerg and Petersen, J. Chem. Phys. 91, 461 (1989): pairs are averaged again and again,
    and the largest error of all levels with at least ``MIN_BLOCKS`` blocks is taken.
    """
    errors: list[float] = []
    while len(values) >= MIN_BLOCKS:
        errors.append(float(values.std(ddof=1)) / float(np.sqrt(len(values))))
        even = len(values) // 2 * 2
        values = 0.5 * (values[0:even:2] + values[1:even:2])
    return max(errors, default=None)
