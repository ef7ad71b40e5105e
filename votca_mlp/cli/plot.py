"""``votca-mlp plot``: the picture of a run."""

from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.cli.types import Interaction, RunDirectory
from votca_mlp.errors import UserError

_ENDINGS = (".png", ".pdf", ".svg")


def plot(
    directory: RunDirectory = Path("."),
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture: .png, .pdf or .svg.")] = Path(
        "run.png"
    ),
    interaction: Interaction = None,
) -> None:
    """Draw g(r) and u(r) by iteration against the target."""
    if output.suffix.lower() not in _ENDINGS:
        raise UserError(
            f"'{output}' is not a picture that can be written",
            where="--output",
            accepted=", ".join(_ENDINGS),
        )
    from votca_mlp.files import atomic_write
    from votca_mlp.report.plot import plot_run

    figure = plot_run(directory, interaction)
    with atomic_write(output, "wb") as file:
        figure.savefig(file, format=output.suffix[1:].lower(), dpi=200)
    typer.echo(f"wrote {output}")
