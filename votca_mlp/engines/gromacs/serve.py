"""Run a command that contains mdrun, answer it, and stop each side when the other ends."""

import contextlib
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from votca_mlp.engines.gromacs.ipi import Beginning, Connection, Gone, WrongMessageError
from votca_mlp.engines.gromacs.partner import Partner
from votca_mlp.engines.gromacs.signals import Signals, noted_signals
from votca_mlp.errors import UserError

SLOT_FILE = "mlp_slot.dat"
"""What ``mdrun -plumed`` is given: it names the socket."""
_LOOK = 0.5
_KEPT = 400


@dataclass
class Ended:
    """How a command ended.

    Attributes
    ----------
    status
        Exit status.
    words
        Its last lines.
    interrupted
        The signal that this process was sent meanwhile, or None.
    """

    status: int
    words: list[str] = field(default_factory=list)
    interrupted: int | None = None


def serve(
    command: list[str],
    partner: Partner | None,
    *,
    folder: Path,
    variables: Mapping[str, str],
    log: Path | None = None,
    after_step: Callable[[int], None] = lambda step: None,
) -> Ended:
    """Start a command in ``folder`` and answer the mdrun in it until it ends.

    Parameters
    ----------
    partner
        None when mdrun needs none: it is only watched.
    variables
        Added to the environment.
    log
        Where its output goes; this process's own when None.
    after_step
        Called with the number of each MD step.

    Raises
    ------
    UserError
        A simulation that has gone wrong, an mdrun that does not speak our protocol; nothing is left running.
    """
    with contextlib.ExitStack() as stack:
        listener = None
        if partner is not None:
            listener = _Listener(folder / SLOT_FILE)
            stack.callback(listener.close)
            stack.callback(partner.close)
        child = _start(command, folder, variables)
        stack.callback(_end, child)
        output = _Output(child, log)
        stack.callback(output.close)
        # before its output is waited for
        stack.callback(_end, child)
        signals = stack.enter_context(noted_signals())
        if partner is not None and listener is not None:
            _answer(child, listener, partner, signals, after_step)
            partner.close()
        while child.poll() is None:
            signals.pass_on(child.pid if partner is None else None)
            time.sleep(0.05)
        output.join()
        return Ended(child.returncode, list(output.lines), signals.got)


def _answer(
    child: "subprocess.Popen[bytes]",
    listener: "_Listener",
    partner: Partner,
    signals: Signals,
    after_step: Callable[[int], None],
) -> None:
    """Answer mdrun until it ends; the command around it may still have something to do then."""
    link = _accept(child, listener, signals)
    if link is None:
        return
    mdrun, connection = _peer(link), Connection(link)
    with link, selectors.DefaultSelector() as selector:
        selector.register(link, selectors.EVENT_READ)
        try:
            while True:
                # the time limit is for signals; mdrun's end shows as the end of the connection
                while not selector.select(_LOOK):
                    signals.pass_on(mdrun)
                signals.pass_on(mdrun)
                message = connection.next()
                if message is None:
                    return
                if isinstance(message, Beginning):
                    partner.begin(message)
                    continue
                connection.answer(*partner.answer(message))
                after_step(partner.step)
        except Gone:
            # why is in its output
            return
        except (UserError, KeyboardInterrupt):
            # at once: a script around mdrun would take the end of the connection for the error
            _end(child)
            raise
        except WrongMessageError as error:
            raise UserError(
                f"mdrun sent {error}, which is no message of the i-PI protocol",
                where=f"MD step {partner.step}",
                accepted="the library that votca-mlp builds, as PLUMED_KERNEL",
            ) from None


def _accept(
    child: "subprocess.Popen[bytes]", listener: "_Listener", signals: Signals
) -> socket.socket | None:
    """Wait for mdrun; None when the command ends without one."""
    while child.poll() is None:
        signals.pass_on(None)
        with contextlib.suppress(TimeoutError):
            return listener.accept()
    return None


class _Listener:
    """A socket of our own, named in the file for mdrun; its name goes with the first that connects."""

    def __init__(self, slot: Path) -> None:
        # a step directory's path may be longer than a socket's name can be
        self._folder = tempfile.mkdtemp(prefix="votca-mlp-")
        self._slot = slot
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = os.path.join(self._folder, "mdrun")
        try:
            self._socket.bind(path)
            self._socket.listen(1)
            self._socket.settimeout(0.1)
            slot.write_text(f"# for the library that mdrun loads as PLUMED_KERNEL\nsocket {path}\n")
        except OSError as error:
            self.close()
            accepted = "a TMPDIR with a shorter path, space in the step directory"
            raise UserError(f"cannot listen: {error}", where=path, accepted=accepted) from None

    def accept(self) -> socket.socket:
        """Return the connection of mdrun; TimeoutError when it is not there yet."""
        link, _ = self._socket.accept()
        link.settimeout(None)
        self.close()
        return link

    def close(self) -> None:
        """Leave no socket and no name behind."""
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._slot.unlink(missing_ok=True)


def _peer(link: socket.socket) -> int | None:
    """Return the process at the other end."""
    try:
        data = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    except (OSError, AttributeError):
        return None
    return int.from_bytes(data[:4], sys.byteorder)


def _start(command: list[str], folder: Path, variables: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    # VOTCA's die ends its own process group then, and leaves csg_inverse to be told by us
    left_out = {"CSG_MASTER_PID"}
    if "PLUMED_KERNEL" in variables:
        # the model's threads: mdrun refuses to start when its command line has another number
        left_out.add("OMP_NUM_THREADS")
    # csg_inverse keeps the terminal as descriptors 3 and 4
    kept = [descriptor for descriptor in (3, 4) if os.environ.get("CSGLOG") and _is_open(descriptor)]
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={k: v for k, v in {**os.environ, **variables}.items() if k not in left_out},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # its own group: what it starts can be ended with it, and a Ctrl-C reaches us first
            process_group=0,
            pass_fds=kept,
        )
    except OSError as error:
        what = f"cannot run '{command[0]}': {error.strerror}"
        accepted = "an executable in cg.inverse.gromacs.mdrun.command and grompp.bin"
        raise UserError(what, where=folder, accepted=accepted) from None


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Leave nothing running of what was started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


class _Output:
    """Copies the output of a process and keeps its last lines."""

    def __init__(self, child: "subprocess.Popen[bytes]", log: Path | None) -> None:
        self.lines: deque[str] = deque(maxlen=_KEPT)
        self._stream: Any = child.stdout
        self._file = None if log is None else open(log, "ab")  # noqa: SIM115
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._thread.start()

    def _copy(self) -> None:
        for line in self._stream:
            self.lines.append(line.decode(errors="replace").rstrip())
            with contextlib.suppress(OSError, ValueError):
                if self._file is not None:
                    self._file.write(line)
                else:
                    sys.stdout.buffer.write(line)
                    sys.stdout.buffer.flush()

    def join(self) -> None:
        """Wait for the last line; not for what a process left behind still holds."""
        self._thread.join(5.0)

    def close(self) -> None:
        """Close the log."""
        self.join()
        if self._file is not None:
            self._file.close()


def error_in(words: list[str]) -> str | None:
    """Return the error in the output of GROMACS or VOTCA without the frame around it, or None."""
    ours = [line for line in words if line.startswith("votca-mlp (in mdrun): ")]
    if ours:
        return ours[-1].partition(": ")[2]
    kinds = re.compile(r"(Fatal error|Error in user input|.* error):")
    starts = [k for k, line in enumerate(words) if kinds.match(line)]
    if not starts:
        # VOTCA's frame
        framed = [line.strip("# ") for line in words if line.startswith("# ") and line.strip("# ")]
        return framed[framed.index("ERROR:") + 1] if "ERROR:" in framed[:-1] else None
    found = []
    for line in words[starts[-1] :]:
        if not line.strip() or line.startswith(("For more information", "---")):
            break
        found.append(line.strip())
    return " ".join(found)


def why(words: list[str]) -> str:
    """Return the error in a GROMACS program's output, else its last line."""
    last = next((line.strip() for line in reversed(words) if line.strip()), "it said nothing")
    return error_in(words) or last
