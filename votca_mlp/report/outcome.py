"""What a run has achieved: before against after, with statistical errors."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.report.status import with_error
from votca_mlp.report.summary import StepSummary, summarise_run
from votca_mlp.targets.agreement import Agreement


class Row(NamedTuple):
    """A line of the comparison, in words; ``target`` is empty where there is none."""

    quantity: str
    before: str
    after: str
    target: str = ""


def outcome_lines(directory: str | Path, interaction: str | None = None, state: str = "") -> list[str]:
    """Return a few lines that compare the first iteration with the last.

    Numbers in brackets are standard errors in units of the last digit, from block averages.

    Raises
    ------
    UserError
        Fewer than two iterations with a g(r); also as :func:`votca_mlp.report.summary.summarise_run`.
    """
    summaries = summarise_run(directory, interaction, state)
    if all(summary.agreement is None for summary in summaries):
        raise UserError("no g(r) yet", where=directory, accepted="a run with two finished iterations")
    found = compared(summaries)
    if not found:
        raise UserError(
            "only one iteration has a g(r)",
            where=f"interaction {summaries[0].interaction}",
            accepted="a run with two finished iterations",
        )
    return [line for title, rows in found.items() for line in (title, *aligned(rows))]


def compared(summaries: Sequence[StepSummary]) -> dict[str, list[Row]]:
    """Return first against last iteration by title, for each state and interaction that has two.

    The first row is the heading.
    """
    done = [summary for summary in summaries if summary.agreement is not None]
    found: dict[str, list[Row]] = {}
    for name in dict.fromkeys((summary.state, summary.interaction) for summary in done):
        own = [summary for summary in done if (summary.state, summary.interaction) == name]
        if len(own) > 1:
            found[_title(own[0])] = list(_rows(own[0], own[-1]))
    return found


def _title(first: StepSummary) -> str:
    alone = " (the model alone)" if first.corrected is False else ""
    name = f"{first.state}, {first.interaction}" if first.state else first.interaction
    return f"{name}: first iteration{alone} against last"


def _rows(first: StepSummary, last: StepSummary) -> Iterator[Row]:
    assert first.agreement is not None
    assert last.agreement is not None
    yield Row("", f"iteration {first.step}", f"iteration {last.step}", "target")
    yield from _agreement_rows(first.agreement, last.agreement)
    yield from _simulation_rows(first, last)


def aligned(rows: Sequence[Row]) -> list[str]:
    """Return rows as lines of text, their columns below one another."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(Row._fields))]
    text = [
        f"{row.quantity:<{widths[0]}}  "
        + "  ".join(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    return [line.rstrip() for line in text]


def _agreement_rows(before: Agreement, after: Agreement) -> Iterator[Row]:
    rms = [Estimate(agreement.rms, agreement.rms_error) for agreement in (before, after)]
    if np.isfinite(rms[1].mean):
        yield _row("RMS of g - target", rms[0], rms[1], 4)
    if before.chi2 is not None and after.chi2 is not None:
        yield Row("reduced chi2", f"{before.chi2:.2f}", f"{after.chi2:.2f}", "1")
    first, last, target = before.peak, after.peak, before.target_peak
    heights = [Estimate(peak.height, peak.height_error) for peak in (first, last)]
    yield _row("peak height", heights[0], heights[1], 3, target.height)
    positions = [Estimate(peak.position, peak.position_error) for peak in (first, last)]
    yield _row("peak position [A]", positions[0], positions[1], 3, target.position)


def _simulation_rows(first: StepSummary, last: StepSummary) -> Iterator[Row]:
    before, after = first.simulation, last.simulation
    for quantity, a, b, decimals in (
        ("density [kg/m3]", before.density, after.density, 1),
        ("temperature [K]", before.temperature, after.temperature, 1),
        ("pressure [bar]", before.pressure, after.pressure, 0),
    ):
        if a is not None and b is not None:
            yield _row(quantity, a, b, decimals)


def _row(quantity: str, before: Estimate, after: Estimate, decimals: int, target: float = np.nan) -> Row:
    """Return a row of numbers with their errors; a target that is nan is left out."""
    wanted = f"{target:.{decimals}f}" if np.isfinite(target) else ""
    return Row(quantity, with_error(before, decimals), with_error(after, decimals), wanted)
