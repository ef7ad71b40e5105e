"""The simulations of several states at the same time, each a process of its own; for both loops."""

import contextlib
import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.runs import lock

_KEPT_LINES = 20
_GRACE = 10.0  # s


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
    interrupted they are asked to end and waited for.

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
        reasons = "\n".join(f"state {name}: {end.reason}" for name, end in failed.items())
        raise UserError(
            f"the simulation of {', '.join(failed)} has failed\n{reasons}",
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
