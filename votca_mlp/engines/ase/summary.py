"""Means with errors of a finished step, and what is needed to reproduce it."""

from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.engines.ase.output import COLUMNS
from votca_mlp.ensemble.blocks import Means, means
from votca_mlp.versions import versions


def production_means(table: Path) -> Means:
    """Return mean, error and number of samples of each column of ``thermo.dat`` over the production."""
    rows = [line.split() for line in table.read_text().splitlines() if line.endswith(" production")]
    if not rows:
        return {}
    data = np.array([[float(word) for word in row[2:-1]] for row in rows])
    return means(dict(zip(COLUMNS[2:-1], data.T, strict=True)))


def make_summary(table: Path, **facts: Any) -> dict[str, Any]:
    """Return the summary that becomes ``md_step.json``: ``facts``, production means, versions."""
    return {**facts, "production": production_means(table), "versions": versions()}
