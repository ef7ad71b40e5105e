"""What a run has achieved: before against after, with statistical errors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.report.status import with_error
from votca_mlp.report.summary import StepSummary, summarise_run


def outcome_lines(directory: str | Path, interaction: str | None = None) -> list[str]:
    """Return a few lines that compare the first iteration with the last.

    Numbers in brackets are standard errors in units of the last digit, from block averages.

    Raises
    ------
    UserError
        Fewer than two iterations with a g(r); also as :func:`votca_mlp.report.summary.summarise_run`.
    """
    done = [summary for summary in summarise_run(directory, interaction) if summary.agreement is not None]
    lines: list[str] = []
    for which in dict.fromkeys((summary.state, summary.interaction) for summary in done):
        lines += _one([summary for summary in done if (summary.state, summary.interaction) == which])
    if not lines:
        raise UserError("no g(r) yet", where=directory, accepted="a run with two finished iterations")
    return lines


def _one(done: Sequence[StepSummary]) -> list[str]:
    first, last = done[0], done[-1]
    if first is last or first.agreement is None or last.agreement is None:
        raise UserError(
            "only one iteration has a g(r)",
            where=f"interaction {first.interaction}",
            accepted="a run with two finished iterations",
        )
    before, after = first.agreement, last.agreement
    rows = [
        ("", f"iteration {first.step}", f"iteration {last.step}", "target"),
        ("RMS of g - target", *(with_error(Estimate(a.rms, a.rms_error), 4) for a in (before, after)), ""),
        *(
            [("reduced chi2", f"{before.chi2:.2f}", f"{after.chi2:.2f}", "1")]
            if before.chi2 is not None and after.chi2 is not None
            else []
        ),
        _peak_row("peak height", before.peak.height, before.peak.height_error, after.peak.height,
                  after.peak.height_error, before.target_peak.height),
        _peak_row("peak position [A]", before.peak.position, before.peak.position_error, after.peak.position,
                  after.peak.position_error, before.target_peak.position),
    ]  # fmt: skip
    for label, a, b, decimals in (
        ("density [kg/m3]", first.density, last.density, 1),
        ("temperature [K]", first.temperature, last.temperature, 1),
        ("pressure [bar]", first.pressure, last.pressure, 0),
    ):
        if a is not None and b is not None:
            rows.append((label, with_error(a, decimals), with_error(b, decimals), ""))
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    text = [
        f"{row[0]:<{widths[0]}}  " + "  ".join(row[k].rjust(widths[k]) for k in (1, 2, 3)) for row in rows
    ]
    alone = " (the model alone)" if first.corrected is False else ""
    name = f"{first.state}, {first.interaction}" if first.state else first.interaction
    return [f"{name}: first iteration{alone} against last", *(t.rstrip() for t in text)]


def _peak_row(
    label: str, before: float, before_error: float, after: float, after_error: float, target: float
) -> tuple[str, str, str, str]:
    return (
        label,
        with_error(Estimate(before, before_error), 3),
        with_error(Estimate(after, after_error), 3),
        f"{target:.3f}" if np.isfinite(target) else "",
    )
