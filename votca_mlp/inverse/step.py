"""One iteration: from the potentials of the step before to those of the next."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from votca_mlp.csg.run import described_means
from votca_mlp.inverse.changes import describe_inputs
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.history import agreement_with
from votca_mlp.inverse.stages.begin import copy_files, initialize, open_step, shared_names
from votca_mlp.inverse.stages.finish import finish_files
from votca_mlp.inverse.stages.measure import measure
from votca_mlp.inverse.stages.simulate import check_trajectory, simulate
from votca_mlp.inverse.stages.update import update_potentials
from votca_mlp.runs.copying import touch
from votca_mlp.runs.record import StepRecord, write_record
from votca_mlp.runs.restart import RestartFile
from votca_mlp.tables import Table
from votca_mlp.targets.agreement import Agreement


def run_iteration(context: Context, number: int) -> bool:
    """Make or go on with a step; return False when the wall time came before the end of its simulation.

    Everything after the simulation takes well under a second and is made afresh when it was interrupted.

    Raises
    ------
    UserError
        Bad or damaged input, no space left, a simulation that has gone wrong.
    """
    if context.states:
        from votca_mlp.inverse.step_states import run_states

        return run_states(context, number)
    directory = context.step_directory(number)
    restart = open_step(context, directory)
    copy_files(context, directory, restart)
    record = initialize(context, number, restart)
    if not complete(context, number, record, lambda: _make(context, number, restart, record)):
        return False
    touch(directory / "done")
    return True


def complete(context: Context, number: int, record: StepRecord, make: Callable[[], bool]) -> bool:
    """Make the potentials of the next step, unless they are whole; return False when ``make`` does.

    Parameters
    ----------
    make
        Makes them, or goes on with it; returns False when the wall time came first.
    """
    directory = context.step_directory(number)
    files = [f"{stem}.pot.new" for stem in shared_names(context)]
    if record.complete and whole(record, directory, files):
        context.messages.note("the potentials of this step are already complete")
    else:
        record.complete = False
        if not make():
            return False
        record.add(directory, *files)
        # settings changed in mid-step have been told of, and have shaped the update
        record.inputs = describe_inputs(context)
        record.complete = True
        write_record(directory, record)
    finish_files(context, number)
    return True


def _make(context: Context, number: int, restart: RestartFile, record: StepRecord) -> bool:
    with timed(record, "simulation"):
        result = simulate(context, number, restart, record)
    if result is not None and result.status != "finished":
        context.messages.say(
            f"Simulation stopped at MD step {result.steps_done} of {result.steps_total}: the wall time is up"
        )
        return False
    if result is not None and (means := described_means(result.summary)):
        context.messages.say(f"Production means: {means}")
    check_trajectory(context, number, record)
    _update(context, number, record)
    return True


def _update(context: Context, number: int, record: StepRecord) -> None:
    directory = context.step_directory(number)
    context.messages.say("Make update for ibi")
    with timed(record, "rdf"):
        distributions = measure(context, number)
    with timed(record, "update"):
        (targets,) = update_potentials(context, number, [(context, distributions)])
    tell_agreement(context, directory, record, distributions, targets)


def tell_agreement(
    context: Context,
    directory: Path,
    record: StepRecord,
    distributions: dict[str, Table],
    targets: dict[str, Table],
) -> None:
    """Say how far each g(r) is from its target, and add it to the record."""
    before = f"{context.state.name}, " if context.state is not None else ""
    for name, distribution in distributions.items():
        agreement = agreement_with(targets[name], distribution)
        record.agreement[name] = facts_of(agreement)
        record.add(directory, f"{name}.dist.new")
        context.messages.say(f"{before}{name}: {described(agreement)}")


def facts_of(agreement: Agreement) -> dict[str, Any]:
    """Return the measures as plain numbers; what is not known is None."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(item) for name, item in value.items()}
        return None if value is None or value != value else float(value)

    return dict(plain(asdict(agreement)))


def described(agreement: Agreement) -> str:
    """Return the measures as one line."""
    known = agreement.rms_error == agreement.rms_error
    rms = f"rms {agreement.rms:.4f}" + (f" +- {agreement.rms_error:.2g}" if known else "")
    chi2 = "" if agreement.chi2 is None else f", chi2 {agreement.chi2:.3g}"
    return (
        f"g - target: {rms}, largest {agreement.largest:.4f} at {agreement.largest_at:.2f} Angstrom{chi2}, "
        f"f_fit {agreement.fit:.4f}"
    )


def whole(record: StepRecord, directory: Path, names: list[str]) -> bool:
    """Return whether the files are there as the record has them."""
    from votca_mlp.runs.record import digest

    paths = [directory / name for name in names]
    return all(path.is_file() and list(digest(path)) == record.files.get(path.name, [])[:2] for path in paths)


@contextmanager
def timed(record: StepRecord, stage: str) -> Iterator[None]:
    """Add the time that the block takes to the record."""
    begin = time.monotonic()
    try:
        yield
    finally:
        record.seconds[stage] = record.seconds.get(stage, 0.0) + time.monotonic() - begin
