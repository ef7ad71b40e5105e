"""Run a command that contains mdrun, answer it, and stop each side when the other ends."""

import contextlib
import os
import selectors
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from votca_mlp.engines.gromacs.ipi import Beginning, Connection, Gone, WrongMessageError
from votca_mlp.engines.gromacs.listener import SLOT_FILE, Listener, process_at
from votca_mlp.engines.gromacs.output import Output
from votca_mlp.engines.gromacs.responder import Responder
from votca_mlp.engines.gromacs.signals import Signals, noted_signals
from votca_mlp.errors import UserError
from votca_mlp.processes import end_group

_LOOK = 0.5


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
    responder: Responder | None,
    *,
    folder: Path,
    variables: Mapping[str, str],
    log: Path | None = None,
    after_step: Callable[[int], None] = lambda step: None,
) -> Ended:
    """Start a command in ``folder`` and answer the mdrun in it until it ends.

    Parameters
    ----------
    responder
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
        if responder is not None:
            listener = Listener(folder / SLOT_FILE)
            stack.callback(listener.close)
            stack.callback(responder.close)
        child = _start(command, folder, variables)
        stack.callback(end_group, child)
        output = Output(child, log)
        stack.callback(output.close)
        # before its output is waited for
        stack.callback(end_group, child)
        signals = stack.enter_context(noted_signals())
        if responder is not None and listener is not None:
            _answer(child, listener, responder, signals, after_step)
            responder.close()
        while child.poll() is None:
            signals.pass_on(child.pid if responder is None else None)
            time.sleep(0.05)
        output.join()
        return Ended(child.returncode, list(output.lines), signals.got)


def _answer(
    child: "subprocess.Popen[bytes]",
    listener: Listener,
    responder: Responder,
    signals: Signals,
    after_step: Callable[[int], None],
) -> None:
    """Answer mdrun until it ends; the command around it may still have something to do then."""
    link = _accept(child, listener, signals)
    if link is None:
        return
    mdrun, connection = process_at(link), Connection(link)
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
                    responder.begin(message)
                    continue
                connection.answer(*responder.answer(message))
                after_step(responder.step)
        except Gone:
            # why is in its output
            return
        except (UserError, KeyboardInterrupt):
            # at once: a script around mdrun would take the end of the connection for the error
            end_group(child)
            raise
        except WrongMessageError as error:
            raise UserError(
                f"mdrun sent {error}, which is no message of the i-PI protocol",
                where=f"MD step {responder.step}",
                accepted="the library that votca-mlp builds, as PLUMED_KERNEL",
            ) from None


def _accept(child: "subprocess.Popen[bytes]", listener: Listener, signals: Signals) -> socket.socket | None:
    """Wait for mdrun; None when the command ends without one."""
    while child.poll() is None:
        signals.pass_on(None)
        with contextlib.suppress(TimeoutError):
            return listener.accept()
    return None


def _start(command: list[str], folder: Path, variables: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    # VOTCA's die ends its own process group then, and leaves it to us to end csg_inverse
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
