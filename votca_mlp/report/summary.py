"""A run in numbers: one record an iteration."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.engines.shared.result import SUMMARY
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.runs.reading import Run, RunStep, interaction_names, read_runs
from votca_mlp.tables import Table
from votca_mlp.targets.agreement import Agreement, compare_tables
from votca_mlp.units import EV_PER_KJMOL

THERMO_FILE = "thermo.dat"


@dataclass(frozen=True)
class StepSummary:
    """One iteration of one interaction. None: not known (yet).

    Attributes
    ----------
    step, interaction
        Number of the iteration, name of the interaction.
    state
        Name of the state of a run of several, else empty.
    begun
        Whether the simulation has left any sign of itself.
    agreement
        g(r) of this step's simulation against the target.
    change
        Largest change that the update after it made to u where the target is not zero, eV. A constant added
        to all of u is no change: u is compared with both at zero at the cutoff.
    temperature, pressure, density
        Means over the production, K, bar, kg/m3; error nan when unknown.
    steps_per_second
        MD steps a second.
    time
        Simulated time so far, fs, of a step whose g(r) is not there yet.
    corrected
        Whether the simulation ran with a u(r) that is not zero everywhere.
    """

    step: int
    interaction: str
    agreement: Agreement | None
    change: float | None
    temperature: Estimate | None
    pressure: Estimate | None
    density: Estimate | None
    steps_per_second: float | None
    time: float | None
    corrected: bool | None = None
    state: str = ""
    begun: bool = True


def summarise_run(directory: str | Path, interaction: str | None = None) -> list[StepSummary]:
    """Return one record an iteration, state and interaction (all of them when None), in order of iteration.

    Raises
    ------
    UserError
        As :func:`votca_mlp.runs.reading.read_run`; also for tables whose grids differ.
    """
    names = interaction_names(directory) if interaction is None else [interaction]
    runs = [run for name in names for run in read_runs(directory, name)]
    order = {state: k for k, state in enumerate(dict.fromkeys(run.state for run in runs))}
    runs.sort(key=lambda run: order[run.state])
    # every run has the same step directories
    return [
        _summarise(run, step) for k in range(len(runs[0].steps)) for run in runs for step in [run.steps[k]]
    ]


def _summarise(run: Run, step: RunStep) -> StepSummary:
    facts = _step_file(step.directory)
    production = facts.get("production", {})
    speed = facts.get("steps_per_second")
    return StepSummary(
        step=step.number,
        interaction=run.name,
        state=run.state,
        begun=step.distribution is not None or _begun(step.directory),
        agreement=None if step.distribution is None else compare_tables(step.distribution, run.target),
        change=_change(step.before, step.after, run.target),
        temperature=_estimate(production, "temperature[K]"),
        pressure=_estimate(production, "pressure[bar]"),
        density=_estimate(production, "density[kg/m3]"),
        steps_per_second=float(speed) if isinstance(speed, int | float) else None,
        time=None if step.distribution is not None else _time_so_far(step.directory / THERMO_FILE),
        corrected=None if step.before is None else bool(np.any(step.before.y)),
    )


def _change(before: Table | None, after: Table | None, target: Table) -> float | None:
    if before is None or after is None or before.x.shape != after.x.shape:
        return None
    difference = after.y - before.y
    difference = difference - difference[-1]
    known = np.interp(before.x, target.x, target.y) > 0.0
    return float(np.abs(difference[known]).max(initial=0.0)) * EV_PER_KJMOL


def _step_file(directory: Path) -> dict[str, Any]:
    try:
        facts = json.loads((directory / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # other programs leave none; a report does without
        return {}
    return facts if isinstance(facts, dict) else {}


def _estimate(production: dict[str, Any], name: str) -> Estimate | None:
    entry = production.get(name)
    if not isinstance(entry, dict) or not isinstance(entry.get("mean"), int | float):
        return None
    error = entry.get("error")
    return Estimate(float(entry["mean"]), float(error) if isinstance(error, int | float) else float("nan"))


def _begun(directory: Path) -> bool:
    signs = (THERMO_FILE, SUMMARY, "*.part", "md.log")
    return any(path for sign in signs for path in directory.glob(sign))


def _time_so_far(path: Path) -> float | None:
    """Return the time in the last full line of a thermo.dat that may still be growing, fs."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 4096))
            lines = file.read().split(b"\n")[:-1]
        return float(lines[-1].split()[1])
    except (OSError, ValueError, IndexError):
        return None
