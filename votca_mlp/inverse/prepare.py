"""Step 0: check everything that can be checked, then write the initial tables."""

from votca_mlp.csg.check import check_start_and_model
from votca_mlp.csg.potentials import initial_potential
from votca_mlp.inverse.changes import describe_inputs
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.copying import copy_file, touch
from votca_mlp.inverse.operations import resample_target
from votca_mlp.inverse.record import StepRecord, write_record
from votca_mlp.inverse.restart import PREPARE, STEPDIR, RestartFile
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
    check_everything(context)
    directory.mkdir(exist_ok=True)
    restart = RestartFile(directory / context.options.restart_file)
    restart.mark(STEPDIR)
    for name in context.settings.filelist:
        copy_file(context.main / name, directory / name)
    record = StepRecord(inputs=describe_inputs(context))
    for pair in context.settings.interactions:
        table, given = initial_potential(pair, context.main)
        write_table(directory / f"{pair.name}.dist.tgt", target_on_grid(context, pair))
        write_table(directory / f"{pair.name}.pot.new", table)
        source = f"{pair.name}.pot.in" if given else "none, the model as it is"
        context.messages.say(f"Initial correction of {pair.name}: {source}")
        record.add(directory, f"{pair.name}.pot.new")
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


def check_everything(context: Context) -> None:
    """Check files, initial potentials, start and model, and evaluate the start once.

    Raises
    ------
    UserError
        What does not fit.
    """
    from votca_mlp.models.load import evaluator_of

    settings, main = context.settings, context.main
    context.messages.say("Checking settings, model, targets and start configuration")
    check_inputs(settings)
    for pair in settings.interactions:
        initial_potential(pair, main)
    evaluator = evaluator_of(context.model, settings.mlp, None, settings.ase.skin)
    context.messages.say(check_start_and_model(settings, main, context.step_directory(1), evaluator))
