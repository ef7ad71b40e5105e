"""The iterations: csg_inverse's habits in one process."""

import re
import time
from datetime import datetime
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.inverse.changes import changed_lines, describe_inputs
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.copying import touch
from votca_mlp.inverse.history import verdict
from votca_mlp.inverse.prepare import prepare
from votca_mlp.inverse.record import digest, read_record
from votca_mlp.inverse.step import run_iteration
from votca_mlp.inverse.summary import write_summary

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

    messages, main = context.messages, context.main
    messages.date("Sim started")
    if (main / "done").is_file():
        reason = "Job is already done (remove the file named 'done' if you want to go on)"
        messages.say(reason)
        return reason
    try:
        reached = last_step(main)
        prepare(context)
        number = max(reached, 1)
        if number > 1:
            messages.say(f"Jumping in at iteration {number}")
        _tell_changes(context, number)
        settings_digest = digest(context.settings.path)
        made, average = 0, 0.0
        while True:
            limit = context.settings.iterations_max
            if do_iterations is None and number > limit:
                touch(main / "done")
                reason = f"iterations_max {limit} is reached"
                break
            step_begin = time.monotonic()
            directory = context.step_directory(number)
            skip = (directory / "done").is_file()
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
            if _converged(context, number):
                reason = f"converged: {verdict(context.settings, main, number).reason}"
                break
            if not skip:
                if settings_digest != (settings_digest := digest(context.settings.path)):
                    messages.say(
                        f"WARNING: {context.settings.path.name} has changed since this run read it; stop and "
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
    messages.say(f"Stopping: {reason}")
    summarise(reason)
    messages.date("All done at")
    return reason


def last_step(main: Path) -> int:
    """Return the highest number of a step directory, 0 when there is none."""
    found = (re.fullmatch(r"step_(\d+)", path.name) for path in main.glob("step_*") if path.is_dir())
    return max((int(match[1]) for match in found if match), default=0)


def _converged(context: Context, number: int) -> bool:
    """Judge a finished step; when the iterations stop, leave ``stop`` in it and ``done`` in the main one."""
    check = context.settings.convergence_check.type
    if check == "none":
        return False
    found = verdict(context.settings, context.main, number)
    context.messages.say(f"Convergence check {check}: {found.reason}")
    stop = context.step_directory(number) / "stop"
    if not found.stop:
        stop.unlink(missing_ok=True)
        context.messages.say("Iterations are not converged, going on")
        return False
    touch(stop)
    touch(context.main / "done")
    context.messages.say("Iterations are converged, stopping")
    return True


def _tell_changes(context: Context, number: int) -> None:
    """Say which settings and inputs have changed since the last step that has a record."""
    new = describe_inputs(context)
    for step in range(number, -1, -1):
        record = read_record(context.step_directory(step))
        if record is None:
            continue
        begun = step == number and not (context.step_directory(step) / "done").is_file()
        following = step if begun else step + 1
        for line in changed_lines(record.inputs, new, following):
            context.messages.say(f"CHANGED since step {step:03d}: {line}")
        return
