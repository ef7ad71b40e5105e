"""``votca-mlp status``: a run in one line an iteration."""

import shutil
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.cli.types import Interaction, RunDirectory

_Json = Annotated[bool, typer.Option("--json", help="The same as JSON, in numbers.")]


def status(directory: RunDirectory = Path("."), interaction: Interaction = None, json: _Json = False) -> None:
    """Print one line an iteration (agreement, change of u, density, temperature, speed), and what they say.

    That is whether the run has worked, why it has stopped or how long it will take, and the first iteration
    against the last.
    """
    from votca_mlp.report.checks import check_lines
    from votca_mlp.report.outcome import outcome_lines
    from votca_mlp.report.predictions import prediction_lines
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

        typer.echo(status_json(directory, interaction, running=running))
        return
    summaries = summarise_run(directory, interaction)
    width = shutil.get_terminal_size().columns
    _show(status_lines(summaries, running=running, width=width))
    _show([*filter(None, [legend(summaries)]), *state_lines(directory)], width)
    now = stopped_line(directory) if running is False else time_left_line(directory)
    _show([] if now is None else [now], width)
    measured = {summary.step for summary in summaries if summary.agreement is not None}
    if len(measured) > 1:
        _show(["", *outcome_lines(directory, interaction)])
    predictions = prediction_lines(directory)
    if predictions:
        _show(["", *predictions], width)
    checked = check_lines(directory)
    if checked:
        _show(["", *checked])
    if measured:
        _show(["", *verdict_lines(directory, interaction)], width)


def _show(lines: Iterable[str], width: int | None = None) -> None:
    """Print lines; longer ones than ``width`` are broken at blanks."""
    for line in lines:
        typer.echo(line if width is None or len(line) <= width else _broken(line, width))


def _broken(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(line, max(width, 40), subsequent_indent=indent, break_long_words=False)
