"""``votca-mlp diffusion``: self-diffusion from a trajectory at constant volume."""

from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.errors import UserError


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
) -> None:
    """Print the self-diffusion coefficient (Einstein relation) and its standard error in m^2/s.

    Frames must be so close that no atom moves half a box between two of them. Boxes that change (npt) are
    refused: their own motion would count as diffusion.
    """
    from votca_mlp.observables.diffusion import self_diffusion
    from votca_mlp.trajectories.read import read_frames

    if interval <= 0.0:
        raise UserError(f"is {interval:g} fs", where="--interval", accepted="a time > 0, fs")
    frames = list(read_frames(trajectory))
    try:
        found = self_diffusion(frames, interval, pieces=pieces, fit_from=fit_from, element=element)
    except UserError as error:
        raise UserError(error.what, where=error.where or trajectory, accepted=error.accepted) from None
    atoms = sum(element in (None, name) for name in frames[0].types.tolist())
    length = interval * (len(frames) // pieces)
    typer.echo(
        f"D = {found.mean:.4g} +- {found.error:.2g} m^2/s, {atoms} atoms, "
        f"{pieces} trajectories of {length:g} fs"
    )
