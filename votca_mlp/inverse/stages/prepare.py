"""Step 0: check everything that can be checked, then write the initial tables."""

from pathlib import Path

import numpy as np

from votca_mlp.files import remove_left_over
from votca_mlp.inverse.changes import describe_inputs
from votca_mlp.inverse.check import check_start_and_model
from votca_mlp.inverse.context import Context, state_contexts
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.potentials import initial_potential
from votca_mlp.inverse.stages.begin import copy_inputs, shared_tables
from votca_mlp.inverse.states import check_basis, described_basis
from votca_mlp.runs.copying import touch
from votca_mlp.runs.record import StepRecord, write_record
from votca_mlp.runs.restart import PREPARE, STEPDIR, RestartFile
from votca_mlp.tables import Table, write_table
from votca_mlp.update.registry import rules


def prepare(context: Context) -> None:
    """Write ``step_000`` unless it is done.

    Raises
    ------
    UserError
        What would stop the run later: files, model, start configuration, targets.
    """
    plan, directory = context.plan, context.step_directory(0)
    if (directory / "done").is_file():
        # targets and weights may have changed since
        plan.check()
        context.messages.say("step 0 is already done - skipping")
        return
    context.messages.say(f"Prepare (dir {directory.name})")
    contexts = state_contexts(context)
    context.messages.say("Checking settings, model, targets and start configuration")
    for line in check_everything(context):
        context.messages.say(line)
    directory.mkdir(exist_ok=True)
    for folder in (plan.directory, directory):
        remove_left_over(folder)
    restart = RestartFile(directory / plan.restart_file)
    restart.mark(STEPDIR)
    for state in contexts:
        folder = state.step_directory(0)
        folder.mkdir(exist_ok=True)
        copy_inputs(state.state.filelist, folder)
        for name, table in targets_on_grid(state).items():
            write_table(folder / f"{name}.dist.tgt", table)
    record = StepRecord(inputs=describe_inputs(context))
    for pair in plan.pairs:
        for stem, line in write_initial(plan, pair.name, directory).items():
            context.messages.say(line)
            record.add(directory, f"{stem}.pot.new")
    if plan.several:
        check_basis(plan)
        context.messages.say(f"Shared by the states: {described_basis(plan)}")
    record.complete = True
    write_record(directory, record)
    restart.mark(PREPARE)
    touch(directory / "done")
    context.messages.say("step 0 done")


def targets_on_grid(context: Context) -> dict[str, Table]:
    """Return the targets on the interactions' grids (nm), with their errors where they have them, by name.

    Raises
    ------
    UserError
        No such table, or too few points.
    """
    return {pair.name: pair.target_on_grid() for pair in context.pairs}


def write_initial(plan: InversePlan, name: str, directory: Path) -> dict[str, str]:
    """Write NAME.pot.new of an interaction and of its terms into step 0; return a line about each.

    Raises
    ------
    UserError
        A NAME.pot.in that is not on the grid, or an interaction that is not there.
    """
    pair, lines = plan.pair(name), {}
    for stem in plan.tables(name):
        table, given = initial_potential(pair.grid, plan.directory, stem)
        write_table(directory / f"{stem}.pot.new", table)
        source = f"{stem}.pot.in" if given else "none, the model as it is"
        lines[stem] = f"Initial correction of {stem}: {source}"
    return lines


def check_everything(context: Context) -> list[str]:
    """Check files, initial potentials, start and model, and evaluate the start (of each state) once.

    Returns
    -------
    A line about the system of each state.

    Raises
    ------
    UserError
        What does not fit.
    """
    context.plan.check()
    for stem, pair in shared_tables(context.plan).items():
        initial_potential(pair.grid, context.plan.directory, stem)
    lines = []
    for state in state_contexts(context):
        found = check_start_and_model(state)
        lines.append(f"{state.name}: {found}" if state.name else found)
    return lines + unweighted(context.plan)


def unweighted(plan: InversePlan) -> list[str]:
    """Return a line where a rule that weights its data by their errors is given none for some of them.

    Raises
    ------
    UserError
        A bad target.
    """
    if not rules()[plan.rule].weighs_errors:
        return []
    known: dict[bool, list[str]] = {True: [], False: []}
    for state in plan.states:
        before = f"{state.name}/" if state.name else ""
        for pair in state.pairs if state.weight > 0 else ():
            if pair.target is None or not getattr(pair.options, "fit", True):
                continue
            column = pair.target_on_grid().yerr
            given = column is not None and bool(np.nan_to_num(column).max() > 0)
            known[given or getattr(pair.options, "error", None) is not None].append(before + pair.name)
        for name, number in (("density", state.density), ("pressure", state.pressure)):
            if number is not None and state.weight > 0:
                known[number.errors is not None].append(before + name)
    if not (known[True] and known[False]):
        # said with each step where there are none at all
        return []
    return [
        f"No sigma for {', '.join(known[False])}, and one for {', '.join(known[True])}: without it the noise "
        "of the simulation alone counts, and outweighs the others; errors in a column, <error>, <sigma> help"
    ]
