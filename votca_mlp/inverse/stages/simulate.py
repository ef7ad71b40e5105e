"""The simulation of a step, and whether its trajectory is whole."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.engines.shared.resume import is_finished
from votca_mlp.errors import UserError
from votca_mlp.inverse.context import Context
from votca_mlp.runs.record import StepRecord, write_record
from votca_mlp.runs.restart import SIMULATION, RestartFile

if TYPE_CHECKING:
    from votca_mlp.engines.shared.result import StepResult


def simulate(context: Context, number: int, restart: RestartFile, record: StepRecord) -> "StepResult | None":
    """Run or go on with the simulation of a step unless it is done.

    Returns
    -------
    The engine's result, or None when the simulation was done before. A result that is ``checkpointed``
    means that the wall time is up.

    Raises
    ------
    UserError
        Bad input, or a simulation that has gone wrong.
    """
    from votca_mlp.engines.dispatch import run_step_of
    from votca_mlp.evaluation.load import evaluator_of
    from votca_mlp.inverse.potentials import current_correction

    settings, directory = context.settings, context.step_directory(number)
    if simulation_done(context, number, restart):
        return None
    context.messages.say(f"Simulation with {settings.program}")
    if context.max_steps is not None:
        context.messages.say(f"CSG_MDRUN_STEPS: at most {context.max_steps} MD steps in each stage")
    correction = current_correction(settings, directory)
    evaluator = evaluator_of(context.model, settings.mlp, correction, settings.ase.skin)
    # a calculator of the step before may remember its last configuration
    evaluator.forget()
    left = context.time_left()
    result = run_step_of(settings.program)(
        settings,
        evaluator,
        step_directory=directory,
        main_directory=context.main,
        step_number=number,
        progress=context.messages.progress(context.state.name if context.state is not None else ""),
        deadline=None if left is None else time.time() + left,
        max_steps=context.max_steps,
        identity=context.model_identity,
    )
    if result.status == "finished":
        mark_simulated(context, number, restart, record)
        rate = f", {result.steps_per_second:.1f} a second" if result.steps_per_second else ""
        context.messages.say(f"Simulation done: {result.steps_total} MD steps{rate}")
    return result


def simulation_done(context: Context, number: int, restart: RestartFile) -> bool:
    """Return whether the simulation is marked as done and has its files; a mark without them goes."""
    directory = context.step_directory(number)
    if not restart.done(SIMULATION):
        return False
    if is_finished(directory, context.settings.engine):
        context.messages.note("Simulation is already done")
        return True
    context.messages.say(f"{directory.name} has lost its trajectory: the simulation runs again")
    restart.unmark(SIMULATION)
    return False


def mark_simulated(context: Context, number: int, restart: RestartFile, record: StepRecord) -> None:
    """Take the digests of a simulation's results, then mark it as done."""
    directory, files = context.step_directory(number), context.settings.engine
    record.add(directory, files.traj, files.conf_out)
    write_record(directory, record)
    restart.mark(SIMULATION)


def check_trajectory(context: Context, number: int, record: StepRecord) -> None:
    """Refuse a trajectory that is not the one that the simulation wrote.

    Raises
    ------
    UserError
        Naming the file.
    """
    directory, files = context.step_directory(number), context.settings.engine
    remedy = f"remove {directory / files.traj}: the simulation of this step then runs again"
    record.check(directory, files.traj, remedy=remedy)


def frames_expected(directory: Path) -> int | None:
    """Return how many frames the engine sampled in the production, or None when it left no word."""
    from votca_mlp.engines.shared.result import SUMMARY

    try:
        facts = json.loads((directory / SUMMARY).read_text(encoding="utf-8"))
        # an engine's trajectory may be sampled at other times than its energies
        return int(facts.get("frames") or next(iter(facts["production"].values()))["samples"])
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None


def check_frames(directory: Path, traj: str, found: int) -> None:
    """Refuse a trajectory with fewer frames than the engine sampled.

    Raises
    ------
    UserError
        Naming the file and both numbers.
    """
    expected = frames_expected(directory)
    if expected is not None and found < expected:
        raise UserError(
            f"the trajectory is cut short: {found} of {expected} frames",
            where=directory / traj,
            accepted="remove the file: the simulation of this step then runs again",
        )
