"""Frames of a trajectory as csg_stat reads them: LAMMPS dump or GROMACS gro, one box a frame."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.units import ANGSTROM_PER_NM

Array = NDArray[np.float64]
FrameWriter = Callable[[int, float, Sequence[str], Array, Array], str]
"""(step, time in fs, symbols, positions [n_atoms, 3], box edges [3] in Angstrom) to the frame's text."""

GRO_EDGE_MAX = 99.0
"""Angstrom; the eight columns of a coordinate hold five decimals of nm below 10 nm only."""


def frame_writer(name: str, where: str = "traj") -> FrameWriter:
    """Return the writer for a trajectory's file name; ``where`` is named in errors.

    Raises
    ------
    UserError
        An ending that is neither ``.dump`` nor ``.gro``.
    """
    writers: dict[str, FrameWriter] = {".dump": dump_frame, ".gro": gro_frame}
    for ending, writer in writers.items():
        if name.endswith(ending):
            return writer
    raise UserError(
        f"'{name}' is not a trajectory that this engine writes",
        where=where,
        accepted="a file name ending in " + " or ".join(writers),
    )


def dump_frame(step: int, time: float, symbols: Sequence[str], positions: Array, edges: Array) -> str:
    """Return a frame in LAMMPS's dump format, atoms in their order.

    ``type`` numbers the elements alphabetically from 1. Positions are not wrapped into the box: csg_stat
    takes the nearest image, and displacements over time can be measured.
    """
    types = {symbol: number for number, symbol in enumerate(sorted(set(symbols)), start=1)}
    bounds = "".join(f"0.0 {edge:.10f}\n" for edge in edges)
    head = (
        f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(symbols)}\n"
        f"ITEM: BOX BOUNDS pp pp pp\n{bounds}ITEM: ATOMS id type element x y z\n"
    )
    rows = [
        f"{index} {types[symbol]} {symbol} {x:.6f} {y:.6f} {z:.6f}\n"
        for index, (symbol, (x, y, z)) in enumerate(zip(symbols, positions.tolist(), strict=True), start=1)
    ]
    return head + "".join(rows)


def gro_frame(step: int, time: float, symbols: Sequence[str], positions: Array, edges: Array) -> str:
    """Return a frame in GROMACS's gro format: nm, wrapped into the box, five decimals.

    Raises
    ------
    UserError
        A box too large for the format's columns.
    """
    if edges.max() > GRO_EDGE_MAX:
        raise UserError(
            f"the box edge of {edges.max():.1f} Angstrom does not fit the columns of a gro file",
            where="the trajectory",
            accepted="a file name ending in .dump",
        )
    wrapped = (positions % edges) / ANGSTROM_PER_NM
    rows = [
        f"{index % 100000:5d}{symbol:<5s}{symbol:>5s}{index % 100000:5d}{x:8.5f}{y:8.5f}{z:8.5f}\n"
        for index, (symbol, (x, y, z)) in enumerate(zip(symbols, wrapped.tolist(), strict=True), start=1)
    ]
    box = " ".join(f"{edge / ANGSTROM_PER_NM:.9f}" for edge in edges)
    return f"step {step} t= {time / 1000.0:.6f}\n{len(symbols):5d}\n" + "".join(rows) + box + "\n"
