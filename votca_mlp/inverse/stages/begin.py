"""The beginning of a step: its directory, its files and the potentials that it runs with."""

from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.inverse.changes import describe_inputs
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.potentials import check_grid
from votca_mlp.inverse.states import term_names, write_state_potentials
from votca_mlp.runs.copying import copy_file, same_content
from votca_mlp.runs.record import StepRecord, read_record, write_record
from votca_mlp.runs.restart import FILECOPY, INITIALIZE, STEPDIR, RestartFile
from votca_mlp.settings import Interaction
from votca_mlp.tables import grid_points, read_table

RUN_AGAIN = "the file as it was, or remove {step} to make the step again"


def open_step(context: Context, directory: Path) -> RestartFile:
    """Make the step directory, or find it as it was left, and return its restart file.

    Raises
    ------
    UserError
        A directory with content but without a restart file: nobody knows what is done.
    """
    restart = RestartFile(directory / context.options.restart_file)
    directory.mkdir(exist_ok=True)
    left = [path.name for path in directory.iterdir() if not path.name.endswith(".part")]
    if left and not restart.exists():
        raise UserError(
            f"the step directory has no {restart.path.name}, so it is unknown what is done",
            where=directory,
            accepted=f"remove {_relative(context, directory)} to make this step again",
        )
    if left and not restart.done(STEPDIR):
        context.messages.note(f"{restart.path.name} does not know {STEPDIR}")
    restart.mark(STEPDIR)
    return restart


def copy_files(context: Context, directory: Path, restart: RestartFile) -> None:
    """Copy the files of ``filelist``; when that was done before, say which have changed since.

    Raises
    ------
    UserError
        A file is missing.
    """
    done = restart.done(FILECOPY)
    for name in context.settings.filelist:
        source, copy = context.settings.input_path(name), directory / name
        if not done or not copy.is_file():
            copy_file(source, copy)
        elif source.is_file() and not same_content(source, copy):
            context.messages.say(
                f"WARNING: {name} of the main directory has changed since this step began; the step goes on "
                f"with its copy (remove {_relative(context, directory)} to make it again)"
            )
    restart.mark(FILECOPY)


def initialize(context: Context, number: int, restart: RestartFile) -> StepRecord:
    """Bring potentials and start configuration of a step into place; return its record.

    With several states the step itself gets the shared potentials; each state gets, in its folder, the sum of
    their terms at its temperature and its own start configuration.

    Raises
    ------
    UserError
        A file of the step before that is missing, damaged or on another grid.
    """
    directory, last = context.step_directory(number), context.step_directory(number - 1)
    stems = shared_names(context)
    tables = [f"{stem}.pot.cur" for stem in stems]
    if restart.done(INITIALIZE):
        # a step that csg_inverse began has none
        record = read_record(directory) or StepRecord(inputs=describe_inputs(context))
        record.check(directory, *tables, remedy=RUN_AGAIN.format(step=_relative(context, directory)))
        return record
    before = read_record(last) or StepRecord()
    remedy = RUN_AGAIN.format(step=_relative(context, last))
    if context.state is None:
        for stem, pair in stems.items():
            name = f"{stem}.pot.new"
            before.check(last, name, remedy=remedy)
            grid = grid_points(pair.min, pair.max, pair.step)
            # of an interrupted or edited step, before anything runs on it
            check_grid(read_table(last / name), grid, where=last / name)
            copy_file(last / name, directory / f"{stem}.pot.cur")
    else:
        assert context.run is not None
        run = context.run
        write_state_potentials(run.settings, run.states, context.state, directory.parent)
    if not context.states:
        _start_configuration(context, number, before, remedy)
    record = StepRecord(inputs=describe_inputs(context))
    record.add(directory, *tables)
    write_record(directory, record)
    restart.mark(INITIALIZE)
    return record


def _relative(context: Context, directory: Path) -> Path:
    return directory.relative_to(context.settings.run_directory)


def shared_names(context: Context) -> dict[str, Interaction]:
    """Return the names of a step's tables, with the interaction of each: with one state the interactions'.

    With several, the step has those of every term of u(r; T), and a state's folder one for each interaction.
    """
    return {
        stem: pair
        for pair in context.settings.interactions
        for stem in term_names(context.settings, pair.name)
    }


def _start_configuration(context: Context, number: int, before: StepRecord, remedy: str) -> None:
    settings = context.settings
    directory, last = context.step_directory(number), context.step_directory(number - 1)
    conf = settings.engine.conf
    if settings.initial_configuration == "laststep" and number > 1:
        before.check(last, settings.engine.conf_out, remedy=remedy)
        # the engine looks for conf.extxyz when the first start was a crystal
        copy_file(last / settings.engine.conf_out, directory / Path(conf or "conf.extxyz").name)
    elif conf is not None:
        copy_file(settings.input_path(conf), directory / Path(conf).name)
