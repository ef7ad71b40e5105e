"""GROMACS's mdp files: read as mdrun's parameters, and copied with some of them changed."""

import math
from collections.abc import Mapping
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.plain import number_of

_LARGEST = 1e15


class Mdp(dict[str, str]):
    """Parameters by name, in lower case with ``-`` for ``_`` as grompp takes them, and where they stand.

    Attributes
    ----------
    path
        The file.
    lines
        Number of the line, counted from 1, of each parameter.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.lines: dict[str, int] = {}

    def place(self, name: str) -> str:
        """Return file and line of a parameter, the file alone of one that is not there."""
        return f"{self.path}:{self.lines[name]}" if name in self.lines else str(self.path)

    def is_on(self, name: str) -> bool:
        """Return whether a switch that is off by default is on."""
        return self.get(name, "no").lower() in ("yes", "true", "1", "on")

    def number(self, name: str, default: float) -> float:
        """Return a parameter as a number.

        Raises
        ------
        UserError
            It is none.
        """
        return self.numbers(name, f"{default:g}")[0]

    def numbers(self, name: str, default: str = "") -> list[float]:
        """Return the numbers of a parameter that has one for each group.

        Raises
        ------
        UserError
            A word that is none.
        """
        text = self.get(name) or default
        try:
            found = [number_of(word) for word in text.split()]
        except ValueError:
            found = [math.nan]
        # steps are counted with them
        if not all(abs(value) < _LARGEST for value in found):
            raise UserError(f"{name} is '{text[:80]}'", where=self.place(name), accepted="a number")
        return found


def read_mdp(path: Path) -> Mdp:
    """Return the parameters of a file.

    Raises
    ------
    UserError
        No such file, or a line without '='.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        accepted = "a file of the main directory that <filelist> lists"
        raise UserError(f"cannot read: {error.strerror}", where=path, accepted=accepted) from None
    found = Mdp(path)
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition(";")[0].strip()
        if not words:
            continue
        name, equals, value = words.partition("=")
        if not equals:
            raise UserError(f"'{words}' has no '='", where=f"{path}:{number}", accepted="name = value")
        found[_plain(name)] = value.strip()
        found.lines[_plain(name)] = number
    return found


def changed_mdp(path: Path, changes: Mapping[str, str]) -> str:
    """Return the text of an mdp file with parameters set to other values."""
    names = {_plain(name) for name in changes}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    kept = [line for line in lines if _plain(line.partition(";")[0].partition("=")[0]) not in names]
    return "\n".join([*kept, *(f"{name} = {value}" for name, value in changes.items())]) + "\n"


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")
