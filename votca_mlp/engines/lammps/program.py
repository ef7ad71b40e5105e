"""A LAMMPS program of the user's own (``<command>``), on as many MPI ranks as that starts.

It evaluates model and correction itself, by ``pair_style mliap unified``.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.deploy.mliap import OBJECT
from votca_mlp.engines.lammps.answers import FINISHING_TIME, Answers
from votca_mlp.engines.lammps.binary import BUILD, embedded_environment, version_of, words_of
from votca_mlp.engines.lammps.process import LOG
from votca_mlp.engines.lammps.typed import Typed, read_if_there
from votca_mlp.errors import UserError

_PROGRESS, _DUMP = "lammps_progress.part", "lammps_atoms.part"
_COLUMNS = "id type mass x y z fx fy fz"
_VIRIAL, _ENERGY, _TALLY = "votca_mlp_virial", "votca_mlp_pe", "votca_mlp_tally"
_EVERY = 10
"""MD steps between two lines of progress, and between two looks at the time."""


class Program:
    """A running LAMMPS, with the methods of :class:`votca_mlp.engines.lammps.process.Lammps`.

    Parameters
    ----------
    directory
        Where it runs; it leaves ``log.lammps`` and ``lammps.out``.
    command
        Such as ``lmp`` or ``mpirun -np 4 lmp``.
    threads
        Of the model in each rank.
    answers
        Has limits, deadline and progress.
    append
        Go on with an earlier log.

    Raises
    ------
    UserError
        The program is not there, or has no ML-IAP.
    """

    def __init__(
        self, directory: Path, command: str, *, threads: int, answers: Answers, append: bool = False
    ) -> None:
        self.directory, self.answers = directory, answers
        self.way = f"'{command}' evaluates model and correction itself, by pair_style mliap unified"
        words, environment = words_of(command), embedded_environment(threads)
        self.version = version_of(words, environment, directory)
        self.step = 0
        (directory / _PROGRESS).unlink(missing_ok=True)
        self.typed = Typed(words, environment, directory, append=append, meanwhile=answers.raise_interruption)
        try:
            self.command(f"log {LOG}{' append' if append else ''}")
        except BaseException:
            self.kill()
            raise

    def add_model(self, symbols: list[str]) -> None:
        """Let model and correction act; ``symbols`` are the elements of the types, X for one without atoms.

        Raises
        ------
        UserError
            LAMMPS's ML-IAP cannot load the object.
        """
        try:
            self.typed.do(f"pair_style mliap unified {OBJECT} 0", from_file=True)
        except UserError as error:
            raise UserError(error.what, where=error.where, accepted=BUILD) from None
        names = " ".join("NULL" if symbol == "X" else symbol for symbol in symbols)
        self.command(f"pair_coeff * * {names}")
        values = "$(step) $(temp:%.6g) $(lx:%.8g) $(ly:%.8g) $(lz:%.8g)"
        self.command(
            f'fix votca_mlp_progress all print {_EVERY} "{values}" file {_PROGRESS} screen no title none'
        )

    def command(self, line: str, *, where: str | Path | None = None) -> int:
        """Carry out one command and return the time step after a run.

        Raises
        ------
        UserError
            LAMMPS's own words; a limit that is passed.
        KeyboardInterrupt
            Ctrl-C or SIGTERM, which nothing tells such a LAMMPS in the middle of a command.
        """
        words = line.split()
        if words[0] != "run":
            self.typed.do(line, where)
            return self.step
        deadline, steps, before = self.answers.deadline, int(words[1]), self.step
        if deadline is None:
            self.typed.do("timer timeout off", where)
        else:
            left = int(deadline - time.monotonic() - FINISHING_TIME)
            self.answers.stopping = self.answers.stopping or left <= 0
            left = max(left, 1)
            self.typed.do(
                f"timer timeout {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} every {_EVERY}"
            )
        self.step = int(float(self.typed.do(line, where, "$(step)", meanwhile=self._look)[0]))
        if self.step < before + steps and deadline is not None:
            self.answers.stopping = True
        return self.step

    def ask(self, what: str, **arguments: Any) -> tuple[dict[str, Any], bytes]:
        """Return ``box``, ``facts`` or what LAMMPS itself has ``evaluated``, as the other way does."""
        if what == "facts":
            dt, types, step = self.typed.do("", None, "$(dt:%.17g) $(extract_setting(ntypes)) $(step)")
            self.step = int(float(step))
            header, rows = self._dumped()
            kinds = rows[:, 1].astype(int)
            masses = [0.0] * int(float(types))
            for kind, mass in zip(kinds, rows[:, 2], strict=True):
                masses[kind - 1] = float(mass)
            facts = {
                # a script with other units has been refused
                "units": "metal",
                "timestep": float(dt),
                "step": self.step,
                "masses": masses,
                "types": kinds.tolist(),
                **header,
            }
            return facts, b""
        if what == "box":
            words = self.typed.do(
                "", None, "$(extract_setting(triclinic)) $(lx) $(ly) $(lz) $(xy) $(xz) $(yz)"
            )
            lx, ly, lz, xy, xz, yz = (float(word) for word in words[1:])
            cell = [[lx, 0.0, 0.0], [xy, ly, 0.0], [xz, yz, lz]]
            return {"triclinic": int(float(words[0])), "cell": cell}, b""
        assert what == "evaluated"
        for line in (
            f"compute {_VIRIAL} all pressure NULL virial",
            f"compute {_ENERGY} all pe",
            f"fix {_TALLY} all ave/time 1 1 1 c_{_VIRIAL}[1] c_{_ENERGY}",
            "run 0 post no",
        ):
            self.command(line)
        numbers = " ".join(f"$(c_{_VIRIAL}[{k}]:%.17g)" for k in range(1, 7))
        energy, *pressure = self.typed.do("", None, f"$(c_{_ENERGY}:%.17g) {numbers}")
        header, rows = self._dumped()
        for line in (f"unfix {_TALLY}", f"uncompute {_VIRIAL}", f"uncompute {_ENERGY}"):
            self.command(line)
        answer = {
            "energy": float(energy),
            "pressure": [float(word) for word in pressure],
            "cell": header["cell"],
        }
        return answer, np.ascontiguousarray(np.stack([rows[:, 3:6], rows[:, 6:9]])).tobytes()

    def close(self) -> None:
        """End LAMMPS in good order; its files are complete then."""
        self.typed.close()
        self._tidy()

    def kill(self) -> None:
        """End the program and all that it has started."""
        self.typed.kill()
        self._tidy()

    def _tidy(self) -> None:
        for name in (_PROGRESS, _DUMP):
            (self.directory / name).unlink(missing_ok=True)

    def _look(self) -> None:
        """Show how far it is, and stop it when temperature or volume has passed its limit."""
        # also before the first line of progress
        self.answers.raise_interruption()
        lines = read_if_there(self.directory / _PROGRESS).splitlines()[-2:]
        words = lines[0].split() if lines else []
        if len(words) != 5 or not words[0].isdigit():
            return
        temperature, *edges = (float(word) for word in words[1:])
        made = max(int(words[0]) - self.step, 0)
        self.answers.look(self.answers.done + made, temperature, np.diag(edges))

    def _dumped(self) -> tuple[dict[str, Any], Any]:
        """Return cell and kind of box, and the columns of all atoms by ID; positions from the corner."""
        form = "modify sort id format float %.17g"
        self.command(f"write_dump all custom {_DUMP} {_COLUMNS} {form}")
        lines = (self.directory / _DUMP).read_text().splitlines()
        edges = np.array([[float(word) for word in line.split()[:2]] for line in lines[5:8]])
        rows = np.array([line.split() for line in lines[9:]], float)
        rows[:, 3:6] -= edges[:, 0]
        names = lines[4].split()[3:]
        header = {
            "cell": np.diag(edges[:, 1] - edges[:, 0]).tolist(),
            "triclinic": int(len(names) != 3),
            "periodic": [int(name == "pp") for name in names[-3:]],
        }
        return header, rows
