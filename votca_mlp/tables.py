"""VOTCA tables: ``x y``, ``x y flag`` or ``x y error flag``, comments with ``#`` or ``@``.

The numbers stay in the file's own units (nm, kJ/mol in VOTCA's files); callers that need Angstrom and eV
convert with :mod:`votca_mlp.units`. Flags: ``i`` valid, ``o`` outside the sampled range, ``u`` undefined.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write, read_text

FLAGS = ("i", "o", "u")
TABLE_DIGITS = 15
"""Of the numbers in tables of this package, as of those of VOTCA's perl scripts."""
_ACCEPTED = "lines 'x y', 'x y flag' or 'x y error flag' with flag i, o or u, x increasing"


@dataclass(frozen=True)
class Table:
    """A tabulated function.

    Attributes
    ----------
    x, y
        Grid points (strictly increasing) and values, shape [n].
    flags
        One of ``i``, ``o``, ``u`` a point, shape [n], dtype ``<U1``.
    yerr
        Standard error of ``y``, shape [n], or None.
    comments
        Comment lines without their ``#``.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    flags: NDArray[np.str_]
    yerr: NDArray[np.float64] | None = None
    comments: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        columns = [self.x, self.y, self.flags] + ([] if self.yerr is None else [self.yerr])
        if any(column.shape != (len(self.x),) for column in columns):
            raise ValueError("the columns of a table must be one-dimensional and equally long")

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Points with flag ``i``, shape [n]."""
        return np.asarray(self.flags == "i")

    @property
    def known(self) -> bool:
        """Whether any point is defined: the target of an interaction that has none is not."""
        return bool((self.flags != "u").any())

    def with_y(self, y: NDArray[np.float64]) -> "Table":
        """Return the same table with other values."""
        return replace(self, y=y)


def make_table(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    yerr: NDArray[np.float64] | None = None,
    comments: tuple[str, ...] = (),
) -> Table:
    """Return a table whose points are all valid (flag ``i``)."""
    return Table(np.asarray(x, float), np.asarray(y, float), np.full(len(x), "i"), yerr, comments)


def undefined_table(x: NDArray[np.float64]) -> Table:
    """Return what stands for a target that is not there: 1 at every point, and no point is defined."""
    return Table(np.asarray(x, float), np.ones(len(x)), np.full(len(x), "u"))


def read_table(path: str | Path) -> Table:
    """Read a VOTCA table.

    Raises
    ------
    UserError
        Naming file and line: missing, unreadable, wrong number of columns, not a number, unknown flag,
        x not increasing, no points.
    """
    path = Path(path)
    text = read_text(path, what="table", accepted=_ACCEPTED, marks=False)
    rows: list[tuple[float, ...]] = []
    flags: list[str] = []
    comments: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped:
            continue
        if stripped[0] in "#@":
            comments.append(stripped[1:].strip())
            continue
        where = f"{path}:{number}"
        *values, flag = stripped.split()
        if len(values) == 1 and flag not in "iou":
            # csg_resample reads targets without flags too (GROMACS's xvg), as all valid
            values, flag = [*values, flag], "i"
        if flag not in FLAGS:
            raise UserError(f"'{flag}' is not a flag", where=where, accepted=_ACCEPTED)
        if len(values) not in (2, 3) or (rows and len(values) != len(rows[0])):
            raise UserError(f"{len(values) + 1} columns", where=where, accepted=_ACCEPTED)
        try:
            row = tuple(float(value) for value in values)
        except ValueError:
            raise UserError(f"not a number in '{stripped}'", where=where, accepted=_ACCEPTED) from None
        # an undefined point may hold anything; a valid one must be usable
        if not np.isfinite(row[0]) or (flag == "i" and not np.isfinite(row[1])):
            raise UserError("not a finite number", where=where, accepted=_ACCEPTED)
        if rows and row[0] <= rows[-1][0]:
            raise UserError("x does not increase", where=where, accepted=_ACCEPTED)
        rows.append(row)
        flags.append(flag)
    if not rows:
        raise UserError("the table has no points (cut short?)", where=path, accepted=_ACCEPTED)
    data = np.array(rows)
    yerr = data[:, 2] if data.shape[1] == 3 else None
    return Table(data[:, 0], data[:, 1], np.array(flags), yerr, tuple(comments))


def write_table(path: str | Path, table: Table) -> None:
    """Write a VOTCA table under a temporary name and rename it (15 digits, so values survive).

    Raises
    ------
    UserError
        A point that is not undefined (flag ``u``) has no finite number; it cannot be written.
    """
    columns = [table.x, table.y] if table.yerr is None else [table.x, table.y, table.yerr]
    # what is undefined may hold anything, and is read so
    finite = np.all([np.isfinite(column) for column in columns], axis=0)
    wrong = np.flatnonzero(~finite & ((table.flags != "u") | ~np.isfinite(table.x)))
    if len(wrong):
        numbers = " ".join(f"{column[wrong[0]]:g}" for column in columns)
        what = f"the table would have the line '{numbers}'"
        raise UserError(f"not written: {what}", where=path, accepted="finite numbers")
    with atomic_write(path) as file:
        file.write(table_text(table))


def table_text(table: Table) -> str:
    """Return a table as it stands in a file."""
    columns = [table.x, table.y] if table.yerr is None else [table.x, table.y, table.yerr]
    lines = [f"# {comment}" for comment in table.comments]
    for row, flag in zip(zip(*columns, strict=True), table.flags, strict=True):
        lines.append(" ".join(f"{value:.{TABLE_DIGITS}g}" for value in row) + f" {flag}")
    return "".join(f"{line}\n" for line in lines)


def as_printed(values: NDArray[np.float64], digits: int = TABLE_DIGITS) -> NDArray[np.float64]:
    """Return the numbers that are read back after printing with ``digits`` significant digits; same shape."""
    values = np.asarray(values, float)
    return np.array([float(f"{value:.{digits}g}") for value in values.ravel()]).reshape(values.shape)


def grid_points(minimum: float, maximum: float, step: float) -> NDArray[np.float64]:
    """Return VOTCA's grid min:step:max, last point included; shape [n].

    Rounded to 1e-10 of the step so that 0.3 is 0.3 and tables of one grid compare equal.
    """
    count = int(np.floor((maximum - minimum) / step + 1.000000001))
    return np.asarray(np.round(minimum + step * np.arange(count), 12))
