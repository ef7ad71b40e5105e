"""``votca-mlp predict``: g(r) and density of a potential from the simulations of a run, without MD."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from votca_mlp.cli.types import RunDirectory
from votca_mlp.errors import UserError
from votca_mlp.plain import whole_number_of

MOST_STEPS = 999_999
FEW = 10.0
"""Frames that a prediction has to be worth: of fewer, its own error is not known to a third."""

_Pot = Annotated[
    list[str] | None,
    typer.Option(
        "--pot",
        metavar="NAME=FILE",
        help="u(r), a VOTCA table (of u(r; T) also NAME.term1=FILE); default: the last update's.",
    ),
]


def predict(
    directory: RunDirectory = Path("."),
    pot: _Pot = None,
    steps: Annotated[str, typer.Option(help="Use only these steps: 2-5, or 1,3,4.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for the predicted NAME.dist.new.")] = None,
) -> None:
    """Predict g(r) and density of a potential from all simulations of a run (MBAR), without any MD.

    Prints the distance from the target, the density, and how many frames the prediction is worth: where that
    is few, the potential is too far from all that were simulated.
    """
    from votca_mlp.inverse.agreement import agreement_with, described
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.inverse.predict import predict as predicted
    from votca_mlp.settings import load_settings
    from votca_mlp.tables import read_table, write_table

    if out is not None:
        _check_folder(out)
    plan = plan_of(load_settings(directory / "settings.xml"))
    names = [stem for pair in plan.pairs for stem in plan.tables(pair.name)]
    given = _files(pot or [], names) or _last(directory, names)
    potentials = {name: read_table(path) for name, path in given.items()}
    typer.echo(f"u(r): {', '.join(map(str, given.values()))}")
    for found in predicted(plan, potentials, _numbers(steps)):
        before = f"{found.state}, " if found.state else ""
        state = next(item for item in plan.states if item.name == found.state)
        for pair in state.pairs:
            target = pair.target_on_grid()
            if target.known:
                typer.echo(f"{before}{pair.name}: {described(agreement_with(target, found.rdfs[pair.name]))}")
            if out is not None:
                folder = out / found.state
                folder.mkdir(parents=True, exist_ok=True)
                write_table(folder / f"{pair.name}.dist.new", found.rdfs[pair.name])
        typer.echo(f"{before}density {found.density.mean:.5g} +- {found.density.error:.2g} kg/m3")
        few = ": too few to rely on, this u(r) is too far from those simulated" if found.samples < FEW else ""
        typer.echo(f"{before}worth {found.samples:.3g} of {found.frames} frames{few}")


def _check_folder(out: Path) -> None:
    """Refuse a folder whose tables are those of a simulation, and what is no folder."""
    if out.exists() and not out.is_dir():
        raise UserError("is no folder", where="--out", accepted="a folder, or a name that nothing has")
    # a link to itself has no end for Path.resolve
    real = Path(os.path.realpath(out))
    if any(re.fullmatch(r"step_\d{3,}", folder.name) for folder in (real, real.parent)):
        what = f"{out} has the g(r) of a simulation, which would be replaced"
        raise UserError(what, where="--out", accepted="another folder")


def _files(given: list[str], names: list[str]) -> dict[str, Path]:
    found = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or name not in names:
            accepted = f"NAME=FILE with NAME among {', '.join(names)}"
            raise UserError(f"is '{text}'", where="--pot", accepted=accepted)
        found[name] = Path(path)
    return found


def _last(directory: Path, names: list[str]) -> dict[str, Path]:
    from votca_mlp.runs.reading import step_directories

    for _, step in reversed(step_directories(directory)):
        paths = {name: step / f"{name}.pot.new" for name in names}
        if all(path.is_file() for path in paths.values()):
            return paths
    raise UserError("no update yet", where=directory, accepted="a run with one finished iteration, or --pot")


def _numbers(text: str) -> list[int] | None:
    if not text:
        return None
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        ends = (first, last) if dash else (first, first)
        try:
            lowest, highest = (whole_number_of(end, MOST_STEPS) for end in ends)
        except ValueError:
            accepted = "such as 2-5, or 1,3,4"
            raise UserError(f"is '{text[:80]}'", where="--steps", accepted=accepted) from None
        found += range(lowest, highest + 1)
    return found
