"""The input files of a run as one archive within its page: what has to be there to run it again."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from votca_mlp.runs.record import digest

NAME = "inputs.tar.gz"
LARGEST = 2_000_000
"""Bytes of a file: a page is to be sent by mail."""


def inputs_archive(directory: Path, files: Mapping[str, str]) -> tuple[bytes, list[str], dict[str, str]]:
    """Return an archive of input files, which are in it, and why the others are not.

    Parameters
    ----------
    directory
        Main directory, to which the names are relative.
    files
        SHA-256 by name, as they were run with; an empty one is not compared.
    """
    kept: list[str] = []
    missing: dict[str, str] = {}
    target = io.BytesIO()
    # no times: the same run gives the same page
    with (
        gzip.GzipFile(fileobj=target, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, known in files.items():
            path = directory / name
            why = _why_not(path, name, known)
            if why:
                missing[name] = why
                continue
            data = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
            kept.append(name)
    return target.getvalue() if kept else b"", kept, missing


def _why_not(path: Path, name: str, known: str) -> str:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts:
        return "outside the run's folder"
    if not path.is_file():
        return "no longer there"
    if known and digest(path)[1] != known:
        return "has changed since the run"
    return f"larger than {LARGEST // 1_000_000} MB" if path.stat().st_size > LARGEST else ""
