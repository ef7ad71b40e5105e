"""One iteration of several states: their simulations, then the update that they share."""

import time
from dataclasses import asdict

from votca_mlp.csg.run import described_means
from votca_mlp.engines.shared.resume import is_finished
from votca_mlp.errors import UserError
from votca_mlp.inverse.context import Context, state_context
from votca_mlp.inverse.history import contradiction, misfits
from votca_mlp.inverse.stages.begin import copy_files, initialize, open_step
from votca_mlp.inverse.stages.finish import clean_up
from votca_mlp.inverse.stages.measure import measure
from votca_mlp.inverse.stages.simulate import check_trajectory, mark_simulated, simulate, simulation_done
from votca_mlp.inverse.stages.update import update_potentials
from votca_mlp.inverse.state_command import state_command, state_environment, states_at_once
from votca_mlp.inverse.states import check_basis
from votca_mlp.inverse.step import complete, tell_agreement, timed
from votca_mlp.runs.copying import touch
from votca_mlp.runs.record import StepRecord, write_record
from votca_mlp.runs.restart import RestartFile
from votca_mlp.runs.side_by_side import refuse_failed, run_side_by_side
from votca_mlp.settings.states import write_state_settings

Begun = tuple[Context, RestartFile, StepRecord]


def run_states(context: Context, number: int) -> bool:
    """Make or go on with a step; return False when the wall time came before the simulations' end.

    Raises
    ------
    UserError
        As with one state; it names the state. What the other states have done stays.
    """
    check_basis(context.settings, context.states)
    directory = context.step_directory(number)
    record = initialize(context, number, open_step(context, directory))
    contexts = [state_context(context, state) for state in context.states]
    if not complete(context, number, record, lambda: _make(context, number, record, contexts)):
        return False
    for state in contexts:
        clean_up(state, number)
    touch(directory / "done")
    return True


def _make(context: Context, number: int, record: StepRecord, contexts: list[Context]) -> bool:
    with timed(record, "simulation"):
        begun = [_begin(state, number) for state in contexts]
        if not _simulate(context, number, begun):
            return False
    _update(context, number, record, begun)
    return True


def _begin(context: Context, number: int) -> Begun:
    directory = context.step_directory(number)
    restart = open_step(context, directory)
    assert context.state is not None
    # for run-state, and for VOTCA's programs
    write_state_settings(context.state, directory / "settings.xml")
    copy_files(context, directory, restart)
    return context, restart, initialize(context, number, restart)


def _simulate(context: Context, number: int, begun: list[Begun]) -> bool:
    """Run all simulations that are not done; return False when the wall time came first."""
    waiting = [item for item in begun if not simulation_done(item[0], number, item[1])]
    at_once = min(states_at_once(context.settings), len(waiting))
    # what is to be started elsewhere is, also alone
    if at_once > 1 or (waiting and context.settings.multistate.launch):
        return _side_by_side(context, number, waiting, at_once)
    for state, restart, record in waiting:
        assert state.state is not None
        name = state.state.name
        state.messages.say(f"State {name} at {state.state.temperature:g} K")
        try:
            with timed(record, "simulation"):
                result = simulate(state, number, restart, record)
        except UserError as error:
            raise UserError(
                f"state {name}: {error.what}", where=error.where, accepted=error.accepted
            ) from error
        if result is not None and result.status != "finished":
            done = f"at MD step {result.steps_done} of {result.steps_total}"
            state.messages.say(f"Simulation of {name} stopped {done}: the wall time is up")
            return False
        if result is not None and (means := described_means(result.summary)):
            state.messages.say(f"Production means of {name}: {means}")
    return True


def _side_by_side(context: Context, number: int, waiting: list[Begun], at_once: int) -> bool:
    names = [item[0].state.name for item in waiting if item[0].state is not None]
    context.messages.say(f"Simulating {', '.join(names)}, {at_once} at a time")
    left = context.time_left()
    ends = run_side_by_side(
        {name: state_command(context.settings, name) for name in names},
        at_once=at_once,
        directory=context.step_directory(number),
        environment=state_environment(
            context.settings,
            step_number=number,
            ending=None if left is None else time.time() + left,
            max_steps=context.max_steps,
            at_once=at_once,
        ),
        tell=context.messages.say,
    )
    complete = True
    for name, (state, restart, record) in zip(names, waiting, strict=True):
        ended = name in ends and ends[name].status == 0
        if ended and is_finished(state.step_directory(number), state.settings.engine):
            mark_simulated(state, number, restart, record)
        else:
            complete = False
    refuse_failed(ends, where=context.step_directory(number), again="run again")
    return complete


def _update(context: Context, number: int, record: StepRecord, begun: list[Begun]) -> None:
    context.messages.say("Make update for ibi")
    measured = []
    with timed(record, "rdf"):
        for state, _, state_record in begun:
            check_trajectory(state, number, state_record)
            measured.append((state, measure(state, number)))
    with timed(record, "update"):
        targets = update_potentials(context, number, measured)
    for (state, distributions), target, item in zip(measured, targets, begun, strict=True):
        directory = state.step_directory(number)
        assert state.state is not None
        tell_agreement(state, directory, item[2], distributions, target)
        write_record(directory, item[2])
        record.agreement |= {f"{state.state.name}/{k}": v for k, v in item[2].agreement.items()}
    found = misfits(context.settings, context.main, number)
    record.misfit = {name: asdict(misfit) for name, misfit in found.items()}
    for name, misfit in found.items():
        context.messages.say(f"{name}, all states: {misfit}")
    against = contradiction(context.settings, context.main, number)
    if against is not None:
        context.messages.say(f"WARNING: {against}")
