"""``votca-mlp lattice`` and ``votca-mlp elastic``: the crystal at 0 K, with a correction and without it."""

import json as text
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from votca_mlp.evaluation.contract import Evaluator

_Source = Annotated[
    str,
    typer.Argument(help="settings.xml, or a model: builtin:al-hipnn, a file, an ANI folder with --kind ani."),
]
_Element = Annotated[str, typer.Option(help="Chemical symbol.")]
_Structure = Annotated[str, typer.Option(help="fcc, bcc, sc or diamond.")]
_Guess = Annotated[float, typer.Option(help="Lattice constant to look around, Angstrom.", min=0.5, max=50.0)]
_Table = Annotated[
    Path | None,
    typer.Option(
        help="u(r) of the element's pairs, a table of VOTCA; of settings.xml the last simulated one."
    ),
]
_Step = Annotated[int | None, typer.Option(help="Of settings.xml: the u(r) that this step simulated with.")]
_State = Annotated[str, typer.Option(help="Of settings.xml: one of several states.")]
_Kind = Annotated[str, typer.Option(help="Kind of a model that is named by itself.")]
_Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
_Width = Annotated[float, typer.Option(help="Relative range on both sides of the guess.", min=0.001, max=0.5)]
_Points = Annotated[int, typer.Option(help="Lattice constants of the cold curve.", min=5)]
_Strain = Annotated[float, typer.Option(help="Largest strain.", min=1e-5, max=0.05)]


def lattice(
    source: _Source,
    element: _Element,
    guess: _Guess,
    structure: _Structure = "fcc",
    table: _Table = None,
    step: _Step = None,
    state: _State = "",
    kind: _Kind = "hippynn",
    width: _Width = 0.03,
    points: _Points = 25,
    json: _Json = False,
) -> None:
    """Print lattice constant, energy and bulk modulus of a crystal at 0 K, and with --json its cold curve.

    Of the model alone and, where there is a correction, with it. u(r) of the liquid need not suit the solid.
    """
    from votca_mlp.evaluation.solid import cold_curve

    found: dict[str, Any] = {}
    for label, evaluator in _evaluators(source, element, table, step, state, kind):
        curve = cold_curve(evaluator, element, structure, guess, width=width, points=points)
        found[label] = {
            "constant": curve.constant,
            "energy": curve.energy,
            "bulk_modulus": curve.bulk_modulus,
            "constants": curve.constants.tolist(),
            "energies": curve.energies.tolist(),
        }
        if not json:
            typer.echo(
                f"{label}: a = {curve.constant:.4f} Angstrom, {curve.energy:.5f} eV an atom, "
                f"B = {curve.bulk_modulus:.1f} GPa"
            )
    if json:
        typer.echo(text.dumps({"element": element, "structure": structure, **found}, indent=1))


def elastic(
    source: _Source,
    element: _Element,
    guess: _Guess,
    structure: _Structure = "fcc",
    table: _Table = None,
    step: _Step = None,
    state: _State = "",
    kind: _Kind = "hippynn",
    strain: _Strain = 0.002,
    json: _Json = False,
) -> None:
    """Print the elastic constants of a cubic crystal at 0 K, at its own lattice constant, in GPa.

    By central differences of the stress, atoms relaxed. Of the model alone and, where there is a correction,
    with it.
    """
    from votca_mlp.evaluation.solid import cold_curve, elastic_constants

    found: dict[str, Any] = {}
    for label, evaluator in _evaluators(source, element, table, step, state, kind):
        curve = cold_curve(evaluator, element, structure, guess)
        constants = elastic_constants(evaluator, element, structure, curve.constant, strain=strain)
        found[label] = {"constant": curve.constant, **constants}
        if not json:
            numbers = ", ".join(f"{name} {value:.1f}" for name, value in constants.items())
            typer.echo(f"{label}: {numbers} GPa at a = {curve.constant:.4f} Angstrom")
    if json:
        typer.echo(text.dumps({"element": element, "structure": structure, **found}, indent=1))


def _evaluators(
    source: str, element: str, table: Path | None, step: int | None, state: str, kind: str
) -> Iterator[tuple[str, "Evaluator"]]:
    """Yield ``model`` and, where there is a correction, ``corrected`` with their evaluators, in float64."""
    from votca_mlp.api.model import load_model
    from votca_mlp.evaluation.load import evaluator_of
    from votca_mlp.potentials.correction import read_correction

    tables = None if table is None else {(element, element): table}
    correction = None if tables is None else read_correction(tables)
    if not source.endswith(".xml"):
        if step is not None or state:
            raise UserError(
                "a model has no steps and no states", where="--step, --state", accepted="settings.xml"
            )
        model = load_model(source, kind=kind, dtype="float64")
        loaded, options = model.loaded, model.options
    else:
        from votca_mlp.cli.check import checked_settings
        from votca_mlp.inverse.from_settings import plan_of
        from votca_mlp.inverse.model import model_loader
        from votca_mlp.inverse.potentials import current_correction

        plan = plan_of(checked_settings(Path(source)))
        options = plan.model.model_copy(update={"dtype": "float64"})
        loaded = model_loader(options, plan.directory)()
        folder = None if correction is not None else _folder(plan, step, state)
        if folder is not None:
            pairs = [pair.grid for pair in plan.pairs if (folder / f"{pair.name}.pot.cur").is_file()]
            correction = current_correction(pairs, folder)
    for label, added in (("model", None), ("corrected", correction)):
        if label == "model" or added is not None:
            yield label, evaluator_of(loaded, options, added, 0.5)


def _folder(plan: Any, step: int | None, state: str) -> Path | None:
    """Return the folder of the step whose u(r) is wanted, None where the run has no g(r) yet."""
    from votca_mlp.runs.reading import step_directories

    states = [known.name for known in plan.states]
    if state not in states:
        raise UserError(f"no state '{state}'", where="--state", accepted=" or ".join(filter(None, states)))
    name = plan.pairs[0].name
    done = [
        number
        for number, path in step_directories(plan.directory)
        if (path / state / f"{name}.dist.new").is_file() and (path / state / f"{name}.pot.cur").is_file()
    ]
    if step is None:
        return plan.step_directory(done[-1]) / state if done else None
    if step not in done:
        known = ", ".join(map(str, done)) or "none yet"
        raise UserError(f"step {step} has no g(r)", where="--step", accepted=f"a finished step: {known}")
    folder: Path = plan.step_directory(step) / state
    return folder
