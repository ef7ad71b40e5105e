"""A run of many curves, g(r) of each state and interaction, in one line an iteration."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from votca_mlp.report.status import progress, with_error
from votca_mlp.report.summary import StepSummary

FEW = 3
"""So many curves are shown each by itself."""

_HEADINGS = (
    "step",
    "so far",
    "rms",
    "worst",
    "its rms",
    "its chi2",
    "du [meV]",
    "density [kg/m3]",
    "T [K]",
    "P [bar]",
)

Curve = tuple[str, str]
"""State (empty with one) and interaction."""


def curves_of(summaries: Sequence[StepSummary]) -> list[Curve]:
    """Return the curves of a run in their order."""
    return list(dict.fromkeys((summary.state, summary.interaction) for summary in summaries))


def worst_curve(summaries: Sequence[StepSummary], unfitted: Collection[str] = ()) -> Curve | None:
    """Return the curve of the largest rms in the last step that has all of them; None without one.

    Parameters
    ----------
    unfitted
        States of weight 0, which are not judged.
    """
    for number in sorted({summary.step for summary in summaries}, reverse=True):
        judged = _judged([summary for summary in summaries if summary.step == number], unfitted)
        if judged:
            worst = max(judged, key=_rms)
            return worst.state, worst.interaction
    return None


def unfitted_states(directory: str | Path) -> list[str]:
    """Return the states of weight 0; none without settings.xml, as of a run in Python.

    Raises
    ------
    UserError
        Settings that cannot be read.
    """
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.settings import load_settings

    settings = Path(directory) / "settings.xml"
    if not settings.is_file():
        return []
    return [state.name for state in plan_of(load_settings(settings)).states if state.weight == 0.0]


def iteration_lines(
    summaries: Sequence[StepSummary],
    unfitted: Collection[str] = (),
    *,
    running: bool | None = True,
    width: int | None = None,
) -> list[str]:
    """Return heading, a row an iteration, and what the columns mean.

    The rms is the root of the mean square of the curves' own, as where the loop names its best step; it is
    not given before all curves of the step are there.

    Parameters
    ----------
    unfitted
        States of weight 0, which are not judged.
    running
        Whether a process works in the directory; None: that cannot be known.
    width
        Lines that would be longer are cut between two columns, and the rest follows below.
    """
    steps = sorted({summary.step for summary in summaries})
    one_state = len({summary.state for summary in summaries}) == 1
    table = [list(_HEADINGS)]
    for number in steps:
        own = [summary for summary in summaries if summary.step == number]
        # densities of several states have no common one
        means = own[0].simulation if one_state else None
        table.append(
            [
                str(number),
                _so_far(own, running),
                *_agreement(_judged(own, unfitted)),
                _change(own),
                "-" if means is None else with_error(means.density, 1),
                "-" if means is None else with_error(means.temperature, 1),
                "-" if means is None else with_error(means.pressure, 0),
            ]
        )
    known = [k for k in range(len(_HEADINGS)) if k == 0 or any(row[k] != "-" for row in table[1:])]
    widths = {k: max(len(row[k]) for row in table) for k in known}
    parts = [known[:1]]
    for k in known[1:]:
        length = sum(widths[n] + 2 for n in [*parts[-1], k]) - 2
        if width is not None and length > width and len(parts[-1]) > 1:
            parts.append(known[:1])
        parts[-1] = [*parts[-1], k]
    lines: list[str] = []
    for part in parts:
        lines += [""] if lines else []
        lines += ["  ".join(row[k].rjust(widths[k]) for k in part) for row in table]
    return [*lines, _legend(curves_of(summaries), unfitted)]


def _legend(curves: Sequence[Curve], unfitted: Collection[str]) -> str:
    shown = sum(state not in unfitted for state, _ in curves)
    without = f", those of {' and '.join(unfitted)} (weight 0) left out" if 0 < shown < len(curves) else ""
    return (
        f"rms: of g - target, root mean square over {shown or len(curves)} curves{without}; worst: the curve "
        "of the largest; du: largest change of any u(r); --all shows every curve"
        + (", --state NAME those of one state" if len({state for state, _ in curves}) > 1 else "")
    )


def _judged(own: Sequence[StepSummary], unfitted: Collection[str]) -> list[StepSummary]:
    """Return the curves of a step that have a target; none before all are there."""
    fitted = [summary for summary in own if summary.state not in unfitted] or list(own)
    if any(summary.agreement is None for summary in fitted):
        return []
    return [summary for summary in fitted if np.isfinite(_rms(summary))]


def _rms(summary: StepSummary) -> float:
    return np.nan if summary.agreement is None else summary.agreement.rms


def _agreement(judged: Sequence[StepSummary]) -> list[str]:
    """Return the cells of rms, the worst curve, its rms and chi2."""
    if not judged:
        return ["-"] * 4
    worst = max(judged, key=_rms)
    assert worst.agreement is not None
    return [
        f"{np.sqrt(np.mean([_rms(summary) ** 2 for summary in judged])):.4f}",
        ", ".join(filter(None, (worst.state, worst.interaction))),
        f"{worst.agreement.rms:.4f}",
        "-" if worst.agreement.chi2 is None else f"{worst.agreement.chi2:.2f}",
    ]


def _change(own: Sequence[StepSummary]) -> str:
    known = [summary.change for summary in own if summary.change is not None]
    return f"{1000 * max(known):.2f}" if known else "-"


def _so_far(own: Sequence[StepSummary], running: bool | None) -> str:
    """Return how far a step is whose curves are not all there yet, by the first simulation under way."""
    missing = [summary for summary in own if summary.agreement is None]
    if not missing:
        return "-"
    begun = [summary for summary in missing if summary.simulation.begun] or missing
    return " ".join(filter(None, (begun[0].state, progress(begun[0], running))))
