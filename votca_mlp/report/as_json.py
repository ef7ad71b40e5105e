"""A run's status as JSON, for programs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from votca_mlp.inverse.agreement import facts_of
from votca_mlp.inverse.final_checks import read_checks
from votca_mlp.report.status import progress
from votca_mlp.report.stopped import stopped_line
from votca_mlp.report.summary import StepSummary, summarise_run
from votca_mlp.report.time_left import time_left_line
from votca_mlp.report.verdict import verdict_lines


def status_json(
    directory: str | Path, interaction: str | None = None, state: str = "", *, running: bool | None
) -> str:
    """Return the status as JSON; what is not known is null.

    Parameters
    ----------
    interaction, state
        All of them when None or empty.
    running
        Whether a process works in the directory; None: that cannot be known.

    Raises
    ------
    UserError
        As :func:`votca_mlp.report.summary.summarise_run`.
    """
    summaries = summarise_run(directory, interaction, state)
    found = {
        "running": running,
        "stopped": stopped_line(directory).removeprefix("stopped: ") if running is False else None,
        "time_left": None if running is False else time_left_line(directory),
        "units": {"r": "Angstrom", "change": "eV", "density": "kg/m3", "temperature": "K", "pressure": "bar"},
        "iterations": [_row(summary, running) for summary in summaries],
        "checks": {
            name: found for name, found in read_checks(Path(directory)).items() if state in ("", name)
        },
        "verdict": verdict_lines(directory, interaction, state),
    }
    return json.dumps(found, indent=1, allow_nan=False)


def _row(summary: StepSummary, running: bool | None) -> dict[str, Any]:
    simulation, agreement = summary.simulation, summary.agreement
    means = {name: getattr(simulation, name) for name in ("temperature", "pressure", "density")}
    return {
        "step": summary.step,
        "state": summary.state or None,
        "interaction": summary.interaction,
        "so_far": progress(summary, running) if agreement is None else None,
        "agreement": None if agreement is None else facts_of(agreement),
        "change": summary.change,
        "corrected": summary.corrected,
        **{name: None if mean is None else _finite(asdict(mean)) for name, mean in means.items()},
        "steps_per_second": simulation.steps_per_second,
        "simulated_fs": simulation.time,
    }


def _finite(numbers: dict[str, float]) -> dict[str, float | None]:
    return {name: value if abs(value) < float("inf") else None for name, value in numbers.items()}
