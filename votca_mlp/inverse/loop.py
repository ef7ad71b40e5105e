"""The iterations: csg_inverse's habits in one process."""

import re
import time
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.inverse.changes import changed_lines, describe_inputs
from votca_mlp.inverse.context import Context, state_contexts
from votca_mlp.inverse.history import contradiction, verdict
from votca_mlp.inverse.stages.prepare import prepare
from votca_mlp.inverse.step import run_iteration
from votca_mlp.inverse.summary import write_summary
from votca_mlp.inverse.temperature import write_u_of_t
from votca_mlp.runs.copying import touch
from votca_mlp.runs.record import digest, read_record
from votca_mlp.update.convergence import Verdict

GOING_ON = "still running, or killed"


def run_loop(context: Context, *, do_iterations: int | None = None) -> str:
    """Run iterations until one of the reasons to stop, and return the reason.

    Parameters
    ----------
    do_iterations
        Only so many, whatever iterations_max says.

    Raises
    ------
    UserError
        As :func:`votca_mlp.inverse.step.run_iteration`; what is done stays, and running again goes on.
    """
    begin, started = time.monotonic(), datetime.now().astimezone()
    reached = 0

    def summarise(stopped: str) -> None:
        seconds = time.monotonic() - begin
        write_summary(context, started=started, seconds=seconds, last=reached, stopped=stopped)

    messages, main = context.messages, context.plan.directory
    messages.date("Sim started")
    if (main / "done").is_file():
        reason = "Job is already done (remove the file named 'done' if you want to go on)"
        messages.say(reason)
        # the run may have been killed in between
        _write_result(context, last_step(main))
        return reason
    try:
        reached = last_step(main)
        prepare(context)
        number = max(reached, 1)
        if number > 1:
            messages.say(f"Jumping in at iteration {number}")
        _say_changes(context, number)
        settings = context.plan.origin.path
        settings_digest = settings and digest(settings)
        made, average = 0, 0.0
        while True:
            limit = context.plan.iterations_max
            if do_iterations is None and number > limit:
                touch(main / "done")
                reason = f"iterations_max {limit} is reached"
                break
            step_begin = time.monotonic()
            directory = context.step_directory(number)
            skip = _is_done(context, number)
            if skip:
                messages.say(f"step {number} is already done - skipping")
            else:
                messages.say(f"Doing iteration {number} (dir {directory.name})")
                reached = number
                summarise(GOING_ON)
                if not run_iteration(context, number):
                    reason = f"the wall time is up in step {number}; run again to go on"
                    break
                seconds = time.monotonic() - step_begin
                made += 1
                average = (average * (made - 1) + seconds) / made
                messages.say(f"\nstep {number} done, needed {seconds:.0f} secs")
                summarise(GOING_ON)
            found = _judged(context, number)
            if found.stop:
                reason = f"converged: {found.reason}" if found.met else f"not converged: {found.reason}"
                break
            if not skip:
                if settings and settings_digest != (settings_digest := digest(settings)):
                    messages.say(
                        f"WARNING: {settings.name} has changed since this run read it; stop and "
                        "run again for the changes to take effect"
                    )
                left = context.time_left()
                if left is not None and average > left:
                    reason = "another step would not end within the wall time"
                    break
                if made == do_iterations:
                    reason = f"{made} iterations were asked for"
                    break
            number += 1
    except BaseException as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        messages.note(f"ended by {type(error).__name__}: {error}")
        try:
            summarise(f"{type(error).__name__}: {what}")
        except UserError:
            # the disk that is full is the error already
            messages.note("the summary could not be written")
        raise
    against = contradiction(context.plan, _last_done(context, reached))
    if against is not None and against not in reason:
        reason += f"; {against}"
    _write_result(context, reached)
    messages.say(f"Stopping: {reason}")
    summarise(reason)
    messages.date("All done at")
    return reason


def _write_result(context: Context, last: int) -> None:
    """Write u(r; T) of the last finished step, where the correction has terms in temperature."""
    finished = _last_done(context, last)
    written = write_u_of_t(context.plan, finished)
    if written is not None:
        context.messages.say(f"u(r; T) of step {finished} is in {written.name}")


def _last_done(context: Context, last: int) -> int:
    return max((number for number in range(1, last + 1) if _is_done(context, number)), default=0)


def _is_done(context: Context, number: int) -> bool:
    return (context.step_directory(number) / "done").is_file()


def last_step(main: Path) -> int:
    """Return the highest number of a step directory, 0 when there is none."""
    found = (re.fullmatch(r"step_(\d+)", path.name) for path in main.glob("step_*") if path.is_dir())
    return max((int(match[1]) for match in found if match), default=0)


def _judged(context: Context, number: int) -> Verdict:
    """Judge a finished step; when the iterations stop, leave ``stop`` in it and ``done`` in the main one."""
    check = context.plan.convergence.type
    found = verdict(context.plan, number)
    if check == "none":
        return found
    context.messages.say(f"Convergence check {check}: {found.reason}")
    stop = context.step_directory(number) / "stop"
    if not found.stop:
        stop.unlink(missing_ok=True)
        context.messages.say("Iterations are not converged, going on")
        return found
    touch(stop)
    touch(context.plan.directory / "done")
    words = "Iterations are converged" if found.met else "Iterations are not converged, but at their end"
    context.messages.say(f"{words}, stopping")
    return found


def _say_changes(context: Context, number: int) -> None:
    """Say which settings and inputs have changed since the last step that has a record."""
    known = _changes_of(context, number, "", ())
    for state in state_contexts(context) if context.plan.several else ():
        _changes_of(state, number, f"state {state.name}: ", known)


def _changes_of(context: Context, number: int, before: str, known: Collection[str]) -> list[str]:
    """Say and return what has changed, but for the ``known`` lines that were said of the run."""
    new = describe_inputs(context)
    for step in range(number, -1, -1):
        record = read_record(context.step_directory(step))
        if record is None:
            continue
        shared = (context.run or context).step_directory(step)
        begun = step == number and not (shared / "done").is_file()
        following = step if begun else step + 1
        lines = changed_lines(record.inputs, new, following)
        for line in lines:
            if line not in known:
                context.messages.say(f"CHANGED since step {step:03d}: {before}{line}")
        return lines
    return []
