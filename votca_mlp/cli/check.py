"""``votca-mlp check``: everything that can be known before the first simulation, in under a second."""

import contextlib
import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from votca_mlp.cli.types import SETTINGS, settings_file
from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from votca_mlp.settings import Settings
    from votca_mlp.settings.states import State

_Argument = Annotated[
    Path | None,
    typer.Argument(help="The settings file, or its folder; settings.xml when none is named."),
]
_Options = Annotated[
    Path | None,
    typer.Option("--options", help="The same, as csg_inverse names it."),
]
_Deep = Annotated[bool, typer.Option("--deep", help="Also load the model and the start configuration.")]


def check(settings: _Argument = None, options: _Options = None, deep: _Deep = False) -> None:
    """Check settings.xml and the files it names, and say what would be done."""
    if settings is not None and options is not None and settings != options:
        accepted = "votca-mlp check settings.xml"
        raise UserError("two settings files are named", where="--options", accepted=accepted)
    found = checked_settings(settings_file(settings or options or Path(SETTINGS)))
    for line in summary(found):
        typer.echo(line)
    if deep:
        for start, cost in _deep_lines(found, costs=True):
            typer.echo(f"start        {start}")
            if cost is not None:
                typer.echo(f"cost         {cost}")
    _note_of_blanks(found)
    _note_of_loop(found)
    if shutil.which("csg_inverse") is None:
        typer.echo(
            "note         no csg_inverse on the PATH (VOTCA 2022.1 to 2025.1 have it): "
            "use votca-mlp inverse --options"
        )
        return
    _note_of_tags()
    if _off_the_path(found):
        typer.echo(
            "note         csg_inverse will not find votca-mlp, which is not on the PATH: activate its "
            f"environment, or <scriptpath>$({Path(sys.argv[0]).absolute()} scriptpath)</scriptpath>"
        )


def _note_of_tags() -> None:
    """Say what VOTCA 2023 and later need to know our tags, unless the environment has it."""
    from votca_mlp.cli.defaults import stock_defaults

    if os.environ.get("VOTCA_CSG_DEFAULTS"):
        return
    with contextlib.suppress(UserError):
        # their check of settings.xml comes before anything of ours
        if (stock_defaults().parent.parent / "scripts/inverse/check_csg_xml.py").is_file():
            typer.echo(
                "note         this csg_inverse warns of tags that are not VOTCA's, and where CI=true ends: "
                "export VOTCA_CSG_DEFAULTS=$(votca-mlp defaults)"
            )


def _off_the_path(settings: "Settings") -> bool:
    """Return whether <scriptpath> names a command that is not there: VOTCA's own words come later."""
    named = re.search(r"\$\((?:[^)]*;)?\s*(\S+)\s+scriptpath", settings.text("cg.inverse.scriptpath") or "")
    if named is None or "$" in named[1]:
        return False
    # csg_inverse is started in the main directory
    command = str(settings.main_directory / named[1]) if "/" in named[1] else named[1]
    return shutil.which(os.path.expanduser(command)) is None


def _note_of_loop(settings: "Settings") -> None:
    """Say what csg_inverse alone knows, such as VOTCA's task kbibi."""
    from votca_mlp.inverse.options import loop_options

    try:
        loop_options(settings)
    except UserError as error:
        typer.echo(f"note         votca-mlp inverse would refuse this: {error}")


def _note_of_blanks(settings: "Settings") -> None:
    if any(character.isspace() for character in str(settings.main_directory)):
        typer.echo(
            "note         the path has blanks, which VOTCA cannot have: "
            "use votca-mlp inverse --options, or move the run"
        )


def checked_settings(path: Path) -> "Settings":
    """Return the settings when neither they nor the files they name have a problem.

    Raises
    ------
    UserError
        With every problem, one line each.
    """
    from votca_mlp.settings.inputs import input_problems
    from votca_mlp.settings.problems import SettingsError
    from votca_mlp.settings.reader import read_settings

    settings, problems = read_settings(path)
    if settings is not None:
        problems = [*problems, *input_problems(settings)]
    if problems or settings is None:
        raise SettingsError(path, problems)
    return settings


def summary(settings: "Settings") -> list[str]:
    """Return what would be done, a few lines."""
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.inverse.states import described_basis
    from votca_mlp.models.kind import model_kind
    from votca_mlp.settings.plans import md_plan
    from votca_mlp.settings.scattering import scattering_notes
    from votca_mlp.settings.states import states_of
    from votca_mlp.update.registry import rules

    mlp = settings.mlp
    kind = model_kind(mlp.kind)
    members = "" if mlp.members is None else f", members {' '.join(map(str, mlp.members))}"
    # an ASE calculator chooses for itself
    runs = "" if kind.without_pairs else f" on {mlp.device}, {mlp.dtype}"
    unit = kind.described(mlp) if kind.described is not None else ""
    states = states_of(settings) if settings.multistate.enabled else ()
    held = "each state's temperature" if states else f"{settings.temperature:g} K"
    does = engine_named(settings.program).described(md_plan(settings), held)
    lines = [
        f"settings     {settings.path}: no problem found",
        f"model        {' '.join(filter(None, (mlp.kind, kind.name(mlp))))}{members}{runs}{unit}",
        f"engine       {settings.program}, {does}",
    ]
    lines += [f"state        {_state(settings, state)}" for state in states]
    if states:
        lines.append(f"shared       {described_basis(plan_of(settings))}")
    else:
        lines.append(f"states       one, kBT {settings.kBT:g} kJ/mol")
    described = rules()[settings.rule].described
    for pair in settings.interactions:
        fitted = f"target {pair.target}, {described(pair.options(settings.rule))}"
        lines.append(
            f"interaction  {pair.name}: {pair.min:g} to {pair.max:g} nm by {pair.step:g} nm, "
            f"{'no target' if pair.target is None else fitted}"
        )
    lines += [f"data         {note}" for note in scattering_notes(settings)]
    lengths = {state.name: _lengths(state.settings) for state in states}
    if not lengths:
        return [*lines, *_lengths(settings)]
    if len(set(map(tuple, lengths.values()))) == 1:
        return [*lines, "each state:", *next(iter(lengths.values()))]
    return [*lines, *(line for name, each in lengths.items() for line in (f"state {name}:", *each))]


def _state(settings: "Settings", state: "State") -> str:
    """Return what a state has of its own."""
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.update.registry import rules

    view = state.settings
    words = [f"{state.name}: {state.temperature:g} K, kBT {state.kBT:g} kJ/mol, weight {state.weight:.3g}"]
    words += engine_named(settings.program).differing(view.engine, settings.engine)
    for pair in settings.interactions:
        own = state.interaction(pair.name)
        if own is None:
            words.append(f"without {pair.name}")
        elif own.options(settings.rule) != pair.options(settings.rule):
            words.append(f"{pair.name} {rules()[settings.rule].described(own.options(settings.rule))}")
    return ", ".join(words)


def starts(settings: "Settings") -> list[str]:
    """Load the model and evaluate the start, of each state; return a line about each.

    Raises
    ------
    UserError
        What does not fit.
    """
    return [line for line, _ in _deep_lines(settings, costs=False)]


def _deep_lines(settings: "Settings", *, costs: bool) -> list[tuple[str, str | None]]:
    """Return of each state a line about its start, and one about the cost where that is known."""
    from votca_mlp.inverse.check import check_start_and_model, cost_line
    from votca_mlp.inverse.context import run_context, state_contexts
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.inverse.messages import Silent

    found: list[tuple[str, str | None]] = []
    for context in state_contexts(run_context(plan_of(settings), Silent())):
        before = f"{context.name}: " if context.name else ""
        start = f"{before}{check_start_and_model(context)}"
        cost = cost_line(context, settings.iterations_max) if costs else None
        found.append((start, None if cost is None else f"{before}{cost}"))
    return found


def _lengths(settings: "Settings") -> list[str]:
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.settings.plans import md_plan

    return engine_named(settings.program).lengths(
        md_plan(settings),
        iterations=settings.iterations_max,
        laststep=settings.initial_configuration == "laststep",
    )
