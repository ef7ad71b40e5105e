"""Several states for csg_inverse: each in its own folder of the step, with a settings.xml of its own.

``step_NNN/STATE/settings.xml`` is the state's complete settings, so that VOTCA's scripts work there as in a
run of that state alone. The tables are those of :mod:`votca_mlp.inverse.states`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.engines.shared.resume import is_finished
from votca_mlp.errors import UserError
from votca_mlp.inverse.states import (
    PURE,
    check_basis,
    shared_updates,
    term_names,
    write_state_potentials,
)
from votca_mlp.runs.copying import copy_file
from votca_mlp.runs.restart import FILECOPY, INITIALIZE, SIMULATION, STEPDIR, RestartFile, restart_name
from votca_mlp.settings.states import State, states_of, write_state_settings
from votca_mlp.tables import write_table

if TYPE_CHECKING:
    from votca_mlp.csg.environment import CsgEnvironment
    from votca_mlp.settings import Settings

SETTINGS = "settings.xml"
"""Of a state, in its folder of the step."""


def write_settings(settings: "Settings", step_directory: Path) -> tuple[State, ...]:
    """Write the settings of every state into its folder of the step, and return the states.

    Raises
    ------
    UserError
        Bad settings of a state; other terms of u(r; T) than at the start; a file that cannot be written.
    """
    states = states_of(settings)
    check_basis(settings, states)
    for state in states:
        directory = step_directory / state.name
        directory.mkdir(exist_ok=True)
        write_state_settings(state, directory / SETTINGS)
    return states


def begin_states(settings: "Settings", environment: "CsgEnvironment") -> None:
    """Bring files, potentials and start configuration of every state into its folder of the step.

    Raises
    ------
    UserError
        A file that is missing or damaged.
    """
    step = environment.step_directory
    states = write_settings(settings, step)
    for state in states:
        directory = step / state.name
        for name in state.settings.filelist:
            copy_file(state.settings.input_path(name), directory / name)
        write_state_potentials(settings, states, state, step)
        _copy_start(state, environment)
        RestartFile(directory / restart_name(settings)).mark(STEPDIR, FILECOPY, INITIALIZE)


def _copy_start(state: State, environment: "CsgEnvironment") -> None:
    engine, number = state.settings.engine, environment.step_number
    directory = environment.step_directory / state.name
    if state.settings.initial_configuration == "laststep" and number > 1:
        last = environment.main_directory / f"step_{number - 1:03d}" / state.name
        # the engine looks for conf.extxyz when the first start was a crystal
        copy_file(last / engine.conf_out, directory / Path(engine.conf or "conf.extxyz").name)
    elif engine.conf is not None:
        copy_file(state.settings.input_path(engine.conf), directory / Path(engine.conf).name)


def run_states(settings: "Settings", environment: "CsgEnvironment", *, tell: Callable[[str], None]) -> None:
    """Run or resume the simulations that are not finished; returns also when they stopped at a checkpoint.

    Raises
    ------
    UserError
        A simulation that has failed, naming its state. What the others have done stays.
    """
    from votca_mlp.csg.orphan import end_with
    from votca_mlp.inverse.state_command import state_command, state_environment, states_at_once
    from votca_mlp.runs.side_by_side import refuse_failed, run_side_by_side

    end_with(environment.master)
    step = environment.step_directory
    # also in a step that our own loop began
    states = write_settings(settings, step)
    waiting = [state.name for state in states if not _finished(state, step)]
    if not waiting:
        tell("All states are simulated already")
        return
    at_once = min(states_at_once(settings), len(waiting))
    how = f", {at_once} at a time" if at_once > 1 else ""
    tell(f"Simulating {', '.join(waiting)}{how}")
    ends = run_side_by_side(
        {name: state_command(settings, name) for name in waiting},
        at_once=at_once,
        directory=step,
        environment=state_environment(
            settings,
            step_number=environment.step_number,
            ending=environment.ending,
            max_steps=environment.max_steps,
            at_once=at_once,
        ),
        tell=tell,
    )
    for state in states:
        if _finished(state, step):
            RestartFile(step / state.name / restart_name(settings)).mark(SIMULATION)
    refuse_failed(ends, where=step, again="csg_inverse again")


def _finished(state: State, step_directory: Path) -> bool:
    """Return whether a state's simulation of the step is finished."""
    return is_finished(step_directory / state.name, state.settings.engine)


def can_resume(settings: "Settings", step_directory: Path) -> bool:
    """Return whether a state is finished or has left a checkpoint, so that the step can go on."""
    from votca_mlp.engines.dispatch import checkpoint_file

    return any(
        _finished(state, step_directory)
        or checkpoint_file(settings.program, step_directory / state.name).is_file()
        for state in states_of(settings)
    )


def update_states(settings: "Settings", environment: "CsgEnvironment", stem: str) -> None:
    """Write NAME.dpot.pure_ibi, the update of an interaction, and those of its terms (NAME.term1).

    Asked for a term it does nothing: VOTCA's scripts come to the terms after their interaction.

    Raises
    ------
    UserError
        Tables on other grids, a zero or non-finite RDF, an interaction that is not there.
    """
    step = environment.step_directory
    for pair in settings.interactions:
        terms = term_names(settings, pair.name)
        if stem == pair.name:
            tables = shared_updates(settings, states_of(settings), pair.name, step)
            for term, table in zip(terms, tables, strict=True):
                write_table(step / f"{term}.{PURE}", table)
        if stem in terms:
            return
    known = ", ".join(pair.name for pair in settings.interactions)
    raise UserError(f"no interaction is named '{stem}'", where=settings.path, accepted=known)


def described_states(settings: "Settings", environment: "CsgEnvironment") -> list[str]:
    """Return lines about how far each g(r) is from its target, and about states that contradict each other.

    Raises
    ------
    UserError
        A damaged table.
    """
    from votca_mlp.inverse.history import contradiction
    from votca_mlp.inverse.updates import described_agreement

    lines = []
    for state in states_of(settings):
        directory = environment.step_directory / state.name
        for pair in state.settings.interactions:
            rdf, target = (directory / f"{pair.name}.dist.{kind}" for kind in ("new", "tgt"))
            lines.append(f"{state.name}, {described_agreement(pair.name, rdf, target)}")
    against = contradiction(settings, environment.main_directory, environment.step_number)
    return lines if against is None else [*lines, f"Caution: {against}"]
