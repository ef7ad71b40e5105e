"""What LAMMPS has written: frames of the trajectory, ``thermo.dat``, and the means over the production."""

import mmap
import os
from pathlib import Path

import numpy as np

from votca_mlp.engines.shared.result import THERMO
from votca_mlp.ensemble.blocks import Means, means
from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write

COLUMNS = {
    "time[fs]": "step*dt*1000",
    "temperature[K]": "temp",
    "pressure[bar]": "press",
    "density[kg/m3]": "density*1000",
    "volume[A3]": "vol",
    "potential[eV]": "pe",
    "kinetic[eV]": "ke",
}
"""Columns of ``thermo.dat`` after the step, as those of the engine ase, and LAMMPS's formulas for them."""
_FRAME = b"ITEM: TIMESTEP\n"


def thermo_command(every: int) -> str:
    """Return the command that writes ``thermo.dat`` at the steps of the trajectory."""
    values = " ".join(f"$({word}:%.10g)" for word in COLUMNS.values())
    ending = f'append {THERMO} screen no title "#step {" ".join(COLUMNS)}"'
    return f'fix votca_mlp_thermo all print {every} "$(step) {values}" {ending}'


def keep_one_header(path: Path) -> None:
    """Take the titles out of ``thermo.dat`` that LAMMPS has added at each continuation, but the first."""
    if not path.is_file():
        return
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines) if number == 0 or not line.startswith("#")]
    if len(kept) < len(lines):
        with atomic_write(path) as file:
            file.write("".join(kept))


def frame_steps(traj: Path) -> list[int]:
    """Return the time step of every frame of a LAMMPS dump, in order; empty when there is no file.

    Raises
    ------
    UserError
        A frame without a number.
    """
    steps: list[int] = []
    if not traj.is_file():
        return steps
    with open(traj, "rb") as file:
        for line in file:
            if line == _FRAME:
                text = next(file, b"").strip()
                if not text.isdigit():
                    raise UserError(
                        "a frame without its time step", where=traj, accepted="a whole LAMMPS dump"
                    )
                steps.append(int(text))
    return steps


def length_without(path: Path, step: int) -> int:
    """Return the length of a trajectory that is on disk, less its last frame when that is of this time step.

    A resumed run begins by writing the frame of the time step that it is at.
    """
    if not path.is_file() or not path.stat().st_size:
        return 0
    with open(path, "r+b") as file:
        os.fsync(file.fileno())
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            last = data.rfind(_FRAME)
            number = data[last + len(_FRAME) : last + len(_FRAME) + 24].split(b"\n")[0]
            return last if last >= 0 and number == b"%d" % step else len(data)


def production_means(directory: Path, traj: str) -> Means:
    """Return mean, error and number of samples of each quantity over the frames of the trajectory."""
    steps = set(frame_steps(directory / traj))
    rows: dict[int, list[float]] = {}
    path = directory / THERMO
    for line in path.read_text().splitlines() if path.is_file() else ():
        words = line.split()
        # the step where a run ends and the next begins is printed twice
        if len(words) == 1 + len(COLUMNS) and words[0].isdigit() and int(words[0]) in steps:
            rows[int(words[0])] = [float(word) for word in words[1:]]
    if not rows:
        return {}
    data = np.array([rows[step] for step in sorted(rows)])
    columns = dict(zip(COLUMNS, data.T, strict=True))
    del columns["time[fs]"]
    return means(columns)
