"""What the steps of a run with the rule ``gauss_newton`` predicted, and what then came."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from votca_mlp.runs.reading import step_directories
from votca_mlp.update.gauss_newton.report import in_words, read_report


@dataclass(frozen=True)
class Prediction:
    """What a step found of a datum, and what the step before had predicted.

    Attributes
    ----------
    step, datum
        Number of the step, name of the datum.
    chi2
        Of the datum.
    quantity
        ``rms``, or empty where the datum is a number.
    found, predicted
        As they are printed; ``predicted`` is empty in the first step.
    """

    step: int
    datum: str
    chi2: float
    quantity: str
    found: str
    predicted: str


def prediction_lines(directory: str | Path, state: str = "") -> list[str]:
    """Return chi2 by datum (of a state), predicted against found, of each step, and the last update in words.

    None where no step has such an update.

    Raises
    ------
    UserError
        A damaged report.
    """
    lines = ["chi2 by datum; what the step before had predicted, and what was found:"]
    for item in predictions(directory):
        if not item.datum.startswith(datum_prefix(state)):
            continue
        what = f"{item.quantity} " if item.quantity else ""
        after = f", predicted {item.predicted}" if item.predicted else ""
        lines.append(f"  {item.step:4d}  {item.datum}: chi2 {item.chi2:.3g}, {what}{item.found}{after}")
    return [*lines, *last_update(directory)] if len(lines) > 1 else []


def datum_prefix(state: str) -> str:
    """Return what names of a state's data begin with; nothing with one state."""
    return f"{state}/" if state else ""


def predictions(directory: str | Path) -> Iterator[Prediction]:
    """Yield what was predicted and found, step by step.

    Raises
    ------
    UserError
        A damaged report.
    """
    before: Mapping[str, Any] = {}
    for number, report in by_step(directory).items():
        data = {name: datum for facts in report.values() for name, datum in facts["data"].items()}
        for name, datum in data.items():
            key, digits, quantity = ("value", ".6g", "") if "value" in datum else ("rms", ".4f", "rms")
            kind = "predicted" if key == "value" else "rms_predicted"
            predicted = f"{before[name][kind]:{digits}}" if name in before else ""
            yield Prediction(number, name, datum["chi2"], quantity, f"{datum[key]:{digits}}", predicted)
        before = data


def last_update(directory: str | Path) -> list[str]:
    """Return the last update in words; empty where no step has one."""
    reports = by_step(directory)
    return list(in_words(reports[max(reports)])) if reports else []


def by_step(directory: str | Path) -> dict[int, Mapping[str, Any]]:
    """Return the reports of a run's steps by number, in order."""
    found = {number: read_report(step) for number, step in step_directories(directory)}
    return {number: report for number, report in found.items() if report is not None}


def last_chi2(directory: str | Path, state: str = "") -> dict[str, float]:
    """Return chi2 of each datum of a state in the last step that has an update of the rule; else nothing."""
    reports = by_step(directory)
    before = datum_prefix(state)
    return {
        name.removeprefix(before): datum["chi2"]
        for facts in (reports[max(reports)].values() if reports else ())
        for name, datum in facts["data"].items()
        if name.startswith(before)
    }


def predicted_rms(directory: str | Path, name: str, state: str = "") -> dict[int, float]:
    """Return the RMS that was predicted for an interaction's g(r), by the step that it was predicted for."""
    datum = datum_prefix(state) + name
    return {
        number + 1: facts["data"][datum]["rms_predicted"]
        for number, report in by_step(directory).items()
        for facts in report.values()
        if datum in facts["data"]
    }
