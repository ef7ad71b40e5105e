"""Copies of files that are there whole or not at all."""

import os
import shutil
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write, refuse_special


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's content under a temporary name, then rename.

    Raises
    ------
    UserError
        The source is missing or unreadable, or there is no space left.
    """
    refuse_special(source)
    try:
        with open(source, "rb") as opened, atomic_write(target, "wb") as file:
            shutil.copyfileobj(opened, file)
    except FileNotFoundError:
        raise UserError("no such file", where=source, accepted="the file that the step needs") from None
    except (IsADirectoryError, PermissionError) as error:
        raise UserError(f"cannot read: {error.strerror}", where=source, accepted="a readable file") from None


def same_content(a: Path, b: Path) -> bool:
    """Return whether two existing files have the same bytes."""
    return os.path.getsize(a) == os.path.getsize(b) and a.read_bytes() == b.read_bytes()


def touch(path: Path) -> None:
    """Make an empty file.

    Raises
    ------
    UserError
        It cannot be written.
    """
    try:
        path.touch()
    except OSError as error:
        raise UserError(f"cannot write: {error.strerror}", where=path, accepted="free space") from None
