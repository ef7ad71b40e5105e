"""Cores of this process, times in words, whether another still runs, what is an interruption."""

import os
import signal
from pathlib import Path


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
