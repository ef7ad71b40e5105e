"""``votca-mlp status``: a run in one line an iteration."""

from pathlib import Path

import typer

from votca_mlp.cli.types import Interaction, RunDirectory


def status(directory: RunDirectory = Path("."), interaction: Interaction = None) -> None:
    """Print one line an iteration (agreement, change of u, density, temperature, speed) and the time left."""
    from votca_mlp.report.outcome import outcome_lines
    from votca_mlp.report.states import state_lines
    from votca_mlp.report.status import LEGEND, status_lines
    from votca_mlp.report.summary import summarise_run
    from votca_mlp.report.time_left import time_left_line

    summaries = summarise_run(directory, interaction)
    for line in [*status_lines(summaries), LEGEND]:
        typer.echo(line)
    for line in state_lines(directory):
        typer.echo(line)
    left = time_left_line(directory)
    if left is not None:
        typer.echo(left)
    measured = {summary.step for summary in summaries if summary.agreement is not None}
    if len(measured) > 1:
        typer.echo("")
        for line in outcome_lines(directory, interaction):
            typer.echo(line)
