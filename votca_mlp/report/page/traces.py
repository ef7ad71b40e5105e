"""Temperature, pressure and density over all simulations of a run, one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.shared.result import production_mean, read_facts
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.observables.store import NAME as BY_FRAME
from votca_mlp.observables.store import read_observables
from votca_mlp.report.plot import TARGET_COLOUR
from votca_mlp.report.status import with_error
from votca_mlp.runs.reading import Run, RunStep
from votca_mlp.trajectories.recorded import read_recorded

Array = NDArray[np.float64]

QUANTITIES = {
    "density[kg/m3]": "density (kg/m³)",
    "temperature[K]": "temperature (K)",
    "pressure[bar]": "pressure (bar)",
}
"""Names in what the engines record, and the labels of their axes."""
_DECIMALS = {"density[kg/m3]": 1, "temperature[K]": 1, "pressure[bar]": 0}
_POINTS = 900
_PALE, _DARK, _MEAN = "0.75", "#7aa6c2", "#1f4e79"


@dataclass(frozen=True)
class Trace:
    """A quantity in one step.

    Attributes
    ----------
    step
        Its number.
    values
        In the order of time, shape [n].
    production
        Which of them count, shape [n].
    mean
        Over the production, None as long as it runs.
    """

    step: int
    values: Array
    production: NDArray[np.bool_]
    mean: Estimate | None


def read_traces(run: Run) -> dict[str, list[Trace]]:
    """Return the traces of a state's steps by quantity; what no step has recorded is left out."""
    found: dict[str, list[Trace]] = {}
    for step in run.steps:
        facts = read_facts(step.directory)
        for name, (values, production) in _recorded(step).items():
            trace = Trace(step.number, values, production, production_mean(facts, name))
            found.setdefault(name, []).append(trace)
    return {name: found[name] for name in QUANTITIES if name in found}


def _recorded(step: RunStep) -> dict[str, tuple[Array, NDArray[np.bool_]]]:
    """Return the values of each quantity and which of them are of the production."""
    table = read_recorded(step.directory)
    frames = _by_frame(step)
    first = frames[0] if frames is not None else None
    found = {}
    for name in QUANTITIES:
        rows = [(number, row) for number, row in table.items() if name in row]
        if rows:
            counted = [
                row.get("stage", 2.0) == 2.0 if first is None else number >= first for number, row in rows
            ]
            found[name] = np.array([row[name] for _, row in rows]), np.array(counted, bool)
        elif frames is not None and name in frames[1]:
            # mdrun keeps no table: what was measured on the frames is of the production
            values = frames[1][name]
            found[name] = values, np.ones(len(values), bool)
    return found


def _by_frame(step: RunStep) -> tuple[int, Mapping[str, Array]] | None:
    """Return the MD step at which the production begins, and values by frame; None where nothing is kept."""
    if not (step.directory / BY_FRAME).is_file():
        return None
    try:
        observed = read_observables(step.directory)
    except UserError:
        return None
    if not observed.n_frames:
        return None
    named = {f"{name}[{series.unit}]": series.values for name, series in observed.series.items()}
    return int(observed.steps[0]), named


def is_constant(trace: Trace) -> bool:
    """Return whether a quantity does not move at all, as the density at constant volume."""
    return len(trace.values) > 1 and float(np.ptp(trace.values)) <= 1e-6 * float(abs(trace.values).max())


def paint_trace(panel: Any, name: str, traces: Sequence[Trace], wanted: float | None) -> None:
    """Draw a quantity: each step has a unit of the axis, its mean over the production a bar."""
    total = sum(len(trace.values) for trace in traces)
    stride = max(1, total // _POINTS)
    usual = max(len(trace.values) for trace in traces)
    for trace in traces:
        # a step that still runs is as far along as it has values
        n = len(trace.values) if trace.mean is not None else usual
        x = trace.step - 0.5 + (np.arange(len(trace.values)) + 0.5) / n
        values = np.where(trace.production, trace.values, np.nan)
        panel.plot(x[::stride], trace.values[::stride], color=_PALE, lw=0.6, zorder=1)
        panel.plot(x[::stride], values[::stride], color=_DARK, lw=0.6, zorder=2)
        if trace.mean is not None and trace.production.any():
            ends = x[trace.production][[0, -1]]
            panel.plot(ends, [trace.mean.mean] * 2, color=_MEAN, lw=2.0, zorder=4)
    if wanted is not None:
        panel.axhline(wanted, color=TARGET_COLOUR, lw=0.9, ls="--", zorder=3)
    panel.set(xlabel="iteration", ylabel=QUANTITIES[name])
    panel.set_xlim(traces[0].step - 0.5, traces[-1].step + 0.5)
    # of one iteration, too, no parts of it
    panel.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    _bound(panel, traces, wanted)


def _bound(panel: Any, traces: Sequence[Trace], wanted: float | None) -> None:
    """Choose the range by the production: the first moments of a run would flatten all the rest."""
    values = np.concatenate([trace.values[trace.production] for trace in traces])
    if not len(values):
        return
    low, high = np.percentile(values, [0.1, 99.9])
    low, high = (min(low, wanted), max(high, wanted)) if wanted is not None else (low, high)
    pad = 0.08 * (high - low) + 1e-6 * max(abs(high), 1.0)
    panel.set_ylim(low - pad, high + pad)


def described_trace(name: str, traces: Sequence[Trace], wanted: float | None) -> str:
    """Return what the picture of a quantity shows."""
    label = QUANTITIES[name]
    means = [trace for trace in traces if trace.mean is not None]
    steps = f"s of iterations {traces[0].step} to {traces[-1].step}"
    if traces[0].step == traces[-1].step:
        steps = f" of iteration {traces[0].step}"
    text = f"{label[0].upper()}{label[1:]} in the simulation{steps}"
    if means:
        first, last = means[0], means[-1]
        assert first.mean is not None
        assert last.mean is not None
        decimals = _DECIMALS[name]
        text += f"; mean {with_error(first.mean, decimals)} in iteration {first.step}"
        text += f", {with_error(last.mean, decimals)} in iteration {last.step}" if last is not first else ""
    return text + ("" if wanted is None else f"; the dashed line is at {wanted:g}") + "."
