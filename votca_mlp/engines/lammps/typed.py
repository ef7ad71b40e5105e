"""A LAMMPS program that reads its script from standard input, command by command.

After each command it prints a number, and what was asked for, into a small file.
"""

import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from votca_mlp.engines.lammps.binary import end_with_parent
from votca_mlp.engines.lammps.process import LOG, OUTPUT
from votca_mlp.errors import UserError
from votca_mlp.processes import end_group

_ACK, _LINES = "lammps_ack.part", "lammps_lines.part"
_TAIL = 5
_SPOKEN = (r"ERROR", r"[\w.]*(Error|Exception): ")


class Typed:
    """A running program.

    Parameters
    ----------
    words, environment
        The command, and the environment that it gets.
    directory
        Where it runs; it leaves ``lammps.out``.
    append
        Go on with an earlier output.
    meanwhile
        Called again and again while a command is carried out, unless that has its own.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        *,
        append: bool,
        meanwhile: Callable[[], None],
    ) -> None:
        self.directory, self.meanwhile = directory, meanwhile
        self.count = 0
        (directory / _ACK).unlink(missing_ok=True)
        with open(directory / OUTPUT, "ab" if append else "wb") as output:
            self.begin = output.tell()
            self.process = subprocess.Popen(
                [*words, "-log", "none", "-nocite"],
                cwd=directory,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )

    def do(
        self,
        line: str,
        where: str | Path | None = None,
        values: str = "",
        *,
        from_file: bool = False,
        meanwhile: Callable[[], None] | None = None,
    ) -> list[str]:
        """Send a command, wait until it is carried out, return the values.

        When LAMMPS starts its Python, what it has read of standard input beyond the present line is lost:
        ``from_file`` sends no more than a line that includes a file.

        Raises
        ------
        UserError
            LAMMPS's own words, at ``where``; what ``meanwhile`` raises.
        """
        self.count += 1
        ending = f'print "{self.count} {values} end" file {_ACK} screen no\n'
        try:
            text = f"{line}\n{ending}"
            if from_file:
                (self.directory / _LINES).write_text(text)
                text = f"include {_LINES}\n"
            self._input().write(text.encode())
            self._input().flush()
        except OSError:
            raise self._gone(where) from None
        pause = 0.002
        while True:
            ended = self.process.poll() is not None
            words = read_if_there(self.directory / _ACK).split()
            if words and words[0] == str(self.count) and words[-1] == "end":
                return words[1:-1]
            if ended:
                raise self._gone(where)
            (meanwhile or self.meanwhile)()
            time.sleep(pause)
            pause = min(1.3 * pause, 0.1)

    def close(self) -> None:
        """End LAMMPS in good order; its files are complete then."""
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._input().close()
            self.process.wait(timeout=60)
        self.kill()

    def kill(self) -> None:
        """End the program and all that it has started."""
        with contextlib.suppress(OSError):
            self._input().close()
        end_group(self.process, grace=5.0)
        for name in (_ACK, _LINES):
            (self.directory / name).unlink(missing_ok=True)

    def _input(self) -> Any:
        return cast(Any, self.process.stdin)

    def _gone(self, where: str | Path | None) -> UserError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)
        status = self.process.poll()
        with open(self.directory / OUTPUT, "rb") as file:
            file.seek(self.begin)
            lines = file.read().decode(errors="replace").splitlines()
        # the last words of LAMMPS and those of its Python
        last = [[line for line in lines if re.match(start, line)][-1:] for start in _SPOKEN]
        said = [line for found in last for line in found]
        said = said or [line.strip() for line in lines if line.strip()][-_TAIL:]
        words = " / ".join(said).replace("ERROR: ", "").replace("votca_mlp.errors.UserError: ", "")
        how = f"signal {-status}" if status is not None and status < 0 else f"status {status}"
        return UserError(
            f"LAMMPS stopped ({how}): {words}",
            where=where or self.directory / LOG,
            accepted=f"a script that LAMMPS runs to its end; see {self.directory / OUTPUT}. The last "
            "checkpoint stays: run again to go on from it",
        )


def read_if_there(path: Path) -> str:
    """Return the text of a file, none when it is not there yet."""
    try:
        return path.read_text()
    except OSError:
        return ""
