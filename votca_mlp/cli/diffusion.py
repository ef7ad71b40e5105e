"""``votca-mlp diffusion``: self-diffusion from a trajectory at constant volume."""

import json as text
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from votca_mlp.cli.chosen import AsJson
from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from votca_mlp.ensemble.estimate import Estimate

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
    json: AsJson = False,
) -> None:
    """Print the self-diffusion coefficient (Einstein relation) and its standard error in m^2/s.

    Of a mixture it is the mean over all atoms, and then that of each element by itself.

    Frames must be so close that no atom moves half a box between two of them. Boxes that change (npt) are
    refused: their own motion would count as diffusion. For --vacf they must be some ten fs apart.
    """
    from votca_mlp.observables.diffusion import by_element, diffusion_coefficient, trajectories_of
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
    kinds = {} if element is not None else by_element(parts, frames[0].types)
    one: dict[str, tuple[int, Estimate | None, Estimate | None]] = {}
    for name, own in kinds.items() if len(kinds) > 1 else ():
        atoms = own[0].shape[1]
        # of one atom nothing is known: see diffusion_coefficient
        einstein = diffusion_coefficient(own, interval, fit_from=fit_from) if atoms > 1 else None
        green = integrated_diffusion(own, interval, until)[0] if atoms > 1 and vacf is not None else None
        one[name] = (atoms, einstein, green)
    atoms, length = parts[0].shape[1], interval * (len(frames) // pieces)
    if vacf is not None and by_velocities is not None:
        _write(vacf, by_velocities[1], interval)
    if json:
        numbers: dict[str, Any] = {
            "unit": "m^2/s",
            **_numbers(atoms, found, None if by_velocities is None else by_velocities[0]),
            "pieces": pieces,
            "length_fs": length,
            "by_element": {name: _numbers(*each) for name, each in one.items()},
        }
        typer.echo(text.dumps(numbers, indent=1, allow_nan=False))
        return
    typer.echo(f"{_words(found)}, {atoms} atoms, {pieces} trajectories of {length:g} fs")
    for name, (count, own_d, _) in one.items():
        if own_d is None:
            typer.echo(
                f"  {name}: one atom, D is not known: the motion of each element's centre is taken out"
            )
        else:
            typer.echo(f"  {name}: {_words(own_d)}, {count} atoms")
    if by_velocities is not None:
        d, curve = by_velocities
        lowest = int(curve.argmin())
        typer.echo(
            f"{_words(d)} from the velocities' autocorrelation to {until:g} fs; "
            f"its lowest is {curve[lowest] / curve[0]:.3f} of that at 0, at {lowest * interval:g} fs"
        )
        for name, (_, _, green) in one.items():
            if green is not None:
                typer.echo(f"  {name}: {_words(green)}")
        if len(curve) > 1 and abs(curve[1]) < _FOLLOWED * curve[0]:
            typer.echo(
                f"note: within one interval of {interval:g} fs the velocities have changed to "
                f"{curve[1] / curve[0]:.2f} of themselves: their autocorrelation needs frames closer in time"
            )


def _write(path: Path, curve: "NDArray[np.float64]", interval: float) -> None:
    """Write C(t)/C(0) of C(t), shape [n_times], by time in fs."""
    with atomic_write(path) as file:
        file.writelines(f"{k * interval:g} {c / curve[0]:.6g}\n" for k, c in enumerate(curve))


def _words(d: "Estimate") -> str:
    return f"D = {d.mean:.4g} +- {d.error:.2g} m^2/s"


def _numbers(atoms: int, d: "Estimate | None", green: "Estimate | None") -> dict[str, Any]:
    """Return D, and from the velocities, as numbers; what is not known is None."""

    def plain(found: "Estimate | None") -> dict[str, float | None] | None:
        if found is None:
            return None
        return {"mean": found.mean, "error": found.error if math.isfinite(found.error) else None}

    return {"atoms": atoms, "diffusion": plain(d), "from_velocities": plain(green)}
