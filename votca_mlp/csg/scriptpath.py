"""What ``votca-mlp scriptpath`` prints: the folder of the scripts that csg_inverse runs."""

import contextlib
import hashlib
import shutil
import tempfile
from pathlib import Path

from votca_mlp.engines.registry import BUILTIN, engine_names
from votca_mlp.errors import UserError
from votca_mlp.files import cache_folders
from votca_mlp.settings.scripts import SCRIPT_DIRECTORY

TABLE = "csg_table"


def script_path() -> Path:
    """Return the package's folder; with engines of other packages one in the cache that has their rows too.

    It is one folder, as VOTCA divides <scriptpath> at its colons before it runs a command in it.

    Raises
    ------
    UserError
        An engine that cannot be loaded; no folder that can be written; blanks in the package's path.
    """
    refuse_blanks(SCRIPT_DIRECTORY)
    others = [name for name in engine_names() if name not in BUILTIN]
    if not others:
        return SCRIPT_DIRECTORY
    table = (SCRIPT_DIRECTORY / TABLE).read_text() + "".join(map(rows_of, others))
    links = [path for path in sorted(SCRIPT_DIRECTORY.iterdir()) if path.name != TABLE]
    key = hashlib.sha256("\n".join([table, *map(str, links)]).encode()).hexdigest()[:16]
    for cache in cache_folders():
        folder = cache / f"scripts-{key}"
        with contextlib.suppress(OSError):
            if not folder.is_dir():
                _make(folder, table, links)
            return folder
    accepted = "a writable XDG_CACHE_HOME, home or TMPDIR folder"
    raise UserError("cannot write a csg_table for engines of other packages", accepted=accepted)


def refuse_blanks(path: Path) -> None:
    """Refuse a path that VOTCA's scripts cannot have.

    Raises
    ------
    UserError
        It has blanks.
    """
    if any(character.isspace() for character in str(path)):
        accepted = "votca-mlp in a path without (or votca-mlp inverse, which can have them)"
        raise UserError("VOTCA cannot have blanks in a path", where=path, accepted=accepted)


def rows_of(name: str) -> str:
    """Return an engine's lines of csg_table: ``task ENGINE script``."""
    from votca_mlp.engines.engine import engines

    return "".join(f"{task} {name} {script}\n" for task, script in engines()[name].scripts.items())


def _make(folder: Path, table: str, links: list[Path]) -> None:
    """Make the folder under another name and rename it: it is there complete or not at all."""
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        (made / TABLE).write_text(table)
        for path in links:
            (made / path.name).symlink_to(path)
        made.chmod(0o755)
        made.rename(folder)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        # another process may have been faster
        if not folder.is_dir():
            raise
