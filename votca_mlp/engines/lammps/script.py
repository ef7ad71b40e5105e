"""The user's LAMMPS input script as a list of commands that can be carried out, and repeated, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError

REFUSED = ("clear", "jump", "label", "next", "partition", "quit", "rerun")


@dataclass(frozen=True)
class Command:
    """One command: file and line where it begins, its text, and its words without the comment."""

    file: Path
    line: int
    text: str
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}:{self.line}"


def read_script(path: Path) -> list[Command]:
    """Return the commands of a script, those of included files in their place.

    Raises
    ------
    UserError
        No such file, an ``include`` that cannot be followed, a loop.
    """
    return list(_commands(path, (path.resolve(),)))


def _commands(path: Path, above: tuple[Path, ...]) -> Iterator[Command]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        accepted = "a LAMMPS input script in the main directory, listed in <filelist>"
        raise UserError(f"cannot read the script: {reason}", where=path, accepted=accepted) from None
    for number, text in _joined(lines):
        words = tuple(_without_comment(text).split())
        if not words:
            continue
        command = Command(path, number, text, words)
        if words[0] in REFUSED:
            accepted = "commands one after another, without loops: a resumed run must find its place again"
            raise UserError(f"'{words[0]}' is not possible here", where=command.where, accepted=accepted)
        if words[0] != "include":
            yield command
            continue
        inner = path.parent / words[1] if len(words) > 1 else path
        if "$" in inner.name or inner.resolve() in above:
            accepted = "include with the plain name of another file"
            raise UserError("the include cannot be followed", where=command.where, accepted=accepted)
        yield from _commands(inner, (*above, inner.resolve()))


def _joined(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield (number of the first line, whole command): ``&`` and triple quotes go over several lines."""
    begin, parts = 0, ""
    for number, line in enumerate(lines, start=1):
        begin = begin or number
        if parts.count('"""') % 2:
            parts += "\n" + line
        else:
            parts += line
        if parts.count('"""') % 2:
            continue
        if parts.rstrip().endswith("&"):
            parts = parts.rstrip()[:-1] + " "
            continue
        yield begin, parts
        begin, parts = 0, ""
    if parts:
        yield begin, parts


def _without_comment(text: str) -> str:
    quote = ""
    for index, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "#":
            return text[:index]
    return text
