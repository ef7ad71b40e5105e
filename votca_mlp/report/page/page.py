"""The page of a run: everything that there is to say of it, in one file that can be sent."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib import resources
from pathlib import Path

from votca_mlp.inverse.plan import InversePlan
from votca_mlp.report.checks import check_tables
from votca_mlp.report.outcome import compared
from votca_mlp.report.page import markup
from votca_mlp.report.page.conditions import described_run, repeated, temperature_of
from votca_mlp.report.page.figures import (
    angle_figures,
    interaction_figures,
    scattering_figures,
    trace_figures,
)
from votca_mlp.report.page.recorded import SETTINGS, Recorded, read_recorded_run
from votca_mlp.report.page.svg import Pictures
from votca_mlp.report.predictions import last_update, predictions
from votca_mlp.report.states import state_lines
from votca_mlp.report.status import legend, status_table
from votca_mlp.report.stopped import error_of, stopped_line
from votca_mlp.report.summary import StepSummary, summarise_run
from votca_mlp.report.time_left import time_left_line
from votca_mlp.report.verdict import verdict_lines
from votca_mlp.runs.reading import Run, interaction_names, read_runs
from votca_mlp.tables import table_text
from votca_mlp.versions import VERSION

_FOLDERS = re.compile(r"(?<![\w.)])(?:/[^\s/:,]+)+/(?=[^\s/:,]+)")
"""Before the name of a file, in a message: no page names a machine's folders."""


def report_page(directory: str | Path, *, running: bool | None, now: datetime | None = None) -> str:
    """Return a run as an HTML page without anything from elsewhere: pictures, tables and style are in it.

    Parameters
    ----------
    directory
        Main directory of a run of either loop, also one that runs, has stopped, or came from Python.
    running
        Whether a process works in the directory; None: that cannot be known.
    now
        When the page is made; the clock's by default.

    Raises
    ------
    UserError
        No run there; settings or tables that cannot be read.
    """
    main = Path(directory)
    runs = [run for name in interaction_names(main) for run in read_runs(main, name)]
    states = list(dict.fromkeys(run.state for run in runs))
    summaries = summarise_run(main)
    recorded = read_recorded_run(main, states)
    title = _title(runs, states, recorded)
    pictures = Pictures()
    body = "\n".join(
        part
        for part in (
            f"<header><h1>{markup.text(title)}</h1>{_subtitle(main, summaries, running, now)}</header>",
            markup.section("verdict", "Verdict", *_verdict(main, summaries, running)),
            *(_agreement(run, pictures) for run in runs),
            *(_scattering(main, state, pictures) for state in states),
            markup.section("data", "Data, predicted and found", *_predictions(main)),
            markup.section("checks", "Checks outside the fit", *_checks(main, pictures)),
            *_traces(main, runs, states, pictures),
            markup.section("iterations", "Every iteration", *_iterations(summaries, running)),
            markup.section("run", "What was run", *described_run(recorded)),
            markup.section("tables", "Tables", *_downloads(runs)),
            markup.section("repeat", "To repeat it", *repeated(recorded)),
        )
        if part
    )
    return _document(title, body)


def _document(title: str, body: str) -> str:
    style = resources.files("votca_mlp.report.page").joinpath("style.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{markup.text(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n"
        f"</main>\n<footer><p>Made by votca-mlp {VERSION}. Numbers in brackets are standard errors in units "
        "of the last digit, from block averages.</p></footer>\n</body>\n</html>\n"
    )


def _title(runs: Sequence[Run], states: Sequence[str], recorded: Recorded) -> str:
    names = ", ".join(dict.fromkeys(run.name for run in runs))
    model = str(recorded.model.get("name") or recorded.model.get("calculator") or "").rstrip("/")
    of = f" of {model.rpartition('/')[2].removeprefix('builtin:')}" if model else ""
    several = f" in {len(states)} states" if len(states) > 1 else ""
    return f"Correction u(r){of}: {names}{several or _at(recorded)}"


def _at(recorded: Recorded) -> str:
    temperature = temperature_of(recorded.settings)
    return "" if temperature is None else f" at {temperature:g} K"


def _subtitle(
    main: Path, summaries: Sequence[StepSummary], running: bool | None, now: datetime | None
) -> str:
    when = (now or datetime.now().astimezone()).isoformat(sep=" ", timespec="minutes")
    last = max((summary.step for summary in summaries if summary.agreement is not None), default=0)
    done = f"{last} iteration{'' if last == 1 else 's'} with a g(r)"
    state = stopped_line(main) if running is False else (time_left_line(main) or "running")
    if running is False and error_of(main) is not None:
        state = "stopped by an error"
    return markup.paragraph(f"{done}; {state}. Page made {when}.", "subtitle")


def _verdict(main: Path, summaries: Sequence[StepSummary], running: bool | None) -> Iterator[str]:
    error = error_of(main) if running is False else None
    ended = [] if error is None else [f"stopped by an error: {_without_folders(error)}"]
    if not any(summary.agreement is not None for summary in summaries):
        yield markup.listing([*ended, "No g(r) yet: nothing can be said of it."])
        return
    yield markup.listing([*ended, *verdict_lines(main), *state_lines(main)])
    yield markup.side_by_side(markup.table(rows, title) for title, rows in compared(summaries).items())


def _without_folders(error: str) -> str:
    """Return an error without folders, and without a step that was its folder and begins what it says."""
    return re.sub(r"^(step_\d+): (?=\1: )", "", _FOLDERS.sub("", error))


def _agreement(run: Run, pictures: Pictures) -> str:
    named = f"{run.state}, {run.name}" if run.state else run.name
    return markup.section(
        f"agreement-{_word(named)}", f"{named}: g(r) and u(r)", interaction_figures(run, pictures)
    )


def _scattering(main: Path, state: str, pictures: Pictures) -> str:
    title = f"{state}: measured F(Q)" if state else "Measured F(Q)"
    return markup.section(f"scattering-{_word(state)}", title, scattering_figures(main, state, pictures))


def _predictions(main: Path) -> Iterator[str]:
    found = list(predictions(main))
    if not found:
        return
    rows = [["step", "datum", "chi2", "", "found", "predicted"]]
    rows += [
        [str(item.step), item.datum, f"{item.chi2:.3g}", item.quantity, item.found, item.predicted]
        for item in found
    ]
    yield markup.table(rows, "What the step before had predicted, and what was found", first_column=False)
    said = (
        "chi2 here is by the errors that the rule gives the data, its own allowance included; that of the "
        "verdict by the errors of simulation and target alone."
    )
    yield markup.paragraph(said, "note")
    yield markup.paragraph("Of the last step:")
    yield markup.listing(last_update(main))


def _checks(main: Path, pictures: Pictures) -> Iterator[str]:
    tables = check_tables(main)
    if not tables:
        return
    yield markup.paragraph(
        "Measured with the correction and without it; nothing of this is fitted, but a density that is among "
        "the data of gauss_newton."
    )
    captions = {
        state: f"{state}: uncorrected and corrected" if state else "Uncorrected and corrected"
        for state in tables
    }
    yield markup.side_by_side(markup.table(rows, captions[state]) for state, rows in tables.items())
    yield angle_figures(main, pictures)


def _traces(main: Path, runs: Sequence[Run], states: Sequence[str], pictures: Pictures) -> Iterator[str]:
    plan = _plan(main)
    said = markup.paragraph(
        "The simulations one after the other: pale while they equilibrate, blue where they count, with the "
        "mean as a bar."
    )
    for state in states:
        run = next(run for run in runs if run.state == state)
        figures = trace_figures(run, _wanted(plan, state), pictures)
        title = f"{state}: the simulations" if state else "The simulations"
        yield markup.section(f"simulations-{_word(state)}", title, *([said, figures] if figures else []))


def _plan(main: Path) -> InversePlan | None:
    """Return the plan; None for a run from Python, which has no settings.xml."""
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.settings import load_settings

    path = main / SETTINGS
    return plan_of(load_settings(path)) if path.is_file() else None


def _wanted(plan: InversePlan | None, state: str) -> dict[str, float]:
    """Return what the quantities of a state are held at, or are to become."""
    found = next((known for known in plan.states if known.name == state), None) if plan is not None else None
    if found is None:
        return {}
    wanted = {"temperature[K]": found.temperature}
    if found.density is not None:
        wanted["density[kg/m3]"] = float(found.density.values[0])
    if found.md.ensemble == "npt":
        wanted["pressure[bar]"] = found.md.pressure
    elif found.pressure is not None:
        wanted["pressure[bar]"] = float(found.pressure.values[0])
    return wanted


def _iterations(summaries: Sequence[StepSummary], running: bool | None) -> Iterator[str]:
    yield markup.table(status_table(summaries, running), "One line an iteration", first_column=False)
    if words := legend(summaries):
        yield markup.paragraph(words, "note")


def _downloads(runs: Sequence[Run]) -> Iterator[str]:
    """Yield links to the u(r) that the last g(r) was simulated with, and to the target."""
    links = []
    for run in runs:
        before = f"{run.state}-{run.name}" if run.state else run.name
        if run.measured:
            last = run.measured[-1]
            for ending, table in (("pot.cur", last.before), ("dist.new", last.distribution)):
                if table is not None:
                    links.append(
                        markup.download(f"{before}.{ending}.step{last.number}.txt", table_text(table))
                    )
        if run.target.known:
            links.append(markup.download(f"{before}.dist.tgt.txt", table_text(run.target)))
    yield markup.paragraph(
        "VOTCA's tables (nm, kJ/mol): u(r) that the last simulation ran with, its g(r), and the target."
    )
    yield f'<ul class="links">{"".join(f"<li>{link}</li>" for link in links)}</ul>'


def _word(name: str) -> str:
    """Return a name as part of an element's identity."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)
