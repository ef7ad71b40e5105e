"""``votca-mlp status``: a run in one line an iteration."""

from pathlib import Path

import typer

from votca_mlp.cli.types import Interaction, RunDirectory


def status(directory: RunDirectory = Path("."), interaction: Interaction = None) -> None:
    """Print one line an iteration: agreement with the target, change of u, density, temperature, speed."""
    from votca_mlp.report.outcome import outcome_lines
    from votca_mlp.report.status import LEGEND, status_lines
    from votca_mlp.report.summary import summarise_run

    summaries = summarise_run(directory, interaction)
    for line in [*status_lines(summaries), LEGEND]:
        typer.echo(line)
    measured = {summary.step for summary in summaries if summary.agreement is not None}
    if len(measured) > 1:
        typer.echo("")
        for line in outcome_lines(directory, interaction):
            typer.echo(line)
