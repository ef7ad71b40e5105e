"""Lines of text to columns of numbers: separators, decimal commas, quotes, count lines, LAMMPS's blocks."""

import re
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError

ACCEPTED = (
    "columns 'x y' or 'x y sigma' separated by commas, semicolons, tabs or spaces, x increasing; "
    "comments begin with # @ % or !"
)
Cells = tuple[float | None, ...]
"""The numbers of a line; None where a cell is empty."""

_COMMENT = "#@%!"
# Fortran writes exponents with D; every branch is told by its first character, so that no line takes long
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eEdD][+-]?[0-9]+)?", re.ASCII)
_COMMA_NUMBER = re.compile(r"[+-]?[0-9]+(?:,[0-9]+)?(?:[eEdD][+-]?[0-9]+)?", re.ASCII)
_NOT_FINITE = frozenset(["nan", "inf", "infinity"])
_START = re.compile(r"#+\s*start data", re.IGNORECASE)
_LAMMPS = "Number-of-rows"


@dataclass(frozen=True)
class Row:
    """A line of numbers: its number in the file, its cells, its text."""

    line: int
    cells: Cells
    text: str


@dataclass(frozen=True)
class Columns:
    """The numbers of a file.

    Attributes
    ----------
    rows
        All of ``width`` cells.
    heading
        The last comment or line of words before the numbers, or "".
    comments
        All of them, without their signs.
    lammps
        Whether it is a block of LAMMPS's ``fix ave/time mode vector``: its first column counts the rows.
    """

    rows: list[Row]
    width: int
    heading: str
    comments: tuple[str, ...]
    lammps: bool = False


def read_columns(text: str, path: Path) -> Columns:
    """Return the columns of a text.

    Parameters
    ----------
    text
        Of the whole file.
    path
        For messages.

    Raises
    ------
    UserError
        Naming the line: words among numbers, lines of other widths, fewer rows than the file says.
    """
    comments: list[str] = []
    rows: list[Row] = []
    heading = ""
    lines = text.splitlines()
    start = next((k for k, line in enumerate(lines) if _START.match(line.strip())), -1)
    for number, line in enumerate(lines, start=1):
        stripped = line.strip(" \r\n\f\v")
        if not stripped.strip(", ;\t"):
            continue
        bare = stripped.strip()
        if not bare:
            # white space of other kinds
            continue
        if bare[0] in _COMMENT or number <= start + 1:
            # before PDFgetX2's and PDFgetX3's '#### start data' there are settings, numbers among them
            comments.append(bare.lstrip(_COMMENT).strip())
            heading = comments[-1] if not rows and comments[-1] else heading
            continue
        words = split(bare if "\t" not in stripped else stripped)
        cells = _numbers(words)
        if cells is None:
            of_words = _numbers(words[:1]) is None
            if of_words and (not rows or (len(rows) == 1 and _is_count(rows[0]))):
                heading = bare
                comments.append(bare)
                continue
            raise UserError(f"not a number in '{_short(bare)}'", where=f"{path}:{number}", accepted=ACCEPTED)
        rows.append(Row(number, cells, _short(bare)))
    if any(_LAMMPS in comment for comment in comments) or _begins_block(rows):
        rows = _last_block(rows, path)
        kept = tuple(comment for comment in comments if comment)
        return Columns(rows, len(rows[0].cells), heading, kept, lammps=True)
    if len(rows) > 1 and _is_count(rows[0]) and len(rows[1].cells) > 1:
        promised = int(rows[0].cells[0] or 0)
        if promised != len(rows) - 1:
            raise UserError(
                f"the first line says {promised} points, {len(rows) - 1} follow",
                where=f"{path}:{rows[0].line}",
                accepted="a complete file, or one without that line",
            )
        del rows[0]
    width = len(_stripped(rows[0].cells)) if rows else 0
    return Columns(
        [_of_width(row, width, path) for row in rows], width, heading, tuple(c for c in comments if c)
    )


def split(line: str) -> list[str]:
    """Return the cells of a line, without quotes, with decimal points; empty ones stay."""
    line = line.replace('"', "").replace("'", "")
    if ";" in line:
        # with semicolons between the columns, a comma is a decimal comma
        return [word.strip().replace(",", ".") for word in line.split(";")]
    if "," in line:
        words = line.split()
        if len(words) > 1 and all(_COMMA_NUMBER.fullmatch(word) for word in words):
            return [word.replace(",", ".") for word in words]
        return [word.strip() for word in line.split(",")]
    if "\t" in line:
        # spreadsheets leave cells empty; a table set with several tabs or blanks is none of them
        cells = [word.strip() for word in line.split("\t")]
        if not any(" " in cell for cell in cells) and "\t\t" not in line.strip():
            return cells
    return line.split()


def _numbers(words: list[str]) -> Cells | None:
    found: list[float | None] = []
    for word in words:
        if not word:
            found.append(None)
        elif _NUMBER.fullmatch(word):
            found.append(float(word.replace("D", "E").replace("d", "e")))
        elif word.lstrip("+-").lower() in _NOT_FINITE:
            found.append(float("nan"))
        else:
            return None
    return tuple(found) if any(cell is not None for cell in found) else None


def _stripped(cells: Cells) -> Cells:
    used = len(cells)
    while used and cells[used - 1] is None:
        used -= 1
    return cells[:used]


def _of_width(row: Row, width: int, path: Path) -> Row:
    cells = _stripped(row.cells)
    # a separator at the end of a line and data sets of other lengths side by side leave cells empty
    if len(cells) > width or len(row.cells) < width:
        raise UserError(
            f"{len(cells)} columns in '{row.text}'", where=f"{path}:{row.line}", accepted=ACCEPTED
        )
    return Row(row.line, (*cells, *[None] * (width - len(cells))), row.text)


def _is_whole(cell: float | None) -> bool:
    return cell is not None and cell >= 0.0 and cell.is_integer()


def _is_count(row: Row) -> bool:
    return len(_stripped(row.cells)) == 1 and _is_whole(row.cells[0])


def _begins_block(rows: list[Row]) -> bool:
    if len(rows) < 2 or len(rows[0].cells) != 2 or not all(_is_whole(cell) for cell in rows[0].cells):
        return False
    return len(rows[1].cells) > 2 and rows[1].cells[0] == 1.0


def _last_block(rows: list[Row], path: Path) -> list[Row]:
    """Return the rows of the last average that LAMMPS has written."""
    at, block = 0, []
    while at < len(rows):
        head = rows[at]
        if len(head.cells) != 2 or not all(_is_whole(cell) for cell in head.cells):
            raise UserError(
                f"'{head.text}' is no line 'time step, number of rows'",
                where=f"{path}:{head.line}",
                accepted="the output of LAMMPS's fix ave/time mode vector as it is",
            )
        count = int(head.cells[1] or 0)
        block = rows[at + 1 : at + 1 + count]
        if len(block) < count or count == 0 or any(len(r.cells) != len(block[0].cells) for r in block):
            raise UserError(
                f"{count} rows at time step {head.cells[0]:g}, {len(block)} of one width follow",
                where=f"{path}:{head.line}",
                accepted="a complete file",
            )
        at += 1 + count
    if not block:
        raise UserError("no rows", where=path, accepted=ACCEPTED)
    return block


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
