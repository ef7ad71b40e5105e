"""Which csg_inverse works in a directory: many processes, one after another, and none holds a lock for long.

It claims the directory when it starts; the claim counts while that process lives. A second csg_inverse would
otherwise go on with a step that the first has simulated, and leave other potentials without a word.
"""

import fcntl
import socket
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.processes import is_alive

NAME = ".votca_mlp.csg_inverse"
"""In the main directory: process, its start in ticks of the system's clock, host."""


def claim(directory: Path, process: int) -> None:
    """Claim a main directory for csg_inverse's process.

    Raises
    ------
    UserError
        Another csg_inverse of this host works there; the directory cannot be written to.
    """
    path = directory / NAME
    try:
        with open(path, "a+", encoding="utf-8") as file:
            # of two that start at once the second finds the first's claim
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            _refuse(file.read(), directory, process)
            file.truncate(0)
            file.write(f"{process} {_started(process)} {socket.gethostname()}\n")
    except OSError as error:
        raise UserError(
            f"cannot write: {error.strerror}", where=path, accepted="a writable directory"
        ) from None


def refuse_claimed(directory: Path, process: int | None = None) -> None:
    """Refuse a directory that a living csg_inverse, other than ``process``, has claimed.

    Raises
    ------
    UserError
        Naming it.
    """
    try:
        text = (directory / NAME).read_text(encoding="utf-8")
    except OSError:
        return
    _refuse(text, directory, process)


def claimed(directory: Path) -> bool:
    """Return whether a living csg_inverse of this host has claimed a directory."""
    try:
        refuse_claimed(directory)
    except UserError:
        return True
    return False


def _refuse(text: str, directory: Path, mine: int | None) -> None:
    words = text.split()
    if len(words) != 3 or not words[0].isdecimal():
        return
    process, host = int(words[0]), words[2]
    # of another host nothing is known: a claim outlives its process
    if host != socket.gethostname() or process == mine or not is_alive(process):
        return
    if words[1] != _started(process):
        # the number belongs to another process by now
        return
    raise UserError(
        f"another run works in this directory: csg_inverse, process {process} on {host}",
        where=directory,
        accepted="wait until it ends, or stop it",
    )


def _started(process: int) -> str:
    """Return when a process began, in ticks since the machine's start; 0 where that cannot be known."""
    try:
        # the name before it may hold anything, also a bracket
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "0"
