"""Trajectories of the formats that the engines write."""

from collections.abc import Iterator
from pathlib import Path

from votca_mlp.trajectories.dump import read_dump
from votca_mlp.trajectories.frames import Frame
from votca_mlp.trajectories.gro import read_gro


def read_frames(path: Path) -> Iterator[Frame]:
    """Yield the frames of a gro trajectory, or of a LAMMPS dump (any other name than ``*.gro``).

    Raises
    ------
    UserError
        As :func:`read_gro` and :func:`read_dump`.
    """
    return (read_gro if path.suffix == ".gro" else read_dump)(path)
