"""Writing files so that a reader never sees half of one."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from votca_mlp.errors import UserError


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

    Raises
    ------
    OSError
        A file that cannot be read.
    """
    path = Path(path)
    if not path.is_dir():
        return _file_digest(path).hexdigest()
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(path).as_posix().encode() + b"\0")
            digest.update(_file_digest(file).digest())
    return digest.hexdigest()


def _file_digest(path: Path) -> "hashlib._Hash":
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256")


def _umask() -> int:
    # os.umask can only be read by setting it
    mask = os.umask(0)
    os.umask(mask)
    return mask
