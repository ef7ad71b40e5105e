"""A run in numbers: one record an iteration."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from votca_mlp.inverse.agreement import agreement_with
from votca_mlp.report.simulation import Simulation, read_simulation
from votca_mlp.runs.reading import Run, RunStep, runs_of
from votca_mlp.tables import Table
from votca_mlp.targets.agreement import Agreement
from votca_mlp.units import EV_PER_KJMOL


@dataclass(frozen=True)
class StepSummary:
    """One iteration of one interaction. None: not known (yet).

    Attributes
    ----------
    step, interaction
        Number of the iteration, name of the interaction.
    state
        Name of the state of a run of several, else empty.
    simulation
        Temperature, density, speed and the like.
    agreement
        g(r) of this step's simulation against the target.
    change
        Largest change that the update after it made to u where the target is not zero, eV. A constant added
        to all of u is no change: u is compared with both at zero at the cutoff.
    corrected
        Whether the simulation ran with a u(r) that is not zero everywhere.
    """

    step: int
    interaction: str
    state: str
    simulation: Simulation
    agreement: Agreement | None
    change: float | None
    corrected: bool | None


def summarise_run(
    directory: str | Path, interaction: str | None = None, state: str = ""
) -> list[StepSummary]:
    """Return one record an iteration, state and interaction, in order of iteration.

    Parameters
    ----------
    interaction, state
        All of them when None or empty.

    Raises
    ------
    UserError
        As :func:`votca_mlp.runs.reading.runs_of`; also for tables whose grids differ.
    """
    runs = runs_of(directory, interaction, state)
    order = {name: k for k, name in enumerate(dict.fromkeys(run.state for run in runs))}
    runs.sort(key=lambda run: order[run.state])
    # every run has the same step directories
    return [
        _summarise(run, step) for k in range(len(runs[0].steps)) for run in runs for step in [run.steps[k]]
    ]


def _summarise(run: Run, step: RunStep) -> StepSummary:
    return StepSummary(
        step=step.number,
        interaction=run.name,
        state=run.state,
        simulation=read_simulation(step.directory, finished=step.distribution is not None),
        agreement=None if step.distribution is None else agreement_with(run.target, step.distribution),
        change=_change(step.before, step.after, run.target),
        corrected=None if step.before is None else bool(np.any(step.before.y)),
    )


def _change(before: Table | None, after: Table | None, target: Table) -> float | None:
    if before is None or after is None or before.x.shape != after.x.shape:
        return None
    difference = after.y - before.y
    difference = difference - difference[-1]
    known = np.interp(before.x, target.x, target.y) > 0.0
    return float(np.abs(difference[known]).max(initial=0.0)) * EV_PER_KJMOL
