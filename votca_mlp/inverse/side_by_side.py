"""The simulations of several states at the same time, each a process of its own.

Every process is ``votca-mlp csg run-state STATE`` in the step directory, for both loops.
"""

import contextlib
import os
import queue
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.errors import UserError
from votca_mlp.inverse import lock
from votca_mlp.processes import cores

if TYPE_CHECKING:
    from votca_mlp.settings import Settings

_TASKS = "cg.inverse.simulation.tasks"
_KEPT_LINES = 20
_GRACE = 10.0  # s
_THREADS = ("CSG_NUM_THREADS", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class End:
    """How a process ended: its exit status and its last lines."""

    status: int
    lines: tuple[str, ...]

    @property
    def reason(self) -> str:
        """What it complained of."""
        for k, line in enumerate(self.lines):
            if line.startswith("votca-mlp: "):
                return "\n".join(self.lines[k:]).removeprefix("votca-mlp: ")
        how = f"ended by signal {-self.status}" if self.status < 0 else f"ended with status {self.status}"
        return f"{how}; its last line: {self.lines[-1]}" if self.lines else how


def states_at_once(settings: "Settings") -> int:
    """Return how many states are simulated at the same time.

    ``cg.inverse.simulation.tasks``: a number, or ``auto`` for the cores of this process. Without the tag one
    after another, or all at once when ``multistate.launch`` says how to start them.

    Raises
    ------
    UserError
        Anything else.
    """
    count = len(settings.multistate.state_names)
    text = (settings.text(_TASKS) or "").strip()
    if not text:
        return count if settings.multistate.launch else 1
    if text == "auto":
        return min(count, cores())
    if not text.isdecimal() or int(text) < 1:
        where = settings.where(_TASKS)
        raise UserError(f"is '{text}'", where=where, accepted="auto, or a whole number > 0")
    return min(count, int(text))


def state_command(settings: "Settings", state: str) -> list[str]:
    """Return the command that simulates one state, to be run in the step directory.

    Raises
    ------
    UserError
        A ``multistate.launch`` with an open quote.
    """
    launch = settings.multistate.launch or ""
    try:
        before = shlex.split(launch)
    except ValueError as error:
        where = settings.where("cg.inverse.multistate.launch")
        raise UserError(f"is '{launch}': {error}", where=where, accepted="a command") from None
    return [*before, sys.executable, "-m", "votca_mlp", "csg", "run-state", state]


def state_environment(
    settings: "Settings",
    *,
    step_number: int,
    ending: float | None,
    max_steps: int | None,
    at_once: int,
) -> dict[str, str]:
    """Return the variables that ``csg run-state`` needs, those of csg_inverse.

    Each process gets its share of the threads, unless a launch command decides that.

    Parameters
    ----------
    ending
        Seconds since the epoch at which to have stopped at a checkpoint, or None.
    max_steps
        CSG_MDRUN_STEPS.
    at_once
        Processes at the same time.
    """
    # with CSGLOG it would write to descriptors 3 and 4, which are csg_inverse's terminal only here
    found = {name: value for name, value in os.environ.items() if name != "CSGLOG"}
    found |= {
        "CSGXMLFILE": str(settings.path),
        "CSG_MAINDIR": str(settings.main_directory),
        "CSG_THISSTEP": f"step_{step_number:03d}",
        "CSG_MASTER_PID": str(os.getpid()),
    }
    for name, value in (("CSGENDING", ending), ("CSG_MDRUN_STEPS", max_steps)):
        found.pop(name, None)
        if value is not None:
            found[name] = str(int(value))
    if settings.multistate.launch:
        # it may start the process on another machine, where no such process is found
        del found["CSG_MASTER_PID"]
    elif settings.mlp.threads is None:
        whole = next((int(v) for n in _THREADS if (v := found.get(n, "")).isdecimal()), cores())
        share = str(max(1, whole // at_once))
        found |= dict.fromkeys((*_THREADS, "NUMBA_NUM_THREADS"), share)
    return found


def run_side_by_side(
    commands: Mapping[str, Sequence[str]],
    *,
    at_once: int,
    directory: Path,
    environment: Mapping[str, str],
    tell: Callable[[str], None],
) -> dict[str, End]:
    """Run commands, so many at once, and return how each ended; those not started are not there.

    After one has failed no other is started; those that run go on to their end. When this process is
    interrupted they are told to end and waited for.

    Parameters
    ----------
    commands
        By name of the state.
    tell
        Is given each line that they write, the state's name before it.

    Raises
    ------
    UserError
        A command that cannot be started.
    """
    waiting = list(commands.items())
    running: dict[str, subprocess.Popen[str]] = {}
    ended: dict[str, End] = {}
    said: dict[str, list[str]] = {name: [] for name in commands}
    lines: queue.Queue[tuple[str, str | None]] = queue.Queue()
    try:
        while waiting or running:
            while waiting and len(running) < at_once and not any(end.status for end in ended.values()):
                name, command = waiting.pop(0)
                running[name] = _start(command, directory, environment)
                threading.Thread(target=_read, args=(name, running[name], lines), daemon=True).start()
            if not running:
                break
            name, line = lines.get()
            if line is None:
                ended[name] = End(running.pop(name).wait(), tuple(said[name]))
            else:
                said[name] = [*said[name], line][-_KEPT_LINES:]
                tell(f"{name}: {line}")
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
            process.kill()
    return ended


def refuse_failed(ends: Mapping[str, End], *, where: Path, again: str) -> None:
    """Raise what failed processes complained of, by state; ``again`` says how to go on.

    Raises
    ------
    UserError
        One of them has failed.
    """
    failed = {name: end for name, end in ends.items() if end.status != 0}
    if failed:
        told = "\n".join(f"state {name}: {end.reason}" for name, end in failed.items())
        raise UserError(
            f"the simulation of {', '.join(failed)} has failed\n{told}",
            where=where,
            accepted=f"{again} when that is mended: what the other states have done stays",
        )


def _start(
    command: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> "subprocess.Popen[str]":
    try:
        return subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # no other run may begin while one of them is left over
            pass_fds=lock.HELD,
        )
    except OSError as error:
        raise UserError(
            f"cannot start '{command[0]}': {error.strerror}",
            where="cg.inverse.multistate.launch",
            accepted="a program that is installed, or no such tag",
        ) from None


def _read(name: str, process: "subprocess.Popen[str]", lines: "queue.Queue[tuple[str, str | None]]") -> None:
    assert process.stdout is not None
    with process.stdout as stream:
        for line in stream:
            lines.put((name, line.rstrip("\n")))
    lines.put((name, None))
