"""Means with errors of a finished step, and what is needed to reproduce it."""

from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.engines.ase.output import COLUMNS
from votca_mlp.engines.shared.stages import NAMES
from votca_mlp.ensemble.blocks import Means, means
from votca_mlp.versions import versions


def production_means(table: Path) -> Means:
    """Return mean, error and number of samples of each column of ``thermo.dat`` over the production.

    A column that is not finite is left out: the pressure of a model without stress.
    """
    stages = ("production", str(NAMES.index("production")))
    lines = [line.split() for line in table.read_text().splitlines() if not line.startswith("#")]
    rows = [words[2:-1] for words in lines if words and words[-1] in stages]
    if not rows:
        return {}
    columns = dict(zip(COLUMNS[2:-1], np.array(rows, float).T, strict=True))
    return means({name: values for name, values in columns.items() if np.isfinite(values).all()})


def make_summary(table: Path, **facts: Any) -> dict[str, Any]:
    """Return the summary that becomes ``md_step.json``: ``facts``, production means, versions."""
    return {**facts, "production": production_means(table), "versions": versions()}
