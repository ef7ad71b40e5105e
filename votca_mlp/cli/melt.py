"""``votca-mlp melt``: the melting temperature by coexistence, with a correction and without it."""

import json as text
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from votca_mlp.cli.chosen import AsJson, Chosen, Element, Guess, Kind, Level, Source, State, Step, TableFile
from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from votca_mlp.api.melting import Coexistence, Melting

_Temperatures = Annotated[
    str, typer.Option(help='On both sides of melting, K, best within 10 %: "880 920 960".')
]
_Structure = Annotated[str, typer.Option(help="fcc, bcc, sc or diamond.")]
_Cells = Annotated[str, typer.Option(help="Cells of each half along x, y, z.")]
_Directory = Annotated[Path, typer.Option(help="Keeps the simulations; started again, they go on.")]
_Hot = Annotated[
    float | None,
    typer.Option(help="Where one half is molten, K; default: twice the largest temperature.", min=1.0),
]


def melt(
    source: Source,
    element: Element,
    guess: Guess,
    temperatures: _Temperatures,
    directory: _Directory,
    structure: _Structure = "fcc",
    cells: _Cells = "4 4 4",
    seeds: Annotated[str, typer.Option(help="A coexistence at each temperature for each.")] = "1",
    timestep: Annotated[float, typer.Option(help="fs.", min=1e-3)] = 2.0,
    equilibration: Annotated[
        float, typer.Option(help="Of each half before it counts, fs.", min=1.0)
    ] = 5000.0,
    length: Annotated[float, typer.Option(help="Of each coexistence, fs.", min=1.0)] = 40000.0,
    sample_every: Annotated[float, typer.Option(help="Time between samples, fs.", min=1e-3)] = 100.0,
    pressure: Annotated[float, typer.Option(help="bar.")] = 1.0,
    hot: _Hot = None,
    table: TableFile = None,
    step: Step = None,
    state: State = "",
    kind: Kind = None,
    level: Level = None,
    json: AsJson = False,
) -> None:
    """Print at which temperatures a crystal grows into its melt, and where both would coexist.

    Of the model alone and, where there is a correction, with it. At each temperature crystal and liquid are
    simulated apart, then in one box, with a barostat along z alone (docs/solid.md).
    """
    from votca_mlp.api.melting import melt as melting
    from votca_mlp.engines.plan import MDPlan

    chosen = Chosen(source, element, table, step, state, kind, level)
    several = _numbers(temperatures, "--temperatures")
    n = [_whole(x, "--cells") for x in _numbers(cells, "--cells")]
    if len(n) != 3:
        raise UserError(f"is '{cells}'", where="--cells", accepted="three whole numbers > 0")
    md = MDPlan(
        several[0],
        timestep=timestep,
        equilibration=equilibration,
        production=length,
        sample_every=sample_every,
        pressure=pressure,
    )
    found: dict[str, Any] = {}
    for label, model, correction in chosen.potentials():
        say = (lambda run: None) if json else _say
        result = melting(
            model,
            element,
            structure,
            guess,
            several,
            md,
            correction=correction,
            cells=(n[0], n[1], n[2]),
            melt_temperature=hot,
            seeds=[_whole(x, "--seeds") for x in _numbers(seeds, "--seeds")],
            directory=directory / label,
            report=say,
            name=label,
        )
        found[label] = as_plain(result)
        if not json:
            typer.echo(f"{label}: {in_words(result)}")
    if json:
        typer.echo(text.dumps({"element": element, "structure": structure, **found}, indent=1))


def in_words(found: "Melting") -> str:
    """Return where crystal and liquid would coexist."""
    point = found.point
    if point.temperature is not None:
        return (
            f"crystal and liquid coexist at {point.temperature.mean:.0f} +- {point.temperature.error:.2g} K"
        )
    low, high = point.bracket
    if low is None and high is None:
        return "at none of these temperatures the interfaces move for certain: longer, or further apart"
    if high is None:
        return f"melts above {low:g} K: the crystal grows there"
    if low is None:
        return f"melts below {high:g} K: the crystal melts there"
    return f"grows at {low:g} K, melts at {high:g} K; temperatures nearer to each other give a number"


def as_plain(found: "Melting") -> dict[str, Any]:
    """Return the result for JSON."""
    point = found.point
    return {
        "temperature": None if point.temperature is None else vars(point.temperature),
        "bracket": list(point.bracket),
        "runs": [
            {
                "temperature": run.temperature,
                "seed": run.seed,
                "constant": run.constant,
                "heat": run.heat,
                "expansion": run.expansion,
                "speed": _known(run.motion.speed.mean),
                "speed_error": _known(run.motion.speed.error),
                "direction": run.motion.direction,
            }
            for run in found.runs
        ],
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _say(run: "Coexistence") -> None:
    words = {1: "the crystal grows", -1: "the crystal melts", 0: "neither for certain"}
    speed, motion = run.motion.speed, run.motion
    moved = f"{speed.mean:.3f} +- {speed.error:.1g} Angstrom/ps" if not math.isnan(speed.error) else "at once"
    typer.echo(
        f"{run.temperature:g} K, seed {run.seed}: {words[motion.direction]}, interfaces {moved}; "
        f"a = {run.constant:.3f} Angstrom, melting takes "
        f"{1000 * run.heat:.0f} meV an atom and {100 * run.expansion:.1f} % of volume"
    )


def _numbers(words: str, option: str) -> list[float]:
    try:
        found = [float(word) for word in words.replace(",", " ").split()]
    except ValueError:
        found = []
    if not found or not all(0.0 < x < 1e6 for x in found):
        raise UserError(f"is '{words[:80]}'", where=option, accepted="numbers > 0 with blanks between them")
    return found


def _whole(number: float, option: str) -> int:
    if number != int(number):
        raise UserError(f"is {number:g}", where=option, accepted="whole numbers > 0")
    return int(number)
