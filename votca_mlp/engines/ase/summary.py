"""Means with errors of a finished step, and what is needed to reproduce it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.ase.output import COLUMNS
from votca_mlp.versions import versions

MIN_BLOCKS = 8
"""Fewer blocks give no usable error."""


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


def production_means(table: Path) -> dict[str, dict[str, float | int | None]]:
    """Return mean, error and number of samples of each column of ``thermo.dat`` over the production."""
    rows = [line.split() for line in table.read_text().splitlines() if line.endswith(" production")]
    if not rows:
        return {}
    data = np.array([[float(word) for word in row[2:-1]] for row in rows])
    return {
        name: {"mean": float(column.mean()), "error": block_error(column), "samples": len(column)}
        for name, column in zip(COLUMNS[2:-1], data.T, strict=True)
    }


def make_summary(table: Path, **facts: Any) -> dict[str, Any]:
    """Return the summary that becomes ``md_step.json``: ``facts``, production means, versions."""
    return {**facts, "production": production_means(table), "versions": versions()}
