"""A file that only grows while a step runs: a trajectory, a table."""

import os
from pathlib import Path
from typing import BinaryIO

from votca_mlp.engines.shared.resume import shorter_than_recorded
from votca_mlp.errors import UserError


class GrowingFile:
    """A file that only grows, and can be cut back to a recorded length.

    Parameters
    ----------
    path
        Written in place; a trajectory gets its final name by :meth:`finish`.
    length
        Cut an existing file back to this many bytes and go on; None starts anew.

    Raises
    ------
    UserError
        Cannot be opened, or shorter than ``length``.
    """

    def __init__(self, path: Path, length: int | None = None) -> None:
        self.path = path
        if length is not None and not path.exists():
            raise shorter_than_recorded(path, length)
        try:
            self._file: BinaryIO = open(path, "wb" if length is None else "r+b", buffering=0)  # noqa: SIM115
            if length is not None:
                if os.fstat(self._file.fileno()).st_size < length:
                    raise shorter_than_recorded(path, length)
                self._file.truncate(length)
                self._file.seek(length)
        except OSError as error:
            raise self._failed(error) from error

    def write(self, text: str) -> None:
        """Append.

        Raises
        ------
        UserError
            No space left, or another failure to write.
        """
        data = memoryview(text.encode("ascii"))
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            raise self._failed(error) from error

    def sync(self) -> int:
        """Force the content to disk and return its length in bytes."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from error
        return self._file.tell()

    def close(self) -> None:
        """Close; what is written stays."""
        self._file.close()

    def finish(self, name: Path) -> None:
        """Sync, close and rename to ``name``."""
        self.sync()
        self.close()
        os.replace(self.path, name)

    def _failed(self, error: OSError) -> UserError:
        return UserError(
            f"cannot write: {error.strerror}",
            where=self.path,
            accepted="free space and a writable directory. Earlier files and the last checkpoint are "
            "untouched; run again to go on",
        )
