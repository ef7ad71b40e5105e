"""Cores of this process, times in words, whether another still runs, what is an interruption."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def in_words(seconds: float) -> str:
    """Return a length of time in words: 45 s, 12 min, 3.4 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def is_alive(process: int) -> bool:
    """Return whether a process of this machine runs; one that has ended but was not waited for does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # a zombie has ended, its parent has only not asked yet
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        # no /proc (macOS)
        return True


def _group(process: str) -> int | None:
    """Return the process group of a process, none when it has ended."""
    try:
        state, _, group = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(group)


def group_is_alive(group: int) -> bool:
    """Return whether any process of a process group runs; False where that cannot be seen (macOS)."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return False
    return any(_group(name) == group for name in names if name.isdecimal())


def end_group(child: "subprocess.Popen[Any]", *, grace: float = 0.0, limit: float = 5.0) -> None:
    """End a child and all that it has started in its process group, and wait until they have ended.

    The ranks of an MPI program outlive their launcher by a moment, or for good when they ignore SIGTERM: the
    group gets SIGKILL also when the child itself has ended.

    Parameters
    ----------
    child
        The leader of its process group.
    grace
        s between SIGTERM and SIGKILL; 0 is SIGKILL at once.
    limit
        s after SIGKILL after which it is not waited for any longer.
    """
    if grace and child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=grace)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=limit)
    end = time.monotonic() + limit
    while group_is_alive(child.pid) and time.monotonic() < end:
        time.sleep(0.01)


def age() -> float:
    """Return how long this process has run, s; 0 where that is not told (macOS)."""
    try:
        began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        up = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0
    return max(0.0, up - began / os.sysconf("SC_CLK_TCK"))


def is_interrupt(error: BaseException | None) -> bool:
    """Return whether an error is Ctrl-C (or a signal that counts as one), or was caused by it.

    An interruption that comes while compiled code runs arrives as numba's SystemError, "returned a result
    with an exception set", with the KeyboardInterrupt as its cause.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        terminated = isinstance(error, SystemExit) and error.code == 128 + signal.SIGTERM
        if isinstance(error, KeyboardInterrupt) or terminated:
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
