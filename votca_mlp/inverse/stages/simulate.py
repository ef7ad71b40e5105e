"""The simulations of a step: one state after another in this process, or side by side in their own."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from votca_mlp.engines.shared.result import production_mean
from votca_mlp.engines.shared.resume import is_finished
from votca_mlp.errors import UserError
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.potentials import check_grid, current_correction
from votca_mlp.inverse.stages.begin import Begun
from votca_mlp.inverse.state_command import state_command, state_environment
from votca_mlp.runs.record import timed, write_record
from votca_mlp.runs.restart import SIMULATION
from votca_mlp.runs.side_by_side import End, refuse_failed, run_side_by_side
from votca_mlp.tables import read_table

if TYPE_CHECKING:
    from votca_mlp.engines.shared.result import StepResult


def simulate(run: Context, number: int, begun: Sequence[Begun]) -> bool:
    """Run or go on with all simulations of a step that are not done; return False when the wall time came.

    Raises
    ------
    UserError
        Bad input, or a simulation that has gone wrong; of several states it names the state. What the others
        have done stays.
    """
    waiting = [item for item in begun if not _is_done(item)]
    at_once = min(run.plan.at_once, len(waiting))
    # what is to be started elsewhere is, also alone
    if at_once > 1 or (waiting and run.plan.launch):
        return _in_processes(run, number, waiting, at_once)
    return all(_here(item) for item in waiting)


def _here(begun: Begun) -> bool:
    context, number, name = begun.context, begun.number, begun.context.name
    say = context.messages.say
    if name:
        say(f"State {name} at {context.state.temperature:g} K")
    say(f"Simulation with {context.state.md.engine}")
    try:
        with timed(begun.record, "simulation"):
            result = run_md(context, number)
            if result.status == "finished":
                _mark(begun)
    except UserError as error:
        if not name:
            raise
        raise UserError(f"state {name}: {error.what}", where=error.where, accepted=error.accepted) from error
    for line in result_lines(result, name):
        say(line)
    return result.status == "finished"


def run_md(context: Context, number: int) -> "StepResult":
    """Run or go on with the simulation of a state in a step.

    Returns
    -------
    The engine's result; ``checkpointed`` means that the wall time is up.

    Raises
    ------
    UserError
        Bad input, or a simulation that has gone wrong.
    """
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.evaluation.load import evaluator_of

    state, directory = context.state, context.step_directory(number)
    if context.max_steps is not None:
        context.messages.say(f"CSG_MDRUN_STEPS: at most {context.max_steps} MD steps in each stage")
    for pair in state.pairs:
        # a grid changed in mid-run would otherwise be found after the simulation, by the update
        path = directory / f"{pair.name}.pot.cur"
        check_grid(read_table(path), pair.grid.points, where=path)
    correction = current_correction([pair.grid for pair in state.pairs], directory)
    evaluator = evaluator_of(context.model, state.model, correction, state.md.skin)
    # a calculator of the step before may remember its last configuration
    evaluator.forget()
    left = context.time_left()
    return engine_named(state.md.engine).run_step(
        state.md,
        evaluator,
        step_directory=directory,
        step_number=number,
        progress=context.messages.progress(context.name),
        deadline=None if left is None else time.time() + left,
        max_steps=context.max_steps,
        identity=context.model_identity,
    )


def result_lines(result: "StepResult", name: str = "") -> list[str]:
    """Return what has become of a simulation, of the state ``name`` of several."""
    of = f" of {name}" if name else ""
    if result.status != "finished":
        done = f"at MD step {result.steps_done} of {result.steps_total}"
        return [f"Simulation{of} stopped {done}: the wall time is up"]
    rate = f", {result.steps_per_second:.1f} a second" if result.steps_per_second else ""
    means = described_means(result.summary)
    lines = [f"Simulation done: {result.steps_total} MD steps{rate}"]
    return [*lines, f"Production means{of}: {means}"] if means else lines


def described_means(summary: Mapping[str, Any]) -> str:
    """Return temperature, pressure and density of the production, with errors where they are known."""
    words = []
    for name in ("temperature[K]", "pressure[bar]", "density[kg/m3]"):
        found = production_mean(summary, name)
        if found is None:
            continue
        # at constant volume the density has only rounding errors; one that is not known is nan
        error = f" +- {found.error:.2g}" if found.error > 1e-9 * abs(found.mean) else ""
        quantity, _, unit = name.rstrip("]").partition("[")
        words.append(f"{quantity} {found.mean:.5g}{error} {unit}")
    return ", ".join(words)


def _is_done(begun: Begun) -> bool:
    """Return whether a simulation is marked as done and has its files; a mark without them goes."""
    if not begun.restart.done(SIMULATION):
        return False
    if is_finished(begun.directory, begun.context.state.md):
        begun.context.messages.note("Simulation is already done")
        return True
    begun.context.messages.say(f"{begun.directory.name} has lost its trajectory: the simulation runs again")
    begun.restart.unmark(SIMULATION)
    return False


def _mark(begun: Begun) -> None:
    """Take the digests of a simulation's results, then mark it as done."""
    files = begun.context.state.md
    begun.record.add(begun.directory, files.traj, files.conf_out)
    write_record(begun.directory, begun.record)
    begun.restart.mark(SIMULATION)


def _in_processes(run: Context, number: int, waiting: Sequence[Begun], at_once: int) -> bool:
    names = [item.context.name for item in waiting]
    run.messages.say(f"Simulating {', '.join(names)}, {at_once} at a time")
    ends = run_processes(run, number, names, at_once)
    complete = True
    for name, item in zip(names, waiting, strict=True):
        ended = name in ends and ends[name].status == 0
        if ended and is_finished(item.directory, item.context.state.md):
            _mark(item)
        else:
            complete = False
    refuse_failed(ends, where=run.step_directory(number), again="run again")
    return complete


def run_processes(run: Context, number: int, names: Sequence[str], at_once: int) -> dict[str, End]:
    """Simulate states in processes of their own, so many at once, and return how each ended.

    One that ended well but has left neither its results nor a checkpoint has failed.

    Raises
    ------
    UserError
        A process that cannot be started.
    """
    left = run.time_left()
    ends = run_side_by_side(
        {name: state_command(run.plan, name) for name in names},
        at_once=at_once,
        directory=run.step_directory(number),
        environment=state_environment(
            run.plan,
            step_number=number,
            ending=None if left is None else time.time() + left,
            max_steps=run.max_steps,
            at_once=at_once,
        ),
        tell=run.messages.say,
    )
    return {name: _judged(run, number, name, end, limited=left is not None) for name, end in ends.items()}


def _judged(run: Context, number: int, name: str, end: End, *, limited: bool) -> End:
    """Return how a state's process ended, which has to show by its files; ``limited`` by a wall time."""
    from votca_mlp.engines.engine import engine_named

    md = next(state.md for state in run.plan.states if state.name == name)
    directory = run.step_directory(number) / name
    begun = (directory / engine_named(md.engine).checkpoint(md)).is_file()
    if end.status != 0 or is_finished(directory, md) or (begun and limited):
        return end
    by = f"<launch> {' '.join(run.plan.launch)}" if run.plan.launch else "its process"
    last = f"; its last line: {end.lines[-1]}" if end.lines else ""
    words = f"{by} ended with status 0, but has not simulated to an end or a checkpoint{last}"
    return End(1, (f"votca-mlp: {words}",))


def check_trajectory(begun: Begun) -> None:
    """Refuse a trajectory that is not the one that the simulation wrote.

    Raises
    ------
    UserError
        Naming the file.
    """
    traj = begun.context.state.md.traj
    remedy = f"remove {begun.directory / traj}: the simulation of this step then runs again"
    begun.record.check(begun.directory, traj, remedy=remedy)
