"""Reading measured curves: two or three columns of numbers, as papers and programs give them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.files import read_text
from votca_mlp.targets.columns import ACCEPTED, Columns, Row, read_columns, split

# a heading that ends with one of these names a standard error
_SIGMA = re.compile(
    r"err|sigma|\u03c3|\u00b1|std|uncert|deviat|\besd\b|\bs\.?d\.?\b|^[d\u03b4\u0394]_?[gGsSyYfFDT]\b",
    re.IGNORECASE,
)
_ANGLE = re.compile(r"(?:\b2|\btwo)[ _-]*theta|2\s*\u03b8", re.IGNORECASE)


@dataclass(frozen=True)
class Measured:
    """A measured curve in the file's own units.

    Attributes
    ----------
    x, y
        Shape [n], x strictly increasing, all finite.
    sigma
        Standard error of y, >= 0, shape [n], or None.
    comments
        The file's comments and heading.
    source
        The file.
    heading
        The line of words or the comment right before the numbers.
    name
        What the heading calls the column y; empty where that cannot be told.
    notes
        What was assumed in reading.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    comments: tuple[str, ...]
    source: Path
    heading: str = ""
    name: str = ""
    notes: tuple[str, ...] = ()


def read_measured(
    path: str | Path, columns: Sequence[int] | None = None, sigma: float | None = None
) -> Measured:
    """Read a curve from a text file.

    Comma, semicolon, tab or blanks between the columns; decimal commas; quotes; any encoding; a first line
    with the number of points; the output of LAMMPS's ``fix ave/time mode vector`` (its last average).

    Parameters
    ----------
    path
        The file. A line of words before the first numbers is taken as a heading.
    columns
        Numbers of the columns (from 1) that hold x, y and, optionally, sigma; needed when there are more
        than three, or when the heading of a third one does not say that it is the error.
    sigma
        Standard error of all points, instead of a column.

    Raises
    ------
    UserError
        Naming file and line: unreadable, not a number, a column missing, x an angle or not increasing, a
        negative sigma, fewer than four points, more columns than a choice was made for.
    """
    path = Path(path)
    if columns is not None and (len(columns) not in (2, 3) or min(columns) < 1):
        raise UserError(
            f"columns {list(columns)}", accepted="two or three column numbers, counted from 1", where=path
        )
    if sigma is not None and not (np.isfinite(sigma) and sigma > 0.0):
        raise UserError(f"a standard error of {sigma:g}", accepted="a number above zero")
    if sigma is not None and columns is not None and len(columns) == 3:
        raise UserError("both a number and a column of errors", accepted="one of the two", where=path)
    found = read_columns(read_text(path, accepted=ACCEPTED), path)
    names = _names(found)
    _check_angle(found, names, path)
    wanted = _wanted(found, columns, names, path, ask=sigma is None)
    rows = [row for row in (_chosen(row, wanted, path) for row in found.rows) if row is not None]
    for (line, before), (_, after) in zip(rows[1:], rows, strict=False):
        if before[0] <= after[0]:
            raise UserError(f"x does not increase: {before[0]:g}", where=f"{path}:{line}", accepted=ACCEPTED)
    if len(rows) < 4:
        raise UserError(f"only {len(rows)} points", where=path, accepted=ACCEPTED)
    data = np.array([values for _, values in rows])
    errors = data[:, 2] if data.shape[1] == 3 else None
    if sigma is not None:
        errors = np.full(len(data), sigma)
    notes = []
    if found.lammps:
        notes.append(f"read LAMMPS's last average, columns {', '.join(map(str, wanted))} of each row")
    name = names[wanted[1] - 1] if names else ""
    return Measured(data[:, 0], data[:, 1], errors, found.comments, path, found.heading, name, tuple(notes))


def _check_angle(found: Columns, names: list[str], path: Path) -> None:
    """Refuse a diffraction pattern by its angle (UserError)."""
    # Fit2D's .chi has a line for each label
    labels = found.comments[:3] if path.suffix.lower() == ".chi" else (names[0] if names else found.heading,)
    angle = next((label for label in labels if _ANGLE.search(label)), None)
    if angle is not None:
        raise UserError(
            f"the first column is an angle: '{angle[:60]}'",
            where=path,
            accepted="r, or Q = 4 pi sin(theta)/lambda in 1/Angstrom, of corrected and normalised data",
        )


def _names(found: Columns) -> list[str]:
    """Return the heading's words for the columns; empty where it has another number of them."""
    heading = found.heading
    if found.lammps or len(heading) > 2000:
        return []
    # PDFgetX3's line of labels
    heading = re.sub(r"^L\s+", "", heading)
    ways = (split(heading), re.split(r"[,;\t]", heading), re.split(r"\s{2,}", heading), heading.split())
    for words in ways:
        kept = [word.strip() for word in words]
        while kept and not kept[-1]:
            kept.pop()
        if len(kept) == found.width:
            return kept
    return []


def _wanted(
    found: Columns, columns: Sequence[int] | None, names: list[str], path: Path, ask: bool
) -> list[int]:
    width, where = found.width, f"{path}:{found.rows[0].line}" if found.rows else str(path)
    if found.rows and width < 2:
        raise UserError(f"{width} columns in '{found.rows[0].text}'", where=where, accepted=ACCEPTED)
    heading = f" ({found.heading[:100]})" if found.heading else ""
    if columns is not None:
        if found.rows and max(columns) > width:
            raise UserError(f"{width} columns{heading}", where=where, accepted=ACCEPTED)
        return list(columns)
    if found.lammps and width == 4:
        # row, r, g(r), coordination number
        return [2, 3]
    if width > 3 or found.lammps:
        raise UserError(
            f"{width} columns{heading}", where=where, accepted="a choice of columns, such as --columns 1,2,3"
        )
    if width == 3:
        words = names[2] if names else " ".join(found.heading.split()[-1:])
        if _SIGMA.search(words):
            return [1, 2, 3] if ask else [1, 2]
        raise UserError(
            f"3 columns{heading}, and no heading says that the third is the error of the second",
            where=where,
            accepted="--columns 1,2 without it (n(r) or another g(r)), --columns 1,2,3 with it",
        )
    return list(range(1, width + 1))


def _chosen(row: Row, wanted: list[int], path: Path) -> tuple[int, list[float]] | None:
    cells = [row.cells[column - 1] for column in wanted]
    if cells[0] is None and cells[1] is None:
        # another data set beside this one is longer
        return None
    where = f"{path}:{row.line}"
    values = [cell for cell in cells if cell is not None]
    if len(values) < len(cells):
        raise UserError(f"an empty cell in '{row.text}'", where=where, accepted=ACCEPTED)
    if not np.all(np.isfinite(values)):
        raise UserError(f"not a finite number in '{row.text}'", where=where, accepted=ACCEPTED)
    if len(values) == 3 and values[2] < 0.0:
        raise UserError(f"a negative error: {values[2]:g}", where=where, accepted=ACCEPTED)
    return row.line, values
