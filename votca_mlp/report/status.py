"""A run's summary as text, one line an iteration."""

from collections.abc import Sequence

import numpy as np

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.report.summary import StepSummary

_HEADINGS = (
    "step",
    "state",
    "interaction",
    "so far",
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
_NAMES = 3
"""Columns that say which iteration a row is of."""
_INTERACTION = 2
_SIMULATION = 9
"""From this column on: what a simulation has, whatever the interaction."""


def legend(summaries: Sequence[StepSummary]) -> str:
    """Return what the columns mean that are there; ranges of r are those of the run."""
    found = [summary.agreement for summary in summaries if summary.agreement is not None]
    compared = [a for a in found if np.isfinite(a.rms)]
    ranges = " or ".join(dict.fromkeys(f"{a.r_min:g} to {a.r_max:g} Angstrom" for a in compared))
    words = {
        f"rms, largest: g - target, {ranges}": bool(compared),
        "chi2: about 1 within noise": any(a.chi2 is not None for a in found),
        "peak: height of g (target's)": bool(found),
        "du: largest change of u by the update": any(s.change is not None for s in summaries),
    }
    return "; ".join(word for word, there in words.items() if there)


def status_lines(
    summaries: Sequence[StepSummary], *, running: bool | None = True, width: int | None = None
) -> list[str]:
    """Return heading and rows with columns aligned; a column that nothing is known of is left out.

    Parameters
    ----------
    running
        Whether a process works in the directory; None: that cannot be known.
    width
        Lines that would be longer are cut between two columns, and the rest follows below; of several
        interactions what is the simulation's follows below in one line a simulation.
    """
    rows = [_cells(summary, running) for summary in summaries]
    columns = _known(rows)
    table = [_HEADINGS, *rows]
    widths = {k: max(len(row[k]) for row in table) for k in columns}
    lines: list[str] = []
    # a column of equal names need not be repeated
    again = [k for k in columns if k == 0 or (k < _NAMES and len({row[k] for row in rows}) > 1)]
    own = len(columns)
    if width is not None and _INTERACTION in again:
        own = sum(k < _SIMULATION for k in columns)
    parts = _parts(columns[:own], again, widths, width)
    if columns[own:]:
        names = [k for k in columns[:own] if k in again and k != _INTERACTION]
        parts += _parts([*names, *columns[own:]], names, widths, width)
    for part in parts:
        lines += [""] if lines else []
        rows_of_part = ["  ".join(row[k].rjust(widths[k]) for k in part) for row in table]
        lines += rows_of_part if _INTERACTION in part else dict.fromkeys(rows_of_part)
    return lines


def status_table(summaries: Sequence[StepSummary], running: bool | None) -> list[list[str]]:
    """Return heading and rows as cells, without the columns that nothing is known of."""
    rows = [_cells(summary, running) for summary in summaries]
    columns = _known(rows)
    return [[row[k] for k in columns] for row in ([*_HEADINGS], *rows)]


def _known(rows: Sequence[Sequence[str]]) -> list[int]:
    return [k for k in range(len(_HEADINGS)) if k in (0, 2) or any(row[k] != "-" for row in rows)]


def _parts(
    columns: list[int], again: list[int], widths: dict[int, int], width: int | None
) -> list[list[int]]:
    """Return the columns of each part of a table that is no wider than ``width``, ``again`` in each."""
    parts = [[k for k in columns if k < _NAMES]]
    fewest = len(parts[0])
    for k in columns[fewest:]:
        length = sum(widths[n] + 2 for n in [*parts[-1], k]) - 2
        if width is not None and length > width and len(parts[-1]) > fewest:
            parts.append(list(again))
            fewest = len(again)
        parts[-1].append(k)
    return parts


def with_error(estimate: Estimate | None, decimals: int) -> str:
    """Return ``1023.4(12)``, the error in units of the last decimal; ``-`` when nothing is known."""
    if estimate is None:
        return "-"
    value = f"{estimate.mean:.{decimals}f}"
    # a quantity that is held fixed has no error but the rounding of its sums
    if not np.isfinite(estimate.error) or estimate.error <= 1e-12 * abs(estimate.mean):
        return value
    return f"{value}({round(estimate.error * 10**decimals)})"


def _cells(summary: StepSummary, running: bool | None) -> list[str]:
    simulation = summary.simulation
    if summary.agreement is None:
        measures = [progress(summary, running), "-", "-", "-", "-"]
    else:
        a = summary.agreement
        height = with_error(Estimate(a.peak.height, a.peak.height_error), 3)
        target = f" ({a.target_peak.height:.3f})" if np.isfinite(a.target_peak.height) else ""
        measures = [
            "-",
            # of an interaction without a target they are not known
            f"{a.rms:.4f}" if np.isfinite(a.rms) else "-",
            f"{a.largest:.4f}" if np.isfinite(a.largest) else "-",
            "-" if a.chi2 is None else f"{a.chi2:.2f}",
            height + target,
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


def progress(summary: StepSummary, running: bool | None) -> str:
    """Return how far a step is whose g(r) is not there yet."""
    simulation = summary.simulation
    if summary.state and not simulation.begun:
        # with one state the step itself would not be there
        return "waiting"
    time = "" if simulation.time is None else f"{simulation.time / 1000:.2f} ps"
    if running is False:
        return f"stopped at {time}" if time else "stopped"
    return time or "running"
