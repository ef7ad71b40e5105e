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
    scattering: Annotated[
        bool,
        typer.Option("--scattering", help="F(Q) of the data sets of <scattering> instead of g(r) and u(r)."),
    ] = False,
    state: Annotated[
        str,
        typer.Option("--state", help="One of several states; by default all, of F(Q) one has to be named."),
    ] = "",
) -> None:
    """Draw g(r) and u(r) by iteration against the target, or F(Q)."""
    if output.suffix.lower() not in _ENDINGS:
        raise UserError(
            f"'{output}' is not a picture that can be written",
            where="--output",
            accepted=", ".join(_ENDINGS),
        )
    from votca_mlp.files import atomic_write

    if scattering:
        if interaction is not None:
            raise UserError(
                "F(Q) is one sum over all interactions",
                where="--interaction",
                accepted="without --scattering",
            )
        from votca_mlp.report.scattering import plot_scattering

        figure = plot_scattering(directory, state)
    else:
        from votca_mlp.report.plot import plot_run

        figure = plot_run(directory, interaction, state)
    with atomic_write(output, "wb") as file:
        figure.savefig(file, format=output.suffix[1:].lower(), dpi=200)
    typer.echo(f"wrote {output}")
