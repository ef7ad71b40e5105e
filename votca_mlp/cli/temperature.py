"""``votca-mlp temperature``: one correction continuous in temperature from several."""

from pathlib import Path
from typing import Annotated

import typer


def temperature(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN_OR_TABLE[@T]...",
            help="Runs (main directory, settings.xml or step_NNN; they know their T), exported folders, or "
            "tables NAME.pot.new@T in K with --settings.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; it must not exist yet.")] = Path(
        "u_of_T.yaml"
    ),
    settings: Annotated[
        Path | None, typer.Option(help="settings.xml that bare tables belong to: model and interactions.")
    ] = None,
    extrapolate: Annotated[
        bool, typer.Option("--extrapolate", help="Allow temperatures outside those given. Recorded.")
    ] = False,
) -> None:
    """Join corrections of several temperatures into one u(r; T), exact at each and smooth between."""
    from votca_mlp.export.join import join

    joined = join(sources, out, settings=settings, extrapolate=extrapolate)
    correction, names = joined.file.correction, joined.file.names
    nodes = ", ".join(f"{kelvin:g}" for kelvin in correction.nodes)
    curve = "cubic spline" if len(correction.nodes) > 2 else "straight line"
    typer.echo(f"temperatures  {nodes} K, a {curve} between")
    for pair, spline in correction.terms[0].pairs.items():
        points = len(spline.coefficients) + 1
        typer.echo(
            f"interaction   {names[pair]}: {spline.first:g} to {spline.cutoff:g} Angstrom, {points} points"
        )
    pressures = {source.get("pressure") for source in joined.file.origin["sources"]} - {None}
    if len(pressures) > 1:
        bars = ", ".join(f"{bar:g}" for bar in sorted(pressures))
        typer.echo(f"pressures     of the runs differ: {bars} bar; u(r; T) then follows both T and pressure")
    noise = f"{joined.noise:.2f} times as large, at {joined.noisiest:.0f} K"
    typer.echo(f"errors        of the tables appear at most {noise}")
    outside = "allowed, with a warning" if extrapolate else "refused"
    typer.echo(f"outside       {correction.minimum:g} to {correction.maximum:g} K: {outside}")
    typer.echo(f"wrote {out}")
