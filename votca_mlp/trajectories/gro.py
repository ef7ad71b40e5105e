"""GROMACS gro trajectories as the engine writes them, frame by frame."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NoReturn, TextIO

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.files import refuse_special
from votca_mlp.neighbours.box import edges_of
from votca_mlp.plain import whole_number_of
from votca_mlp.trajectories.frames import Frame
from votca_mlp.units import ANGSTROM_PER_NM

_ACCEPTED = (
    "frames of a title, a number of atoms, lines '%5d%-5s%5s%5d%8.5f%8.5f%8.5f' (nm) and three box edges"
)
_COLUMNS = ((20, 28), (28, 36), (36, 44))


def read_gro(path: str | Path) -> Iterator[Frame]:
    """Yield the frames of a gro trajectory; types are the atom names, lengths become Angstrom.

    The MD step is taken from the title where it names one.

    Raises
    ------
    UserError
        Naming file and line: cut short, not a number, a tilted box, no frames.
    """
    path = Path(path)
    refuse_special(path)
    try:
        file = path.open("r", encoding="ascii", errors="replace")
    except OSError as error:
        raise UserError(
            f"cannot read the trajectory: {error.strerror}", where=path, accepted=_ACCEPTED
        ) from None
    with file:
        line, frames = 0, 0
        while (title := file.readline()) and title.strip():
            frame, length = _frame(file, path, line + 1, title)
            line += length
            frames += 1
            yield frame
    if frames == 0:
        raise UserError("the trajectory has no frames", where=path, accepted=_ACCEPTED)


def _frame(file: TextIO, path: Path, first: int, title: str) -> tuple[Frame, int]:
    """Return a frame whose title was in line ``first``, and its number of lines."""

    def fail(what: str, line: int) -> NoReturn:
        raise UserError(what, where=f"{path}:{line}", accepted=_ACCEPTED)

    text = file.readline().strip()
    try:
        atoms = whole_number_of(text)
    except ValueError:
        fail(f"'{text[:80]}' is not a number of atoms" if text else "the trajectory is cut short", first + 1)
    lines = list(islice(file, atoms))
    box_line = file.readline()
    if len(lines) < atoms or not box_line.endswith("\n"):
        fail(f"the trajectory is cut short: {len(lines)} of {atoms} atoms", first + 1 + len(lines))
    for offset, line in enumerate(lines, start=first + 2):
        if len(line.rstrip("\n")) < _COLUMNS[-1][1]:
            fail(f"too short a line: '{line.strip()}'", offset)
    try:
        positions = np.array([[line[a:b] for a, b in _COLUMNS] for line in lines]).astype(np.float64)
        box = np.array(box_line.split(), dtype=np.float64)
    except ValueError as error:
        fail(f"not a number: {error}", first + 2)
    if len(box) not in (3, 9) or not np.isfinite(box).all() or not np.isfinite(positions).all():
        fail(
            f"the box '{box_line.strip()}' is not three edges, or a position is not finite", first + 2 + atoms
        )
    cell = np.diag(box[:3])
    if len(box) == 9:
        # v1(x) v2(y) v3(z) v1(y) v1(z) v2(x) v2(z) v3(x) v3(y)
        cell[[0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]] = box[3:]
    edges = edges_of(cell * ANGSTROM_PER_NM, f"{path}:{first + 2 + atoms}")
    types = np.array([line[10:15].strip() for line in lines], dtype=np.str_)
    # "step N t= T" as the engine ase writes it, "... step= N" as GROMACS does
    step = re.search(r"\bstep[= ]\s*(\d+)", title)
    number = int(step[1]) if step else -1
    return Frame(positions * ANGSTROM_PER_NM, edges, types, number), atoms + 3
