"""What running one step's MD gives back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.files import atomic_write, read_json

SUMMARY = "md_step.json"
"""What every engine leaves in a finished step: means with errors, versions, inputs."""
THERMO = "thermo.dat"
"""Step, time (fs) and what is measured of a simulation that our own MD or LAMMPS runs; it grows."""


@dataclass(frozen=True)
class StepResult:
    """Outcome of an engine's ``run_step``.

    Attributes
    ----------
    status
        ``finished``: trajectory and final configuration are in place. ``checkpointed``: the deadline came
        first; calling again goes on from the checkpoint.
    steps_done, steps_total
        MD steps, equilibration included.
    steps_per_second
        Rate of this call, 0 when it made no step.
    summary
        Means with errors and what is needed to reproduce the run (only when finished).
    """

    status: Literal["finished", "checkpointed"]
    steps_done: int
    steps_total: int
    steps_per_second: float = 0.0
    summary: dict[str, Any] = field(default_factory=dict)


def read_facts(directory: Path) -> dict[str, Any]:
    """Return the summary of a step, empty where it is missing or damaged."""
    try:
        facts = read_json(directory / SUMMARY)
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def production_mean(facts: Mapping[str, Any], name: str) -> Estimate | None:
    """Return a mean over the production, such as ``density[kg/m3]``; None where a summary does not say it."""
    production = facts.get("production", {})
    entry = production.get(name) if isinstance(production, dict) else None
    if not isinstance(entry, dict) or not isinstance(entry.get("mean"), int | float):
        return None
    error = entry.get("error")
    return Estimate(float(entry["mean"]), float(error) if isinstance(error, int | float) else float("nan"))


def write_summary(directory: Path, summary: dict[str, Any]) -> None:
    """Write the summary of a finished step."""
    with atomic_write(directory / SUMMARY) as file:
        json.dump(summary, file, indent=1)
        file.write("\n")
