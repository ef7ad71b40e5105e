"""``votca-mlp status``: a run in one line an iteration."""

import shutil
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.cli.types import RunDirectory

_Json = Annotated[bool, typer.Option("--json", help="The same as JSON, in numbers.")]
_State = Annotated[str, typer.Option("--state", help="One of several states; by default all.")]
_Interaction = Annotated[str | None, typer.Option(help="Name of one interaction; by default all.")]
_All = Annotated[bool, typer.Option("--all", help="Every curve by itself, also where there are many.")]


def status(
    directory: RunDirectory = Path("."),
    interaction: _Interaction = None,
    state: _State = "",
    every: _All = False,
    json: _Json = False,
) -> None:
    """Print one line an iteration (agreement, change of u, density, temperature, speed), and what they say.

    That is whether the run has worked, why it has stopped or how long it will take, and the first iteration
    against the last. Of more than three curves (states times interactions) a line has one rms over all of
    them and names the worst, and the words are about that one and those that do not agree; --all shows
    every curve. JSON has them all.
    """
    from votca_mlp.report.checks import check_lines
    from votca_mlp.report.curves import FEW, curves_of, iteration_lines, unfitted_states, worst_curve
    from votca_mlp.report.outcome import outcome_lines
    from votca_mlp.report.predictions import last_update, prediction_lines
    from votca_mlp.report.states import state_lines
    from votca_mlp.report.status import legend, status_lines
    from votca_mlp.report.stopped import stopped_line
    from votca_mlp.report.summary import summarise_run
    from votca_mlp.report.time_left import time_left_line
    from votca_mlp.report.verdict import verdict_lines
    from votca_mlp.runs.lock import is_held

    running = is_held(directory)
    if json:
        from votca_mlp.report.as_json import status_json

        typer.echo(status_json(directory, interaction, state, running=running))
        return
    summaries = summarise_run(directory, interaction, state)
    width = shutil.get_terminal_size().columns
    worst, many = None, not every and len(curves_of(summaries)) > FEW
    if many:
        unfitted = unfitted_states(directory)
        worst = worst_curve(summaries, unfitted)
        _show(iteration_lines(summaries, unfitted, running=running, width=width), width)
    else:
        _show(status_lines(summaries, running=running, width=width))
        _show(filter(None, [legend(summaries)]), width)
    if not state:
        _show(state_lines(directory), width)
    now = stopped_line(directory) if running is False else time_left_line(directory)
    _show([] if now is None else [now], width)
    measured = {summary.step for summary in summaries if summary.agreement is not None}
    if len(measured) > 1 and not many:
        _show(["", *outcome_lines(directory, interaction, state)])
    predictions = last_update(directory) if many else prediction_lines(directory, state)
    if predictions:
        _show(["", *predictions], width)
    checked = check_lines(directory, state)
    if checked:
        _show(["", *checked])
    if measured:
        _show(["", *verdict_lines(directory, interaction, state, curve=worst)], width)


def _show(lines: Iterable[str], width: int | None = None) -> None:
    """Print lines; longer ones than ``width`` are broken at blanks."""
    for line in lines:
        typer.echo(line if width is None or len(line) <= width else _broken(line, width))


def _broken(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(line, max(width, 40), subsequent_indent=indent, break_long_words=False)
