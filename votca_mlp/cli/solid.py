"""``votca-mlp lattice`` and ``votca-mlp elastic``: the crystal at 0 K, with a correction and without it."""

import json as text
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from votca_mlp.cli.chosen import AsJson, Chosen, Element, Guess, Kind, Level, Source, State, Step, TableFile

if TYPE_CHECKING:
    from votca_mlp.evaluation.contract import Evaluator

_Structure = Annotated[str, typer.Option(help="fcc, bcc, sc, diamond or hcp.")]
_Width = Annotated[float, typer.Option(help="Relative range on both sides of the guess.", min=0.001, max=0.5)]
_Points = Annotated[int, typer.Option(help="Lattice constants of the cold curve.", min=5)]
_Strain = Annotated[float, typer.Option(help="Largest strain.", min=1e-5, max=0.05)]

_UNSTABLE = (
    "\n  no crystal with these constants is stable: a strain lowers its energy"
    "\n  (as with a u(r) that follows the noise of g(r) from point to point: docs/solid.md)"
)


def lattice(
    source: Source,
    element: Element,
    guess: Guess,
    structure: _Structure = "fcc",
    table: TableFile = None,
    step: Step = None,
    state: State = "",
    kind: Kind = None,
    level: Level = None,
    width: _Width = 0.03,
    points: _Points = 25,
    json: AsJson = False,
) -> None:
    """Print lattice constant, energy and bulk modulus of a crystal at 0 K, and with --json its cold curve.

    Of the model alone and, where there is a correction, with it. u(r) of the liquid need not suit the solid.
    """
    from votca_mlp.evaluation.solid import cold_curve

    def of(evaluator: "Evaluator") -> tuple[dict[str, Any], str]:
        curve = cold_curve(evaluator, element, structure, guess, width=width, points=points)
        found = {"constant": curve.constant, "energy": curve.energy, "bulk_modulus": curve.bulk_modulus}
        found |= {} if curve.ratio is None else {"ratio": curve.ratio}
        ratio = "" if curve.ratio is None else f"c/a = {curve.ratio:.4f}, "
        words = f"a = {curve.constant:.4f} Angstrom, {ratio}{curve.energy:.5f} eV an atom"
        curves = {"constants": curve.constants.tolist(), "energies": curve.energies.tolist()}
        return found | curves, f"{words}, B = {curve.bulk_modulus:.1f} GPa"

    _print(Chosen(source, element, table, step, state, kind, level), structure, of, json)


def elastic(
    source: Source,
    element: Element,
    guess: Guess,
    structure: _Structure = "fcc",
    table: TableFile = None,
    step: Step = None,
    state: State = "",
    kind: Kind = None,
    level: Level = None,
    strain: _Strain = 0.002,
    json: AsJson = False,
) -> None:
    """Print the elastic constants of a cubic or hcp crystal at 0 K, at its own lattice constant, in GPa.

    By central differences of the stress, atoms relaxed. Of the model alone and, where there is a correction,
    with it.
    """
    from votca_mlp.evaluation.solid import cold_curve, elastic_constants, is_stable

    def of(evaluator: "Evaluator") -> tuple[dict[str, Any], str]:
        curve = cold_curve(evaluator, element, structure, guess)
        constants = elastic_constants(
            evaluator, element, structure, curve.constant, strain=strain, ratio=curve.ratio
        )
        numbers = ", ".join(f"{name} {value:.1f}" for name, value in constants.items())
        found = {"constant": curve.constant, **constants, "stable": is_stable(constants)}
        found |= {} if curve.ratio is None else {"ratio": curve.ratio}
        return (
            found,
            f"{numbers} GPa at a = {curve.constant:.4f} Angstrom{'' if found['stable'] else _UNSTABLE}",
        )

    _print(Chosen(source, element, table, step, state, kind, level), structure, of, json)


def _print(
    chosen: Chosen, structure: str, of: "Callable[[Evaluator], tuple[dict[str, Any], str]]", json: bool
) -> None:
    """Print what is found of the model and, where there is a correction, with it; all in float64."""
    found: dict[str, Any] = {}
    for label, model, correction in chosen.potentials("float64"):
        found[label], words = of(model.evaluator(correction))
        if not json:
            typer.echo(f"{label}: {words}")
    if json:
        typer.echo(text.dumps({"element": chosen.element, "structure": structure, **found}, indent=1))
