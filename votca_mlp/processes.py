"""Cores of this process; whether another still runs."""

import os
from pathlib import Path


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


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
