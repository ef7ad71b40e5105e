"""The record of a step: what it was made from and the digests of what it left, checked before use.

A table cut at the end of a line, or a trajectory cut between two frames, still looks sound. Digests do not
let it pass. Steps of csg_inverse have no record; their tables are checked as tables.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write, read_json, sha256_of

NAME = "votca_mlp_step.json"
_FORMAT = 1


@dataclass
class StepRecord:
    """The record of one step.

    Attributes
    ----------
    files
        Size in bytes and SHA-256 by name within the step directory.
    inputs
        Flat settings and digests that shape the step; see :mod:`votca_mlp.inverse.changes`.
    agreement
        Measures of g(r) by interaction.
    misfit
        Of several states: shared part and rest of the misfit by interaction; see
        :mod:`votca_mlp.update.conflict`.
    seconds
        Wall time by stage.
    complete
        The tables of the next step are in place.
    """

    files: dict[str, list[Any]] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    agreement: dict[str, dict[str, Any]] = field(default_factory=dict)
    misfit: dict[str, dict[str, float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    complete: bool = False
    format: int = _FORMAT

    def add(self, directory: Path, *names: str) -> None:
        """Take the digests of files."""
        for name in names:
            self.files[name] = list(digest(directory / name))

    def check(self, directory: Path, *names: str, remedy: str) -> None:
        """Compare files with their digests, where there are any.

        Raises
        ------
        UserError
            Naming the file that is missing, cut short or changed, and ``remedy``.
        """
        for name in names:
            if name not in self.files:
                continue
            size, sha = self.files[name]
            path = directory / name
            if not path.is_file():
                raise UserError("the file is missing", where=path, accepted=remedy)
            found_size, found = digest(path)
            if found == sha:
                continue
            what = (
                f"the file is damaged: {found_size} bytes instead of {size}"
                if found_size < size
                else "the file has changed since the step wrote it"
            )
            change = f"; if the change is meant, remove {directory / NAME}"
            raise UserError(what, where=path, accepted=remedy + change)


def digest(path: Path) -> tuple[int, str]:
    """Return size in bytes and SHA-256 of a file.

    Raises
    ------
    UserError
        It cannot be read.
    """
    try:
        return path.stat().st_size, sha256_of(path)
    except OSError as error:
        raise UserError(
            f"cannot read: {error.strerror}", where=path, accepted="a file that this run wrote"
        ) from None


def read_record(directory: Path) -> StepRecord | None:
    """Return the record of a step, or None when it has none.

    Raises
    ------
    UserError
        A record that cannot be read.
    """
    path = directory / NAME
    try:
        data = read_json(path)
        record = StepRecord(**data)
        if record.format != _FORMAT:
            raise ValueError(f"format {record.format}")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"the record of the step is damaged ({error})",
            where=path,
            accepted="remove the file: the step's tables are then believed as they are",
        ) from None
    return record


def write_record(directory: Path, record: StepRecord) -> None:
    """Write a record under a temporary name and rename it."""
    with atomic_write(directory / NAME) as file:
        json.dump(asdict(record), file, indent=1)
        file.write("\n")


def intact(record: StepRecord, directory: Path, names: list[str]) -> bool:
    """Return whether the files are there as the record has them."""
    paths = [directory / name for name in names]
    return all(path.is_file() and list(digest(path)) == record.files.get(path.name, [])[:2] for path in paths)


@contextmanager
def timed(record: StepRecord, stage: str) -> Iterator[None]:
    """Add the time that the block takes to the record."""
    begin = time.monotonic()
    try:
        yield
    finally:
        record.seconds[stage] = record.seconds.get(stage, 0.0) + time.monotonic() - begin
