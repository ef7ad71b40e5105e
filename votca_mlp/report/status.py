"""A run's summary as text, one line an iteration."""

from collections.abc import Sequence

import numpy as np

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.report.summary import StepSummary

_HEADINGS = (
    "step",
    "state",
    "interaction",
    "rms",
    "largest",
    "chi2",
    "peak",
    "du [meV]",
    "density [kg/m3]",
    "T [K]",
    "P [bar]",
    "steps/s",
)
LEGEND = (
    "rms, largest: g - target between 2 and 10 Angstrom; chi2: about 1 within noise; "
    "peak: height of g (target's); du: largest change of u by the update"
)


def status_lines(summaries: Sequence[StepSummary]) -> list[str]:
    """Return heading and rows with columns aligned; a column that nothing is known of is left out."""
    rows = [_cells(summary) for summary in summaries]
    columns = [k for k in range(len(_HEADINGS)) if k in (0, 2) or any(row[k] != "-" for row in rows)]
    table = [[_HEADINGS[k] for k in columns], *[[row[k] for k in columns] for row in rows]]
    widths = [max(len(row[k]) for row in table) for k in range(len(columns))]
    return ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in table]


def with_error(estimate: Estimate | None, decimals: int) -> str:
    """Return ``1023.4(12)``, the error in units of the last decimal; ``-`` when nothing is known."""
    if estimate is None:
        return "-"
    value = f"{estimate.mean:.{decimals}f}"
    # a quantity that is held fixed has no error
    if not np.isfinite(estimate.error) or estimate.error == 0.0:
        return value
    return f"{value}({round(estimate.error * 10**decimals)})"


def _cells(summary: StepSummary) -> list[str]:
    simulation = summary.simulation
    if summary.agreement is None:
        measures = [_progress(summary), "-", "-", "-"]
    else:
        a = summary.agreement
        height = with_error(Estimate(a.peak.height, a.peak.height_error), 3)
        measures = [
            f"{a.rms:.4f}",
            f"{a.largest:.4f}",
            "-" if a.chi2 is None else f"{a.chi2:.2f}",
            f"{height} ({a.target_peak.height:.3f})",
        ]
    return [
        str(summary.step),
        summary.state or "-",
        summary.interaction,
        *measures,
        "-" if summary.change is None else f"{1000 * summary.change:.2f}",
        with_error(simulation.density, 1),
        with_error(simulation.temperature, 1),
        with_error(simulation.pressure, 0),
        "-" if simulation.steps_per_second is None else f"{simulation.steps_per_second:.1f}",
    ]


def _progress(summary: StepSummary) -> str:
    """Return how far a simulation is whose g(r) is not there yet."""
    if summary.simulation.time is not None:
        return f"{summary.simulation.time / 1000:.2f} ps"
    # with one state the step itself would not be there
    return "waiting" if summary.state and not summary.simulation.begun else "running"
