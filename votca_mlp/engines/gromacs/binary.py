"""What a GROMACS can do, and which of the two ways to the potential it therefore goes."""

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from typing import Literal

from votca_mlp.engines.gromacs.mdp import Mdp
from votca_mlp.engines.gromacs.options import options_of
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError

Way = Literal["plumed", "nnpot"]

OLDEST = 2025
NEEDED = (
    "GROMACS 2025 or later with a PLUMED slot (Debian 13's and conda's packages have it) or linked to "
    "LibTorch, in cg.inverse.gromacs.grompp.bin and mdrun.command"
)


@dataclass(frozen=True)
class Binary:
    """A GROMACS.

    Attributes
    ----------
    command
        The words before the name of a tool, such as ``gmx``.
    version
        As it says itself.
    year
        First number of the version.
    plumed
        Whether it has a PLUMED slot.
    torch
        Whether it is linked to LibTorch; None when it does not say.
    thread_mpi
        Whether it is built with thread-MPI rather than MPI or none.
    """

    command: tuple[str, ...]
    version: str
    year: int
    plumed: bool
    torch: bool | None
    thread_mpi: bool


def tool_command(md: MDPlan) -> tuple[str, ...]:
    """Return what stands before a tool's name, read from ``grompp.bin``, as in ``/opt/bin/gmx grompp``.

    Raises
    ------
    UserError
        Not of that form.
    """
    command = options_of(md).grompp.bin
    words = shlex.split(command)
    if len(words) < 2 or words[-1] != "grompp":
        raise UserError(
            f"is '{command}'",
            where=md.place("grompp.bin"),
            accepted="the gmx program and 'grompp', such as: gmx grompp",
        )
    return tuple(words[:-1])


def with_gmxrc(md: MDPlan, command: list[str]) -> list[str]:
    """Return a command that sources ``gmxrc`` first, where there is one."""
    gmxrc = options_of(md).gmxrc
    if gmxrc is None:
        return command
    file = md.directory / os.path.expanduser(gmxrc)
    return ["bash", "-c", 'source "$0" && exec "$@"', str(file), *command]


def probe(md: MDPlan) -> Binary:
    """Ask the GROMACS of the plan what it is.

    Raises
    ------
    UserError
        It is not there or does not answer.
    """
    command = tool_command(md)
    where = md.place("grompp.bin")
    text = _ask(md, [*command, "--version"], where)
    version = re.search(r"^GROMACS version:\s*(\S+)", text, re.MULTILINE)
    year = re.search(r"\d{4}", version[1]) if version else None
    if version is None or year is None:
        raise UserError(f"'{' '.join(command)}' does not say its version", where=where, accepted=NEEDED)

    def says(name: str, *words: str) -> bool | None:
        line = re.search(rf"^{name}:\s*(.*)$", text, re.MULTILINE | re.IGNORECASE)
        return any(word in line[1].lower() for word in words) if line else None

    plumed = says("Plumed support", "enabled")
    if plumed is None:
        # 2025 does not say; its mdrun lists the option only where it has the slot
        plumed = int(year[0]) >= OLDEST and "-plumed" in _ask(md, [*command, "help", "mdrun"], where)
    torch, thread_mpi = says("Torch support", "enabled"), bool(says("MPI library", "thread_mpi"))
    return Binary(command, version[1], int(year[0]), plumed, torch, thread_mpi)


def _ask(md: MDPlan, command: list[str], where: str) -> str:
    try:
        done = subprocess.run(
            with_gmxrc(md, command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"cannot run '{' '.join(command)}': {reason}", where=where, accepted=NEEDED) from None
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise UserError(f"'{' '.join(command)}' failed: {last}", where=where, accepted=NEEDED)
    return done.stdout + done.stderr


def choose_way(binary: Binary, mdp: Mdp) -> Way:
    """Return the way to the potential: the one that the mdp file asks for, else the PLUMED slot, else NNPot.

    Parameters
    ----------
    mdp
        The parameters for grompp.

    Raises
    ------
    UserError
        A GROMACS with neither; NNPot with pressure coupling.
    """
    name = f"GROMACS {binary.version} ({' '.join(binary.command)})"
    if binary.year < OLDEST:
        what = f"{name} is too old: it cannot take forces from a machine-learning potential"
        raise UserError(what, where="cg.inverse.gromacs.grompp.bin", accepted=NEEDED)
    asked = mdp.is_on("nnpot-active")
    if asked and binary.torch is False:
        raise UserError(
            f"nnpot-active is set, but {name} is not linked to LibTorch",
            where=mdp.place("nnpot-active"),
            accepted="a GROMACS built with -DGMX_NNPOT=TORCH"
            + (", or the mdp file without nnpot lines, for its PLUMED slot" if binary.plumed else ""),
        )
    if not asked and binary.plumed:
        return "plumed"
    if not asked and not binary.torch:
        what = f"{name} has neither a PLUMED slot nor LibTorch"
        raise UserError(what, where="cg.inverse.gromacs.grompp.bin", accepted=NEEDED)
    coupling = mdp.get("pcoupl", "no")
    if coupling.lower() != "no":
        raise UserError(
            f"pcoupl is {coupling}, but NNPot adds no virial: the pressure would be the kinetic one alone",
            where=mdp.place("pcoupl"),
            accepted="pcoupl = no, or a GROMACS with a PLUMED slot",
        )
    return "nnpot"
