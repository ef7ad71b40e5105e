"""Several states for csg_inverse: each in its own folder of the step, with a settings.xml of its own.

``step_NNN/STATE/settings.xml`` is the state's complete settings, so that VOTCA's scripts work there as in a
run of that state alone. The tables are those of :mod:`votca_mlp.inverse.states`.
"""

from pathlib import Path

from votca_mlp.csg.environment import CsgEnvironment
from votca_mlp.engines.shared.resume import is_finished
from votca_mlp.inverse.agreement import compared_files
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.history import contradiction
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.stages.begin import SETTINGS, copy_inputs, start_file
from votca_mlp.inverse.stages.measure import few_blocks
from votca_mlp.inverse.stages.simulate import run_processes
from votca_mlp.inverse.stages.update import write_updates
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.inverse.states import check_basis, write_state_potentials
from votca_mlp.runs.copying import copy_file
from votca_mlp.runs.restart import FILECOPY, INITIALIZE, SIMULATION, STEPDIR, RestartFile
from votca_mlp.runs.side_by_side import refuse_failed


def write_settings(plan: InversePlan, step_directory: Path) -> None:
    """Write the settings of every state into its folder of the step.

    Raises
    ------
    UserError
        Other terms of u(r; T) than at the start; a file that cannot be written.
    """
    check_basis(plan)
    for state in plan.states:
        directory = step_directory / state.name
        directory.mkdir(exist_ok=True)
        assert state.write_settings is not None
        state.write_settings(directory / SETTINGS)


def begin_states(plan: InversePlan, environment: CsgEnvironment) -> None:
    """Bring files, potentials and start configuration of every state into its folder of the step.

    Raises
    ------
    UserError
        A file that is missing or damaged.
    """
    step = environment.step_directory
    write_settings(plan, step)
    for state in plan.states:
        directory = step / state.name
        copy_inputs(state.filelist, directory)
        write_state_potentials(plan, state, step)
        start = start_file(plan, state, environment.step_number)
        if start is not None:
            copy_file(*start)
        RestartFile(directory / plan.restart_file).mark(STEPDIR, FILECOPY, INITIALIZE)


def run_states(context: Context, environment: CsgEnvironment) -> None:
    """Run or resume the simulations that are not finished; returns also when they stopped at a checkpoint.

    Raises
    ------
    UserError
        A simulation that has failed, naming its state. What the others have done stays.
    """
    plan, step, say = context.plan, environment.step_directory, context.messages.say
    # also in a step that our own loop began
    write_settings(plan, step)
    waiting = [state.name for state in plan.states if not _finished(state, step)]
    if not waiting:
        say("All states are simulated already")
        return
    at_once = min(plan.at_once, len(waiting))
    how = f", {at_once} at a time" if at_once > 1 else ""
    say(f"Simulating {', '.join(waiting)}{how}")
    ends = run_processes(context, environment.step_number, waiting, at_once)
    for state in plan.states:
        if _finished(state, step):
            RestartFile(step / state.name / plan.restart_file).mark(SIMULATION)
    refuse_failed(ends, where=step, again="csg_inverse again")


def _finished(state: StatePlan, step_directory: Path) -> bool:
    """Return whether a state's simulation of the step is finished."""
    return is_finished(step_directory / state.name, state.md)


def can_resume(plan: InversePlan, step_directory: Path) -> bool:
    """Return whether a step can go on: from a checkpoint, or with one of several states finished."""
    from votca_mlp.engines.engine import engine_named

    return any(
        (plan.several and _finished(state, step_directory))
        or (step_directory / state.name / engine_named(state.md.engine).checkpoint(state.md)).is_file()
        for state in plan.states
    )


def update_states(plan: InversePlan, environment: CsgEnvironment, stem: str) -> None:
    """Write NAME.dpot.pure_ibi, the update of an interaction, and those of its terms (NAME.term1).

    Asked for a term it does nothing: VOTCA's scripts come to the terms after their interaction.

    Raises
    ------
    UserError
        Tables on other grids, a zero or non-finite RDF, an interaction that is not there.
    """
    if not any(stem in plan.tables(pair.name) for pair in plan.pairs):
        plan.pair(stem)
    if any(stem == pair.name for pair in plan.pairs):
        write_updates(plan, environment.step_number, [stem], environment.step_directory)


def described_states(plan: InversePlan, environment: CsgEnvironment) -> list[str]:
    """Return lines about how far each g(r) is from its target, and about states that contradict each other.

    Raises
    ------
    UserError
        A damaged table.
    """
    lines = []
    for state in plan.states:
        directory = environment.step_directory / state.name
        for pair in state.pairs:
            rdf, target = (directory / f"{pair.name}.dist.{kind}" for kind in ("new", "tgt"))
            said = compared_files(pair.name, rdf, target)
            lines += [f"{state.name}, {said}{few_blocks(state, directory)}"] if said else []
    against = contradiction(plan, environment.step_number)
    return lines if against is None else [*lines, f"Caution: {against}"]
