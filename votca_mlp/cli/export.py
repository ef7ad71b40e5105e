"""``votca-mlp export``: a corrected potential for other programs."""

import warnings
from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.export.formats import FORMATS

*_FIRST, _LAST = FORMATS
_FORMATS = f"One of {', '.join(_FIRST)} or {_LAST}."


def export(
    run: Annotated[
        Path,
        typer.Argument(
            help="Main directory of a run, its settings.xml, a file of 'votca-mlp temperature', or a model "
            "(a file .pt, builtin:al-hipnn), which is exported without a correction.",
            show_default=False,
        ),
    ] = Path("."),
    form: Annotated[str, typer.Option("--format", "-f", help=_FORMATS)] = "ase",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to make; it must not exist yet.")
    ] = Path("corrected"),
    step: Annotated[
        int | None, typer.Option(help="Step whose u(r) is taken, as in 'votca-mlp status'; default the last.")
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            help="Of a joined file: u(r; T) at this T in K. Without it the export follows the temperature."
        ),
    ] = None,
    extrapolate: Annotated[
        bool,
        typer.Option("--extrapolate", help="Of a joined file: allow T outside the fitted range. Recorded."),
    ] = False,
    model: Annotated[
        str | None, typer.Option(help="Of a joined file: where the model is now, if it was moved.")
    ] = None,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Of a joined file or a model file: allow kind 'ase' and pickled models, which can run any "
            "code.",
        ),
    ] = False,
    level: Annotated[
        str | None, typer.Option(help="Of a model file: level of theory, where it has several.")
    ] = None,
) -> None:
    """Write a corrected potential, or a model, for ASE, LAMMPS, TorchScript or as tables, and compare."""
    from votca_mlp.export.export import export as write_export

    with warnings.catch_warnings(record=True) as caught:
        result = write_export(
            run,
            form,
            output,
            step,
            temperature=temperature,
            extrapolate=extrapolate,
            model=model,
            trust=trust,
            level=level,
        )
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        typer.echo(f"warning: {text}", err=True)
    for comparison in result.comparisons:
        typer.echo(str(comparison))
    for reason in result.left_out:
        typer.echo(f"left out: {reason}")
    typer.echo(f"wrote {result.folder}: {', '.join(result.files)}")
