"""``votca-mlp target``: a measured g(r), S(Q) or a function of these to VOTCA's target table."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.errors import UserError
from votca_mlp.targets.choices import Core, Function, Spline, Tail, Unit, Window


def target(
    measured: Annotated[
        Path, typer.Argument(help="Columns r, g and optionally sigma (Q, S and sigma with --from-sq).")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Table to write; by default the settings' target.")
    ] = None,
    unit: Annotated[Unit, typer.Option(help="Unit of r (of 1/Q with --from-sq) in the file.")] = "angstrom",
    columns: Annotated[
        str | None, typer.Option(help="Columns of r, g and sigma, counted from 1, e.g. 1,2,3.")
    ] = None,
    options: Annotated[Path | None, typer.Option(help="settings.xml that holds the grid.")] = None,
    interaction: Annotated[str | None, typer.Option(help="Its interaction; by default the only one.")] = None,
    minimum: Annotated[float | None, typer.Option("--min", help="First grid point, nm.")] = None,
    maximum: Annotated[float | None, typer.Option("--max", help="Last grid point, nm.")] = None,
    step: Annotated[float | None, typer.Option("--step", help="Grid spacing, nm.")] = None,
    core: Annotated[Core, typer.Option(help="Ripples below the first peak: set to zero, or keep.")] = "zero",
    tail: Annotated[
        Tail, typer.Option(help="Data that end before the grid: refuse, or lead g to one.")
    ] = "refuse",
    spline: Annotated[Spline, typer.Option(help="Interpolation onto the grid.")] = "akima",
    from_sq: Annotated[
        bool, typer.Option("--from-sq", help="The file holds S(Q), or what --function says.")
    ] = False,
    function: Annotated[
        Function | None,
        typer.Option(
            help="What the file holds: g(r), g - 1, G = D = 4 pi rho r (g - 1), T = 4 pi rho r g, "
            "RDF = 4 pi rho r^2 g, S(Q), S - 1, Q (S - 1), F(Q) in barn/sr. By default g."
        ),
    ] = None,
    density: Annotated[
        float | None, typer.Option(help="Atoms per cubic Angstrom, for S(Q), G, D, T, RDF.")
    ] = None,
    isotopes: Annotated[
        str | None,
        typer.Option(help="For F(Q): the sample's one element or its isotopes, Al, 36Ar, H:0.4 D:0.6."),
    ] = None,
    sigma: Annotated[
        float | None, typer.Option(help="Standard error of all points, where no column has it.")
    ] = None,
    window: Annotated[
        Window, typer.Option(help="Window for S(Q); auto: none where S has reached one at Qmax, else lorch.")
    ] = "auto",
) -> None:
    """Turn a measured g(r) or S(Q) into a target table for VOTCA (nm) and say what was done to it."""
    from votca_mlp.tables import grid_points, write_table
    from votca_mlp.targets.build import target_from
    from votca_mlp.targets.measured import read_measured

    given = (minimum, maximum, step)
    if options is not None:
        if any(value is not None for value in given):
            raise UserError("both --options and --min, --max or --step", accepted="one of the two")
        grid_range, default_output = _from_settings(options, interaction)
        output = output or default_output
    elif minimum is None or maximum is None or step is None:
        raise UserError("no grid", accepted="--options settings.xml, or --min, --max and --step (nm)")
    else:
        grid_range = (minimum, maximum, step)
    if options is None and interaction is not None:
        raise UserError("--interaction without --options", accepted="--options settings.xml with it")
    if output is None:
        raise UserError("no file to write", accepted="--output NAME.dist.tgt")
    _check_output(output, measured, options)
    if not (0.0 <= grid_range[0] < grid_range[1] and 0.0 < grid_range[2] < grid_range[1] - grid_range[0]):
        raise UserError(
            "the grid is {} to {} nm in steps of {}".format(*grid_range), accepted="0 <= min < max, step > 0"
        )
    _refuse_unused(function, from_sq, {"--window": window, "--tail": tail, "--spline": spline})
    data = read_measured(measured, _columns(columns), sigma)
    grid = grid_points(*grid_range)
    table, notes = target_from(
        data,
        grid,
        unit=unit,
        core=core,
        tail=tail,
        spline=spline,
        function=function,
        of_q=from_sq,
        density=density,
        window=window,
        strength=_strength(function, isotopes),
    )
    write_table(output, table)
    for note in notes:
        typer.echo(note)
    typer.echo(f"wrote {output}: {len(table.x)} points, {table.x[0]:g} to {table.x[-1]:g} nm")


def _refuse_unused(function: Function | None, from_sq: bool, given: dict[str, str]) -> None:
    """Refuse options that the other way to g(r) has: they would change nothing (UserError)."""
    from votca_mlp.targets.functions import FUNCTIONS

    of_q = from_sq or (function is not None and FUNCTIONS[function].of_q)
    usual = {"--window": "auto"} if not of_q else {"--tail": "refuse", "--spline": "akima"}
    for name, value in usual.items():
        if given[name] != value:
            of = "functions of r" if of_q else "functions of Q"
            raise UserError(
                f"is for {of}, not for {function or ('S' if of_q else 'g')}",
                where=name,
                accepted=f"none, or --function with one of the {of}",
            )


def _check_output(output: Path, measured: Path, options: Path | None) -> None:
    """Refuse to write over anything but a target (UserError)."""
    from votca_mlp.tables import read_table

    if not output.exists():
        return
    if measured.exists() and output.samefile(measured):
        raise UserError("the table would replace the data", where=output, accepted="another --output")
    try:
        read_table(output)
    except UserError:
        raise UserError(
            "the table would replace something that is no table", where=output, accepted="another --output"
        ) from None
    if (other := _other_table(output, options)) is not None:
        raise UserError(f"the table would replace {other}", where=output, accepted="another --output")


def _other_table(output: Path, options: Path | None) -> str | None:
    """Return what a table is by its name, or to the settings of its folder or of the one around."""
    from votca_mlp.settings import load_settings
    from votca_mlp.settings.inputs import input_files

    output = Path(os.path.realpath(output))
    if re.search(r"\.d?pot\.\w+$", output.name):
        return "a potential"
    if any(re.fullmatch(r"step_\d{3,}", folder.name) for folder in output.parents[:2]):
        return "a file of a step"
    for path in (options, *(folder / "settings.xml" for folder in output.parents[:2])):
        if path is None or not path.is_file():
            continue
        try:
            settings = load_settings(path)
        except UserError:
            # what they name is not known
            continue
        targets = {Path(pair.target).name for pair in settings.interactions if pair.target is not None}
        names = {file.name for file in input_files(settings)}
        if output.name in names - targets:
            return f"another input of {path}"
    return None


def _strength(function: Function | None, isotopes: str | None) -> float | None:
    if isotopes is None:
        return None
    if function != "F":
        raise UserError("--isotopes without --function F", accepted="one with the other")
    from votca_mlp.scattering.lengths import strength_of

    return strength_of(isotopes)


def _columns(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise UserError(f"--columns {text}", accepted="two or three numbers, e.g. 1,2,3") from None


def _from_settings(path: Path, name: str | None) -> tuple[tuple[float, float, float], Path]:
    from votca_mlp.settings import load_settings

    interactions = load_settings(path).interactions
    chosen = [i for i in interactions if name in (None, i.name)]
    if len(chosen) != 1:
        raise UserError(
            f"no interaction '{name}'" if name else f"{len(interactions)} interactions",
            where=path,
            accepted="--interaction " + " or ".join(i.name for i in interactions),
        )
    one = chosen[0]
    if one.target is None:
        raise UserError(
            f"<target> of {one.name} is not there, so that nothing says what to write",
            where=path,
            accepted="<target> in this interaction, or --min, --max, --step and --output",
        )
    return (one.min, one.max, one.step), path.parent / one.target
