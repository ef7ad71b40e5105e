"""One run in a directory at a time."""

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.processes import is_alive
from votca_mlp.runs.claim import claimed, refuse_claimed

NAME = ".votca_mlp.lock"
"""In the main directory; the system releases it when its process ends, however it ends."""
HELD: list[int] = []
"""Descriptors of the locks of this process: a child that inherits them holds the lock until it ends, too."""


@contextlib.contextmanager
def locked(directory: Path, *, master: int | None = None, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock of a main directory.

    Parameters
    ----------
    master
        Process of the csg_inverse that this belongs to, None for our own loop.
    patience
        Seconds to wait for another's lock: a simulation whose csg_inverse was killed ends within one.

    A lock whose process has ended is taken over. Where the file system has no locks, the process named in
    the file is looked for on this host; one of another host is believed to run.

    Raises
    ------
    UserError
        Another run has it (named by process and host), a csg_inverse works in the directory, or it cannot be
        written to.
    """
    refuse_claimed(directory, master)
    path = directory / NAME
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise UserError(
            f"cannot write: {error.strerror}", where=path, accepted="a writable directory"
        ) from None
    try:
        until = time.monotonic() + patience
        while True:
            try:
                _take(handle, path)
                break
            except UserError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
        HELD.append(handle)
        yield
        os.ftruncate(handle, 0)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise UserError("no space left", where=path, accepted="free space; then run again") from None
    finally:
        if handle in HELD:
            HELD.remove(handle)
        os.close(handle)


def is_held(directory: Path) -> bool | None:
    """Return whether a run, of either loop, works in a directory; None where another host's may.

    The lock is tried, and let go at once where it can be had.
    """
    if claimed(directory):
        return True
    try:
        handle = os.open(directory / NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        process, host = _owner(handle)
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN) or None
    finally:
        os.close(handle)
    # a lock of another host need not show here; a run that ended in good order has taken its name out
    return False if process is None or host == socket.gethostname() else None


def _take(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except OSError as error:
        process, host = _owner(handle)
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN):
            # no locks on this file system: the name in the file is all there is
            here = host == socket.gethostname()
            if process is None or (here and not is_alive(process)):
                return
    what = f"process {process or 'unknown'} on {host or 'an unknown host'}"
    if process is not None and host == socket.gethostname() and not is_alive(process):
        what = f"a simulation that {what} had started"
    raise UserError(
        f"another run works in this directory: {what}",
        where=path.parent,
        accepted="wait until it ends, or stop it",
    )


def _owner(handle: int) -> tuple[int | None, str]:
    words = os.pread(handle, 300, 0).decode(errors="replace").split()
    return (int(words[0]), words[1]) if len(words) == 2 and words[0].isdecimal() else (None, "")
