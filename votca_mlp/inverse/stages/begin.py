"""The beginning of a step: its directory, its files and the potentials that it runs with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.files import remove_left_over
from votca_mlp.inverse.changes import describe_inputs
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.pair_plan import PairPlan
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.potentials import check_grid
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.inverse.states import write_state_potentials
from votca_mlp.runs.copying import copy_file, same_content
from votca_mlp.runs.record import StepRecord, read_record, write_record
from votca_mlp.runs.restart import FILECOPY, INITIALIZE, STEPDIR, RestartFile
from votca_mlp.tables import read_table

RUN_AGAIN = "the file as it was, or remove {step} to make the step again"
SETTINGS = "settings.xml"
"""Of one state of several, in its folder of the step."""


@dataclass
class Begun:
    """A step, or a state's folder in one, that has begun."""

    context: Context
    number: int
    restart: RestartFile
    record: StepRecord

    @property
    def directory(self) -> Path:
        """``step_NNN``, or the state's folder in it."""
        return self.context.step_directory(self.number)


def begin(context: Context, number: int) -> Begun:
    """Make the folder of a step, or of a state in it, or find it as it was left; bring its files into place.

    A run of several states has the shared potentials in the step itself; each state gets, in its folder, the
    sum of their terms at its temperature and its own files and start configuration. With one state all is in
    the step.

    Raises
    ------
    UserError
        A file that is missing, damaged or on another grid; a folder of which it is unknown what is done.
    """
    directory = context.step_directory(number)
    restart = _open(context, directory)
    if context.simulates:
        if context.state.write_settings is not None:
            # for run-state, and for VOTCA's programs
            context.state.write_settings(directory / SETTINGS)
        _copy_files(context, directory, restart)
    return Begun(context, number, restart, _initialize(context, number, restart))


def shared_tables(plan: InversePlan) -> dict[str, PairPlan]:
    """Return the names of a step's tables, with the interaction of each: NAME, and NAME.term1 of u(r; T)."""
    return {table: pair for pair in plan.pairs for table in plan.tables(pair.name)}


def copy_inputs(files: Mapping[str, Path], directory: Path) -> None:
    """Copy the files of ``filelist``, by the name of the copy.

    Raises
    ------
    UserError
        One that is missing.
    """
    for name, source in files.items():
        copy_file(source, directory / name)


def start_file(plan: InversePlan, state: StatePlan, number: int) -> tuple[Path, Path] | None:
    """Return the start configuration of a state in a step and the name of its copy; None for a crystal."""
    directory, last = (plan.step_directory(n) / state.name for n in (number, number - 1))
    if plan.initial_configuration == "laststep" and number > 1:
        # the engine looks for conf.extxyz when the first start was a crystal
        name = "conf.extxyz" if state.md.start is None else state.md.start.name
        return last / state.md.conf_out, directory / name
    start = state.md.start
    return None if start is None else (start, directory / start.name)


def _open(context: Context, directory: Path) -> RestartFile:
    restart = RestartFile(directory / context.plan.restart_file)
    directory.mkdir(exist_ok=True)
    remove_left_over(directory)
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


def _copy_files(context: Context, directory: Path, restart: RestartFile) -> None:
    """Copy the files of ``filelist``; when that was done before, say which have changed since."""
    if not restart.done(FILECOPY):
        copy_inputs(context.state.filelist, directory)
    else:
        for name, source in context.state.filelist.items():
            copy = directory / name
            if not copy.is_file():
                copy_file(source, copy)
            elif source.is_file() and not same_content(source, copy):
                context.messages.say(
                    f"WARNING: {name} of the main directory has changed since this step began; the step goes "
                    f"on with its copy (remove {_relative(context, directory)} to make it again)"
                )
    restart.mark(FILECOPY)


def _initialize(context: Context, number: int, restart: RestartFile) -> StepRecord:
    """Bring potentials and start configuration into place; return the record."""
    plan, shared = context.plan, context.run is None
    directory, last = context.step_directory(number), context.step_directory(number - 1)
    stems = shared_tables(plan) if shared else {pair.name: pair for pair in context.pairs}
    tables = [f"{stem}.pot.cur" for stem in stems]
    if restart.done(INITIALIZE):
        # a step that csg_inverse began has none
        record = read_record(directory) or StepRecord(inputs=describe_inputs(context))
        record.check(directory, *tables, remedy=RUN_AGAIN.format(step=_relative(context, directory)))
        return record
    before = read_record(last) or StepRecord()
    remedy = RUN_AGAIN.format(step=_relative(context, last))
    if shared:
        for stem, pair in stems.items():
            name = f"{stem}.pot.new"
            before.check(last, name, remedy=remedy)
            # of an interrupted or edited step, before anything runs on it
            check_grid(read_table(last / name), pair.grid.points, where=last / name)
            copy_file(last / name, directory / f"{stem}.pot.cur")
    else:
        write_state_potentials(plan, context.state, directory.parent)
    start = start_file(plan, context.state, number) if context.simulates else None
    if start is not None:
        if start[0].parent == last:
            before.check(last, start[0].name, remedy=remedy)
        copy_file(*start)
    record = StepRecord(inputs=describe_inputs(context))
    record.add(directory, *tables)
    write_record(directory, record)
    restart.mark(INITIALIZE)
    return record


def _relative(context: Context, directory: Path) -> Path:
    return directory.relative_to(context.plan.directory)
