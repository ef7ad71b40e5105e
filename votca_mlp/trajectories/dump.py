"""LAMMPS dump files, frame by frame, without holding more than one frame in memory."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.files import refuse_special
from votca_mlp.neighbours.box import edges_of
from votca_mlp.trajectories.frames import Frame

_ACCEPTED = (
    "frames of 'ITEM: TIMESTEP', 'NUMBER OF ATOMS', 'BOX BOUNDS' (rectangular) and "
    "'ATOMS id type element x y z'"
)


def read_dump(path: str | Path, *, names: Mapping[str, str] | None = None) -> Iterator[Frame]:
    """Yield the frames of a LAMMPS dump in ``units metal`` or ``real`` (Angstrom), atoms in order of id.

    Parameters
    ----------
    path
        The dump file; columns id, element or type, and x y z, xu yu zu or xs ys zs, in any order.
    names
        What to call each type of the file, e.g. ``{"1": "Al"}``; None keeps what the column says. The column
        ``element`` is taken before ``type``.

    Raises
    ------
    UserError
        Naming file and line: cut short, not a number, wrong number of columns, a tilted box, no frames.
    """
    path = Path(path)
    refuse_special(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(
            f"cannot read the trajectory: {error.strerror}", where=path, accepted=_ACCEPTED
        ) from None
    with file:
        reader = _Reader(file, path, dict(names or {}))
        frames = 0
        while (frame := reader.next_frame()) is not None:
            frames += 1
            yield frame
    if frames == 0:
        raise UserError("the trajectory has no frames", where=path, accepted=_ACCEPTED)


class _Reader:
    def __init__(self, file: BinaryIO, path: Path, names: dict[str, str]) -> None:
        self.file, self.path, self.names = file, path, names
        self.line = 0
        # the types rarely change between frames, and turning bytes into names is slow
        self._type_bytes: list[bytes] = []
        self._types: NDArray[np.str_] = np.empty(0, np.str_)

    def fail(self, what: str, line: int | None = None) -> NoReturn:
        where = f"{self.path}:{self.line if line is None else line}"
        raise UserError(what, where=where, accepted=_ACCEPTED)

    def read_line(self) -> str:
        raw = self.file.readline()
        self.line += 1
        if not raw.endswith(b"\n"):
            self.fail("the trajectory is cut short")
        return raw.decode("ascii", errors="replace").strip()

    def numbers(self, kind: type, count: int) -> list[float]:
        line = self.read_line()
        try:
            values = [kind(word) for word in line.split()]
        except ValueError:
            self.fail(f"not a number in '{line}'")
        if len(values) != count or not np.all(np.isfinite(values)):
            self.fail(f"'{line}' should be {count} number{'s' if count > 1 else ''}")
        return values

    def next_frame(self) -> Frame | None:
        step, atoms = -1, 0
        box = low = np.zeros(3)
        while True:
            raw = self.file.readline()
            if not raw and step == -1 and atoms == 0:
                return None
            self.line += 1
            if not raw.endswith(b"\n"):
                self.fail("the trajectory is cut short")
            item = raw.decode("ascii", errors="replace").strip()
            if item == "ITEM: TIMESTEP":
                step = int(self.numbers(int, 1)[0])
            elif item == "ITEM: NUMBER OF ATOMS":
                atoms = int(self.numbers(int, 1)[0])
            elif item.startswith("ITEM: BOX BOUNDS"):
                low, box = self.read_box(tilts="xy" in item.split())
            elif item.startswith("ITEM: ATOMS"):
                if atoms <= 0 or not box.all():
                    self.fail("atoms before NUMBER OF ATOMS and BOX BOUNDS")
                positions, types = self.read_atoms(item.split()[2:], atoms, low, box)
                return Frame(positions, box, types, step)
            elif item:
                self.fail(f"'{item}' begins no item of a dump file")

    def read_box(self, *, tilts: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return corner and edges; with ``tilts`` each line has one, which is to be next to zero."""
        first, bounds = self.line + 1, np.zeros((3, 3))
        for axis in range(3):
            numbers = self.numbers(float, 3 if tilts else 2)
            bounds[axis, : len(numbers)] = numbers
        edges, tilt = bounds[:, 1] - bounds[:, 0], bounds[:, 2]
        if np.any(edges <= 0.0):
            self.fail("the box has no volume")
        cell = np.diag(edges)
        cell[[1, 2, 2], [0, 0, 1]] = tilt
        return bounds[:, 0], edges_of(cell, f"{self.path}:{first}")

    def read_atoms(
        self, columns: list[str], atoms: int, low: NDArray[np.float64], box: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
        label = "element" if "element" in columns else "type"
        if "id" not in columns or label not in columns:
            self.fail("no column id, or neither element nor type")
        for style in ("x", "xu", "xs"):
            axes = [style.replace("x", axis, 1) for axis in "xyz"]
            if all(axis in columns for axis in axes):
                break
        else:
            self.fail("no columns x y z, xu yu zu or xs ys zs")
        first = self.line + 1
        lines = list(islice(self.file, atoms))
        self.line += len(lines)
        if len(lines) < atoms or not lines[-1].endswith(b"\n"):
            self.fail(f"the trajectory is cut short: {len(lines)} of {atoms} atoms")
        words = b"".join(lines).split()
        width = len(columns)
        try:
            # a wrong column count in one line must not be made up for by another
            if len(words) != width * atoms:
                raise ValueError
            ids = np.array(words[columns.index("id") :: width]).astype(np.int64)
            xyz = np.stack(
                [np.array(words[columns.index(axis) :: width]).astype(np.float64) for axis in axes], axis=1
            )
            if not np.isfinite(xyz).all():
                raise ValueError
        except ValueError:
            self._explain(lines, columns, axes, first)
        types = self._names_of(words[columns.index(label) :: width])
        order = np.argsort(ids, kind="stable")
        if np.any(np.diff(ids[order]) == 0):
            self.fail("two atoms have the same id", first)
        if np.any(np.diff(ids) < 0):
            xyz, types = xyz[order], types[order]
        return (low + xyz * box if style == "xs" else xyz), types

    def _names_of(self, words: list[bytes]) -> NDArray[np.str_]:
        if words != self._type_bytes:
            labels = [word.decode("ascii", errors="replace") for word in words]
            self._type_bytes = words
            self._types = np.array([self.names.get(label, label) for label in labels], dtype=np.str_)
        return self._types

    def _explain(self, lines: list[bytes], columns: list[str], axes: list[str], first: int) -> NoReturn:
        for number, raw in enumerate(lines, start=first):
            text = raw.decode("ascii", errors="replace").strip()
            words = text.split()
            if len(words) != len(columns):
                self.fail(f"{len(words)} columns instead of {len(columns)}: '{text}'", number)
            try:
                int(words[columns.index("id")])
                values = [float(words[columns.index(axis)]) for axis in axes]
            except ValueError:
                self.fail(f"not a number in '{text}'", number)
            if not np.all(np.isfinite(values)):
                self.fail(f"not a finite number in '{text}'", number)
        self.fail("unreadable atoms", first)
