"""Reading measured curves: two or three columns of numbers, as papers and data bases give them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.files import refuse_special

_ACCEPTED = (
    "columns 'x y' or 'x y sigma' separated by commas, semicolons, tabs or spaces, x increasing; "
    "comments begin with # @ % or !"
)
_COMMENT = "#@%!"


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
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    comments: tuple[str, ...]
    source: Path


def read_measured(path: str | Path, columns: Sequence[int] | None = None) -> Measured:
    """Read a curve from a text file.

    Parameters
    ----------
    path
        The file. A line of words before the first numbers is taken as a heading.
    columns
        Numbers of the columns (from 1) that hold x, y and, optionally, sigma; needed when there are more
        than three.

    Raises
    ------
    UserError
        Naming file and line: unreadable, not a number, a column missing, x not increasing, a negative
        sigma, fewer than four points, more columns than a choice was made for.
    """
    path = Path(path)
    if columns is not None and (len(columns) not in (2, 3) or min(columns) < 1):
        raise UserError(
            f"columns {list(columns)}", accepted="two or three column numbers, counted from 1", where=path
        )
    refuse_special(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError("no such file", where=path, accepted=_ACCEPTED) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read: {error}", where=path, accepted=_ACCEPTED) from None
    comments: list[str] = []
    rows: list[list[float]] = []
    width = 0
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped:
            continue
        if stripped[0] in _COMMENT:
            comments.append(stripped.lstrip(_COMMENT).strip())
            continue
        where = f"{path}:{number}"
        words = _split(stripped)
        values = _numbers(words)
        if values is None:
            if not rows and _numbers(words[:1]) is None:
                comments.append(stripped)
                continue
            raise UserError(f"not a number in '{stripped}'", where=where, accepted=_ACCEPTED)
        width = width or len(values)
        if columns is None and width > 3:
            heading = f" ({comments[-1]})" if comments else ""
            raise UserError(
                f"{width} columns{heading}",
                where=where,
                accepted="a choice of columns, such as --columns 1,2,3",
            )
        wanted = list(columns) if columns is not None else list(range(1, width + 1))
        if len(values) != width or max(wanted) > width or width < 2:
            raise UserError(f"{len(values)} columns in '{stripped}'", where=where, accepted=_ACCEPTED)
        row = [values[column - 1] for column in wanted]
        if not np.all(np.isfinite(row)):
            raise UserError(f"not a finite number in '{stripped}'", where=where, accepted=_ACCEPTED)
        if rows and row[0] <= rows[-1][0]:
            raise UserError(f"x does not increase: {row[0]:g}", where=where, accepted=_ACCEPTED)
        if len(row) == 3 and row[2] < 0.0:
            raise UserError(f"a negative error: {row[2]:g}", where=where, accepted=_ACCEPTED)
        rows.append(row)
    if len(rows) < 4:
        raise UserError(f"only {len(rows)} points", where=path, accepted=_ACCEPTED)
    data = np.array(rows)
    sigma = data[:, 2] if data.shape[1] == 3 else None
    return Measured(data[:, 0], data[:, 1], sigma, tuple(c for c in comments if c), path)


def _split(line: str) -> list[str]:
    if ";" in line:
        # with semicolons between the columns, a comma is a decimal comma
        return [word.strip().replace(",", ".") for word in line.split(";")]
    if "," in line:
        return [word.strip() for word in line.split(",")]
    return line.split()


def _numbers(words: list[str]) -> list[float] | None:
    try:
        # Fortran writes exponents with D
        return [float(word.replace("D", "E").replace("d", "e")) for word in words]
    except ValueError:
        return None
