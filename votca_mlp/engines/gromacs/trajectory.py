"""mdrun's trajectories: trr read here, xtc made into trr by GROMACS itself (with the same numbers)."""

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.gromacs.binary import tool_command, with_gmxrc
from votca_mlp.engines.gromacs.output import why
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.neighbours.box import edges_of
from votca_mlp.trajectories.frames import Frame
from votca_mlp.units import ANGSTROM_PER_NM

_MAGIC = 1993
_ACCEPTED = "a whole trr or xtc file of mdrun; remove it, and the simulation of this step runs again"


@dataclass(frozen=True)
class TrrFrame:
    """One frame in GROMACS's units: time (ps), box [3, 3] (nm), positions and forces (kJ/mol/nm) or None."""

    step: int
    time: float
    box: NDArray[np.float64]
    positions: NDArray[np.float64]
    forces: NDArray[np.float64] | None


def read_trr(path: Path) -> Iterator[TrrFrame]:
    """Yield the frames of a trr file that have positions.

    Raises
    ------
    UserError
        Not a trr file, or cut short.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"cannot read: {error.strerror}", where=path, accepted=_ACCEPTED) from None
    with file:
        while head := file.read(4):
            frame = _frame(file, head, path)
            if frame is not None:
                yield frame


def _frame(file: BinaryIO, head: bytes, path: Path) -> TrrFrame | None:
    def take(kind: str, count: int) -> NDArray[np.float64]:
        size = np.dtype(kind).itemsize * count
        data = file.read(size)
        if len(data) < size:
            raise UserError("the trajectory is cut short", where=path, accepted=_ACCEPTED)
        return np.frombuffer(data, kind).astype(np.float64)

    if head != _MAGIC.to_bytes(4, "big"):
        raise UserError("not a trr trajectory", where=path, accepted=_ACCEPTED)
    # length of the name with and without its end, the name, then sizes in bytes and counts
    _, length = take(">i4", 2)
    take("u1", -(-int(length) // 4) * 4)
    sizes = [int(value) for value in take(">i4", 13)]
    box_size, (x_size, v_size, f_size), (atoms, step) = sizes[2], sizes[7:10], sizes[10:12]
    width = box_size // 9 if box_size else max(x_size, v_size, f_size) // max(3 * atoms, 1)
    if width not in (4, 8):
        raise UserError("not a trr trajectory", where=path, accepted=_ACCEPTED)
    real = f">f{width}"
    time, _ = take(real, 2)
    box = take(real, box_size // width)
    take(real, (sizes[3] + sizes[4] + sizes[5] + sizes[6]) // width)
    x = take(real, x_size // width)
    take(real, v_size // width)
    f = take(real, f_size // width)
    if not x_size or not box_size:
        return None
    forces = f.reshape(-1, 3) if f_size else None
    return TrrFrame(step, float(time), box.reshape(3, 3), x.reshape(-1, 3), forces)


def read_gromacs_frames(md: MDPlan, directory: Path) -> Iterator[Frame]:
    """Yield the frames of a step's trajectory that csg_stat would count, with the plan's symbols as types.

    As csg_stat: a frame is left out when it is earlier than ``equi_time``, or while ``first_frame`` (from 1)
    has not been counted down.

    Raises
    ------
    UserError
        A damaged trajectory, another number of atoms, a box that is not rectangular.
    """
    types = np.array(md.symbols, dtype=np.str_)
    left = md.first_frame
    for frame in _frames(md, directory):
        # times are single precision in the file
        if np.float32(frame.time) < np.float32(md.equi_time) or left > 1:
            left -= 1
            continue
        where = f"{directory / md.traj}: time {frame.time:g} ps"
        if len(frame.positions) != len(types):
            what = f"{len(frame.positions)} atoms, but {Path(md.topology).name} has {len(types)} beads"
            raise UserError(what, where=where, accepted="the same atoms in both")
        box = edges_of(frame.box * ANGSTROM_PER_NM, where)
        yield Frame(frame.positions * ANGSTROM_PER_NM, box, types, frame.step)


def _frames(md: MDPlan, directory: Path) -> Iterator[TrrFrame]:
    path = directory / md.traj
    if path.suffix == ".trr":
        yield from read_trr(path)
        return
    if not path.is_file():
        raise UserError("there is no trajectory", where=path, accepted=_ACCEPTED)
    with tempfile.TemporaryDirectory(prefix=".traj.", dir=directory) as folder:
        made = Path(folder) / "traj.trr"
        words = [*tool_command(md), "trjconv", "-nobackup", "-f", str(path), "-o", str(made)]
        done = subprocess.run(with_gmxrc(md, words), input="0\n", capture_output=True, text=True, check=False)
        if done.returncode != 0:
            what = f"gmx trjconv failed: {why(done.stderr.splitlines())}"
            raise UserError(what, where=path, accepted=_ACCEPTED)
        yield from read_trr(made)
