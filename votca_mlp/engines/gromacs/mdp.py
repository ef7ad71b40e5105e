"""GROMACS's mdp files: read as mdrun's parameters, and copied with some of them changed."""

from collections.abc import Mapping
from pathlib import Path

from votca_mlp.errors import UserError


def read_mdp(path: Path) -> dict[str, str]:
    """Return the parameters by name, in lower case with ``-`` for ``_`` as grompp takes them.

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
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition(";")[0].strip()
        if not words:
            continue
        name, equals, value = words.partition("=")
        if not equals:
            raise UserError(f"'{words}' has no '='", where=f"{path}:{number}", accepted="name = value")
        found[_plain(name)] = value.strip()
    return found


def changed_mdp(path: Path, changes: Mapping[str, str]) -> str:
    """Return the text of an mdp file with parameters set to other values."""
    names = {_plain(name) for name in changes}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    kept = [line for line in lines if _plain(line.partition(";")[0].partition("=")[0]) not in names]
    return "\n".join([*kept, *(f"{name} = {value}" for name, value in changes.items())]) + "\n"


def number(mdp: Mapping[str, str], name: str, default: float, where: str | Path) -> float:
    """Return a parameter as a number.

    Raises
    ------
    UserError
        It is none.
    """
    text = mdp.get(name) or f"{default:g}"
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{name} is '{text}'", where=where, accepted="a number") from None


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")
