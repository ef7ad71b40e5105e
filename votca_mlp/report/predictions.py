"""What the steps of a run with the rule ``gauss_newton`` predicted, and what then came."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from votca_mlp.runs.reading import step_directories
from votca_mlp.update.gauss_newton.report import in_words, read_report


def prediction_lines(directory: str | Path) -> list[str]:
    """Return chi2 by datum, predicted against found, of each step, and the last update in words.

    None where no step has such an update.

    Raises
    ------
    UserError
        A damaged report.
    """
    reports = by_step(directory)
    if not reports:
        return []
    lines = ["chi2 by datum; what the step before had predicted, and what was found:"]
    before: Mapping[str, Any] = {}
    for number, report in reports.items():
        data = {name: datum for facts in report.values() for name, datum in facts["data"].items()}
        lines += list(_of_step(number, data, before))
        before = data
    return [*lines, *in_words(reports[max(reports)])]


def by_step(directory: str | Path) -> dict[int, Mapping[str, Any]]:
    """Return the reports of a run's steps by number, in order."""
    found = {number: read_report(step) for number, step in step_directories(directory)}
    return {number: report for number, report in found.items() if report is not None}


def predicted_rms(directory: str | Path, name: str, state: str = "") -> dict[int, float]:
    """Return the RMS that was predicted for an interaction's g(r), by the step that it was predicted for."""
    datum = f"{state}/{name}" if state else name
    return {
        number + 1: facts["data"][datum]["rms_predicted"]
        for number, report in by_step(directory).items()
        for facts in report.values()
        if datum in facts["data"]
    }


def _of_step(number: int, data: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    for name, datum in data.items():
        key, digits = ("value", ".6g") if "value" in datum else ("rms", ".4f")
        earlier = before.get(name)
        kind = "predicted" if key == "value" else "rms_predicted"
        predicted = "" if earlier is None else f", predicted {earlier[kind]:{digits}}"
        what = "" if key == "value" else "rms "
        yield f"  {number:4d}  {name}: chi2 {datum['chi2']:.3g}, {what}{datum[key]:{digits}}{predicted}"
