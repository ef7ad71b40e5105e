"""Writing files so that a reader never sees half of one."""

import contextlib
import hashlib
import json
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from votca_mlp.errors import UserError

LARGEST_TEXT = 64 * 2**20
"""Bytes of a table or curve that a user wrote; a larger one is something else."""
_LARGE = 2**16
_SETTLED = 5 * 10**9
_KNOWN: dict[str, tuple[tuple[int, ...], str]] = {}
"""Digests of large files by their path, with what stat says of the file."""
_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}\.part")


@contextlib.contextmanager
def atomic_write(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside ``path``; rename it onto ``path`` when the block ends well.

    The data are flushed to disk before the rename. When the block raises, or the disk is full, the
    temporary file is removed and an earlier ``path`` stays as it was.

    Raises
    ------
    UserError
        When the file cannot be written (no space left, no permission).
    """
    path = Path(path)
    temporary: str | None = None
    if path.exists() and not path.is_file():
        what = "is a folder" if path.is_dir() else "is a device or a pipe, which a file would replace"
        raise UserError(f"cannot write: it {what}", where=path, accepted="the name of a file")
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, mode) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        if error.errno is None or not error.strerror:
            raise
        raise UserError(
            f"cannot write: {error.strerror}",
            where=path,
            accepted="a writable directory with free space; earlier files are untouched, run again after",
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def refuse_special(path: Path) -> None:
    """Refuse a pipe, device or socket as an input: reading it may wait for ever, or never end.

    Raises
    ------
    UserError
        Naming it; a path that is not there, a file and a folder are for others to judge.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise UserError(f"is {kind}", where=path, accepted="a file")


def read_text(
    path: str | Path, *, what: str = "file", accepted: str | None = None, marks: bool = True
) -> str:
    """Return the text of an input that a user wrote, whatever program saved it.

    UTF-8, UTF-16 with its byte order mark, else Windows's cp1252: numbers are the same in all of them, and
    comments need not be understood.

    Parameters
    ----------
    path
        The file.
    what, accepted
        For messages.
    marks
        Whether a byte order mark is accepted; VOTCA's programs stumble over it.

    Raises
    ------
    UserError
        No such file; a folder, pipe or device (which could be read for ever); too large; binary.
    """
    try:
        refuse_special(Path(path))
        mode = os.stat(path)
        if stat.S_ISDIR(mode.st_mode):
            raise UserError("is a folder", where=path, accepted=accepted)
        if mode.st_size > LARGEST_TEXT:
            raise UserError(f"{mode.st_size} bytes are too many", where=path, accepted=accepted)
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(f"no such {what}", where=path, accepted=accepted) from None
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the {what}: {error}", where=path, accepted=accepted) from None
    known = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    encoding = next((name for mark, name in known.items() if content.startswith(mark)), "utf-8")
    if not marks and encoding != "utf-8":
        mark = encoding.removesuffix("-sig").upper()
        raise UserError(
            f"the {what} begins with a byte order mark ({mark}), which VOTCA cannot read",
            where=path,
            accepted="a file saved as UTF-8 without it, such as 'votca-mlp target' writes",
        )
    if encoding != "utf-16" and b"\0" in content:
        raise UserError(f"cannot read the {what}: it is binary", where=path, accepted=accepted)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def read_json(path: str | Path) -> Any:
    """Return what is in a JSON file that this package wrote.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is damaged, also where it is nested deeper than Python goes.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def remove_left_over(directory: Path) -> list[str]:
    """Remove what :func:`atomic_write` could not, being killed; return the names.

    To be called where nothing else writes into the directory.
    """
    left = [path for path in directory.glob(".*.part") if _TEMPORARY.fullmatch(path.name) and path.is_file()]
    for path in left:
        with contextlib.suppress(OSError):
            path.unlink()
    return sorted(path.name for path in left)


def cache_folders() -> list[Path]:
    """Return the writable folders for what can be made again, best first; none where nothing is writable.

    ``votca-mlp`` in ``XDG_CACHE_HOME`` (~/.cache), and one of this user's own in ``TMPDIR`` for a home that
    is read-only on the compute nodes.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "votca-mlp"
    found = []
    for folder in (home, Path(tempfile.gettempdir()) / f"votca-mlp-{os.getuid()}"):
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # in a folder for all, another user may have made it
            if folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK):
                found.append(folder)
    return found


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file; of a folder, that of its files' relative names and digests in order.

    A large file is read once: again only where its size, its times or its place on the disk are others.

    Raises
    ------
    OSError
        A file that cannot be read.
    """
    path = Path(path)
    if not path.is_dir():
        return _file_digest(path)
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(path).as_posix().encode() + b"\0")
            digest.update(bytes.fromhex(_file_digest(file)))
    return digest.hexdigest()


def _file_digest(path: Path) -> str:
    found = path.stat()
    changed = max(found.st_mtime_ns, found.st_ctime_ns)
    facts = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    # what was written a moment ago may be written again in the same tick of the file system's clock
    if found.st_size < _LARGE or time.time_ns() - changed < _SETTLED:
        return _read_digest(path)
    name = str(path.absolute())
    if (known := _KNOWN.get(name)) is None or known[0] != facts:
        known = _KNOWN[name] = (facts, _read_digest(path))
    return known[1]


def _read_digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _umask() -> int:
    # os.umask can only be read by setting it
    mask = os.umask(0)
    os.umask(mask)
    return mask
