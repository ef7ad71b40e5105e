"""Step 0: check everything that can be checked, then write the initial tables."""

from collections.abc import Sequence

from votca_mlp.csg.check import check_start_and_model
from votca_mlp.inverse.changes import describe_inputs
from votca_mlp.inverse.context import Context, state_context
from votca_mlp.inverse.potentials import initial_potential
from votca_mlp.inverse.stages.begin import shared_names
from votca_mlp.inverse.states import check_basis, described_basis
from votca_mlp.inverse.tables.operations import resample_target
from votca_mlp.runs.copying import copy_file, touch
from votca_mlp.runs.record import StepRecord, write_record
from votca_mlp.runs.restart import PREPARE, STEPDIR, RestartFile
from votca_mlp.settings import Interaction
from votca_mlp.settings.inputs import check_inputs
from votca_mlp.tables import Table, grid_points, read_table, write_table


def prepare(context: Context) -> None:
    """Write ``step_000`` unless it is done.

    Raises
    ------
    UserError
        What would stop the run later: files, model, start configuration, targets.
    """
    directory = context.step_directory(0)
    if (directory / "done").is_file():
        # targets and weights may have changed since
        check_inputs(context.settings)
        context.messages.say("step 0 is already done - skipping")
        return
    context.messages.say(f"Prepare (dir {directory.name})")
    contexts = [state_context(context, state) for state in context.states] or [context]
    check_everything(context, contexts)
    directory.mkdir(exist_ok=True)
    restart = RestartFile(directory / context.options.restart_file)
    restart.mark(STEPDIR)
    for state in contexts:
        folder = state.step_directory(0)
        folder.mkdir(exist_ok=True)
        for name in state.settings.filelist:
            copy_file(state.settings.input_path(name), folder / name)
        for pair in state.settings.interactions:
            write_table(folder / f"{pair.name}.dist.tgt", target_on_grid(state, pair))
    record = StepRecord(inputs=describe_inputs(context))
    for stem, pair in shared_names(context).items():
        table, given = initial_potential(pair.model_copy(update={"name": stem}), context.main)
        write_table(directory / f"{stem}.pot.new", table)
        source = f"{stem}.pot.in" if given else "none, the model as it is"
        context.messages.say(f"Initial correction of {stem}: {source}")
        record.add(directory, f"{stem}.pot.new")
    if context.states:
        check_basis(context.settings, context.states)
        context.messages.say(f"Shared by the states: {described_basis(context.settings, context.states)}")
    record.complete = True
    write_record(directory, record)
    restart.mark(PREPARE)
    touch(directory / "done")
    context.messages.say("step 0 done")


def target_on_grid(context: Context, pair: Interaction) -> Table:
    """Return the target of an interaction on its grid (nm), with its errors where it has them.

    Raises
    ------
    UserError
        No such table, or too few points.
    """
    target = read_table(context.main / pair.target)
    return resample_target(target, grid_points(pair.min, pair.max, pair.step))


def check_everything(context: Context, states: Sequence[Context]) -> None:
    """Check files, initial potentials, start and model, and evaluate the start (of each state) once.

    Raises
    ------
    UserError
        What does not fit.
    """
    from votca_mlp.evaluation.load import evaluator_of

    context.messages.say("Checking settings, model, targets and start configuration")
    check_inputs(context.settings)
    for stem, pair in shared_names(context).items():
        initial_potential(pair.model_copy(update={"name": stem}), context.main)
    for state in states:
        settings = state.settings
        evaluator = evaluator_of(state.model, settings.mlp, None, settings.ase.skin)
        found = check_start_and_model(settings, state.main, state.step_directory(1), evaluator)
        before = f"{state.state.name}: " if state.state is not None else ""
        context.messages.say(before + found)
