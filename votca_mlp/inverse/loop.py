"""The iterations: csg_inverse's habits in one process."""

import re
import time
from datetime import datetime
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.inverse.changes import say_changes
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.final_checks import run_checks
from votca_mlp.inverse.history import contradiction, verdict
from votca_mlp.inverse.in_words import plan_in_words
from votca_mlp.inverse.stages.prepare import prepare
from votca_mlp.inverse.step import run_iteration
from votca_mlp.inverse.summary import write_summary
from votca_mlp.inverse.temperature import write_u_of_t
from votca_mlp.processes import is_interrupt
from votca_mlp.runs.copying import touch
from votca_mlp.runs.record import digest
from votca_mlp.update.convergence import Verdict

_LATER = "the wall time is up in the checks; run again to go on"
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
    messages, main = context.messages, context.plan.directory
    loop = _Loop(context, do_iterations)
    messages.date("Sim started")
    if (main / "done").is_file():
        reason = "Job is already done (remove the file named 'done' if you want to go on)"
        messages.say(reason)
        # the run may have been killed in between
        _write_result(context, last_step(main))
        if not run_checks(context, _last_done(context, last_step(main))):
            messages.say(_LATER)
        return reason
    try:
        reason = loop.iterate()
    except BaseException as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        why = "interrupted; run again to go on" if is_interrupt(error) else f"{type(error).__name__}: {what}"
        messages.note(f"ended by {type(error).__name__}: {error}")
        try:
            loop.summarise(why)
        except UserError:
            # the disk that is full is the error already
            messages.note("the summary could not be written")
        raise
    against = contradiction(context.plan, _last_done(context, loop.reached))
    if against is not None and against not in reason:
        reason += f"; {against}"
    _write_result(context, loop.reached)
    for line in plan_in_words(context.plan):
        messages.say(line)
    if (main / "done").is_file() and not run_checks(context, _last_done(context, loop.reached)):
        messages.say(_LATER)
    messages.say(f"Stopping: {reason}")
    loop.summarise(reason)
    messages.date("All done at")
    return reason


class _Loop:
    """Where a run has come to.

    Attributes
    ----------
    reached
        The last step that has begun.
    made, average
        Steps made by this process, and the mean of the seconds that they took.
    """

    def __init__(self, context: Context, do_iterations: int | None) -> None:
        self.context, self.do_iterations = context, do_iterations
        self.begin, self.started = time.monotonic(), datetime.now().astimezone()
        self.reached, self.made, self.average = 0, 0, 0.0
        self.settings: tuple[int, str] | None = None

    def summarise(self, stopped: str) -> None:
        """Write the summary of the run so far."""
        seconds = time.monotonic() - self.begin
        write_summary(self.context, started=self.started, seconds=seconds, last=self.reached, stopped=stopped)

    def iterate(self) -> str:
        """Prepare the run and iterate from where it was left; return why it stops."""
        context = self.context
        self.reached = last_step(context.plan.directory)
        prepare(context)
        number = max(self.reached, 1)
        if number > 1:
            context.messages.say(f"Jumping in at iteration {number}")
        say_changes(context, number)
        path = context.plan.origin.path
        self.settings = None if path is None else digest(path)
        while (reason := self._step(number)) is None:
            number += 1
        return reason

    def _step(self, number: int) -> str | None:
        """Make a step unless it is done; return the reason to stop before or after it, if there is one."""
        context, limit = self.context, self.context.plan.iterations_max
        if self.do_iterations is None and number > limit:
            touch(context.plan.directory / "done")
            return f"iterations_max {limit} is reached"
        skip = _is_done(context, number)
        if skip:
            context.messages.say(f"step {number} is already done - skipping")
        elif not self._make(number):
            return f"the wall time is up in step {number}; run again to go on"
        found = _judged(context, number)
        if found.stop:
            return f"converged: {found.reason}" if found.met else f"not converged: {found.reason}"
        return None if skip else self._enough()

    def _make(self, number: int) -> bool:
        """Make a step; return False when the wall time came first."""
        context, begin = self.context, time.monotonic()
        context.messages.say(f"Doing iteration {number} (dir {context.step_directory(number).name})")
        self.reached = number
        self.summarise(GOING_ON)
        if not run_iteration(context, number):
            return False
        seconds = time.monotonic() - begin
        self.made += 1
        self.average += (seconds - self.average) / self.made
        context.messages.say(f"\nstep {number} done, needed {seconds:.0f} secs")
        self.summarise(GOING_ON)
        return True

    def _enough(self) -> str | None:
        """Return why no other step is to be made, None when one is; warn of settings that have changed."""
        path, before = self.context.plan.origin.path, self.settings
        if path is not None and before != (now := digest(path)):
            self.settings = now
            self.context.messages.say(
                f"WARNING: {path.name} has changed since this run read it; stop and "
                "run again for the changes to take effect"
            )
        left = self.context.time_left()
        if left is not None and self.average > left:
            return "another step would not end within the wall time"
        if self.made == self.do_iterations:
            return "1 iteration was asked for" if self.made == 1 else f"{self.made} iterations were asked for"
        return None


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
