"""HDF5 in the layout of the ANI data sets: groups of one molecule each, with one row a frame."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from votca_mlp.errors import UserError
from votca_mlp.training.sources.arrays import NUMBERS, POSITIONS, frames_of_arrays
from votca_mlp.training.sources.raw import RawFrame


def read_h5(path: Path, elements: tuple[str, ...]) -> Iterator[RawFrame]:
    """Read every group that has species and coordinates, however deep; each is a group of frames.

    Raises
    ------
    UserError
        h5py is not installed, the file is none, or no group has frames.
    """
    h5py = import_h5py(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise UserError(f"cannot be read: {error}", where=path, accepted="an HDF5 file") from error
    with file:
        groups = list(_groups(file, h5py))
        if not groups:
            what = f"no group has one of {', '.join(NUMBERS)} and one of {', '.join(POSITIONS)}"
            raise UserError(what, where=path, accepted="the layout of the ANI data sets")
        for group in groups:
            name = group.name.strip("/")
            # a row for each frame; short tables such as SMILES are left out there
            arrays = {key: item[()] for key, item in group.items() if isinstance(item, h5py.Dataset)}
            where = f"{path}, group {name}" if name else str(path)
            for frame in frames_of_arrays(arrays, where, name):
                yield replace(frame, origin=f"group {name}, {frame.origin}" if name else frame.origin)


def import_h5py(path: Path) -> Any:
    """Return h5py, or say how to get it.

    Raises
    ------
    UserError
        It is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise UserError("h5py is not installed", where=path, accepted="pip install h5py") from None
    return h5py


def _groups(group: Any, h5py: Any) -> Iterator[Any]:
    if any(name in group for name in NUMBERS) and any(name in group for name in POSITIONS):
        yield group
    for item in group.values():
        if isinstance(item, h5py.Group):
            yield from _groups(item, h5py)
