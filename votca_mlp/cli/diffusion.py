"""``votca-mlp diffusion``: self-diffusion from a trajectory at constant volume."""

from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write

_FOLLOWED = 0.5
"""Of the velocities' autocorrelation: what is left of it after one interval where frames resolve it."""

_UNTIL = 500.0
"""fs."""


def diffusion(
    trajectory: Annotated[Path, typer.Argument(help="A .dump or .gro file at constant volume.")],
    interval: Annotated[float, typer.Option(help="Time between two frames, fs.")],
    pieces: Annotated[
        int, typer.Option(help="Cut the trajectory into so many; their scatter gives the error.", min=1)
    ] = 10,
    fit_from: Annotated[
        float, typer.Option(help="Start of the straight line in each piece, fs; 0 is the paper's choice.")
    ] = 0.0,
    element: Annotated[str | None, typer.Option(help="Only atoms of this type.")] = None,
    vacf: Annotated[
        Path | None,
        typer.Option(
            help="Also D from the velocities' autocorrelation, which is written here: fs, C(t)/C(0)."
        ),
    ] = None,
    until: Annotated[
        float | None, typer.Option(help="With --vacf: last time of the autocorrelation, fs; 500 by default.")
    ] = None,
) -> None:
    """Print the self-diffusion coefficient (Einstein relation) and its standard error in m^2/s.

    Frames must be so close that no atom moves half a box between two of them. Boxes that change (npt) are
    refused: their own motion would count as diffusion. For --vacf they must be some ten fs apart.
    """
    from votca_mlp.observables.diffusion import diffusion_coefficient, trajectories_of
    from votca_mlp.observables.velocities import integrated_diffusion
    from votca_mlp.trajectories.read import read_frames

    if until is not None and vacf is None:
        raise UserError("is of the autocorrelation", where="--until", accepted="--vacf FILE with it")
    until = _UNTIL if until is None else until
    for option, time in (("--interval", interval), ("--until", until)):
        if time <= 0.0:
            raise UserError(f"is {time:g} fs", where=option, accepted="a time > 0, fs")
    frames = list(read_frames(trajectory))
    try:
        parts = trajectories_of(frames, pieces=pieces, element=element)
        found = diffusion_coefficient(parts, interval, fit_from=fit_from)
        by_velocities = None if vacf is None else integrated_diffusion(parts, interval, until)
    except UserError as error:
        raise UserError(error.what, where=error.where or trajectory, accepted=error.accepted) from None
    atoms = sum(element in (None, name) for name in frames[0].types.tolist())
    length = interval * (len(frames) // pieces)
    typer.echo(
        f"D = {found.mean:.4g} +- {found.error:.2g} m^2/s, {atoms} atoms, "
        f"{pieces} trajectories of {length:g} fs"
    )
    if vacf is not None and by_velocities is not None:
        d, curve = by_velocities
        lowest = int(curve.argmin())
        with atomic_write(vacf) as file:
            file.writelines(f"{k * interval:g} {c / curve[0]:.6g}\n" for k, c in enumerate(curve))
        typer.echo(
            f"D = {d.mean:.4g} +- {d.error:.2g} m^2/s from the velocities' autocorrelation to {until:g} fs; "
            f"its lowest is {curve[lowest] / curve[0]:.3f} of that at 0, at {lowest * interval:g} fs"
        )
        if len(curve) > 1 and abs(curve[1]) < _FOLLOWED * curve[0]:
            typer.echo(
                f"note: within one interval of {interval:g} fs the velocities have changed to "
                f"{curve[1] / curve[0]:.2f} of themselves: their autocorrelation needs frames closer in time"
            )
