"""One iteration: from the potentials of the step before to those of the next."""

from collections.abc import Sequence
from dataclasses import asdict

from votca_mlp.inverse.agreement import agreement_with, described, facts_of
from votca_mlp.inverse.changes import describe_inputs
from votca_mlp.inverse.context import Context, state_contexts
from votca_mlp.inverse.history import contradiction, misfits
from votca_mlp.inverse.stages.begin import Begun, begin, shared_tables
from votca_mlp.inverse.stages.finish import clean_up, finish_files
from votca_mlp.inverse.stages.measure import few_blocks, measure
from votca_mlp.inverse.stages.simulate import check_trajectory, simulate
from votca_mlp.inverse.stages.update import update_potentials
from votca_mlp.inverse.states import check_basis
from votca_mlp.runs.copying import touch
from votca_mlp.runs.record import intact, timed, write_record
from votca_mlp.tables import Table


def run_iteration(context: Context, number: int) -> bool:
    """Make or go on with a step; return False when the wall time came before the end of its simulations.

    Everything after the simulation takes well under a second and is made afresh when it was interrupted.

    Raises
    ------
    UserError
        Bad or damaged input, no space left, a simulation that has gone wrong; of several states it names the
        state. What the other states have done stays.
    """
    if context.plan.several:
        check_basis(context.plan)
    step = begin(context, number)
    directory, record = step.directory, step.record
    files = [f"{stem}.pot.new" for stem in shared_tables(context.plan)]
    if record.complete and intact(record, directory, files):
        context.messages.note("the potentials of this step are already complete")
    else:
        record.complete = False
        if not _make(step):
            return False
        record.add(directory, *files)
        # settings changed in mid-step have shaped the update
        record.inputs = describe_inputs(context)
        record.complete = True
        write_record(directory, record)
    finish_files(context, number)
    if context.plan.several:
        for state in state_contexts(context):
            clean_up(state, number)
    touch(directory / "done")
    return True


def _make(step: Begun) -> bool:
    """Make the potentials of the next step; return False when the wall time came first."""
    context, number, several = step.context, step.number, step.context.plan.several
    if several:
        with timed(step.record, "simulation"):
            states = [begin(state, number) for state in state_contexts(context)]
            in_time = simulate(context, number, states)
    else:
        states = [step]
        in_time = simulate(context, number, states)
    if not in_time:
        return False
    context.messages.say("Make update for ibi")
    measured = []
    with timed(step.record, "rdf"):
        for state in states:
            check_trajectory(state)
            measured.append((state.context, measure(state.context, number)))
    with timed(step.record, "update"):
        targets = update_potentials(context, number, measured)
    for state, (_, distributions), target in zip(states, measured, targets, strict=True):
        _say_agreement(state, distributions, target)
    if several:
        _gather(step, states)
    return True


def _say_agreement(begun: Begun, distributions: dict[str, Table], targets: dict[str, Table]) -> None:
    """Say how far each g(r) is from its target, and add it to the record."""
    before = f"{begun.context.name}, " if begun.context.name else ""
    words = few_blocks(begun.context.state, begun.directory)
    for name, distribution in distributions.items():
        begun.record.add(begun.directory, f"{name}.dist.new")
        if not targets[name].known:
            continue
        agreement = agreement_with(targets[name], distribution)
        begun.record.agreement[name] = facts_of(agreement)
        begun.context.messages.say(f"{before}{name}: {described(agreement)}{words}")


def _gather(step: Begun, states: Sequence[Begun]) -> None:
    """Write the states' records, and add to the step's how far the states agree."""
    context, record = step.context, step.record
    for state in states:
        write_record(state.directory, state.record)
        found = {f"{state.context.name}/{name}": facts for name, facts in state.record.agreement.items()}
        record.agreement |= found
    misfit_of = misfits(context.plan, step.number)
    record.misfit = {name: asdict(misfit) for name, misfit in misfit_of.items()}
    for name, misfit in misfit_of.items():
        context.messages.say(f"{name}, all states: {misfit}")
    against = contradiction(context.plan, step.number)
    if against is not None:
        context.messages.say(f"WARNING: {against}")
