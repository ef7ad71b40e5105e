"""The formats of files with labelled frames, by name; reading one."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.training.sources import ase_files, deepmd, energy_xyz, hdf5, maml, npz
from votca_mlp.training.sources.raw import RawFrame


@dataclass(frozen=True)
class Format:
    """How a kind of file is recognised and read.

    ``read(path, elements)`` gives its frames; ``elements`` are the symbols of types that the file numbers.
    """

    read: Callable[[Path, tuple[str, ...]], Iterator[RawFrame]]
    suffixes: tuple[str, ...]
    meaning: str
    is_folder: bool = False


FORMATS = {
    "extxyz": Format(ase_files.read_extxyz, (".xyz", ".extxyz"), "extended XYZ, as ASE writes it"),
    "ase_db": Format(ase_files.read_database, (".db",), "an ASE database"),
    "npz": Format(npz.read_npz, (".npz",), "arrays of numbers (padded with 0), positions, cells, labels"),
    "h5": Format(hdf5.read_h5, (".h5", ".hdf5"), "groups with species, coordinates and labels (ANI)"),
    "deepmd": Format(deepmd.read_deepmd, (), "folders with type.raw and set.*/*.npy", is_folder=True),
    "maml_json": Format(maml.read_maml, (".json",), "a list of pymatgen structures with outputs (maml)"),
    "energy_xyz": Format(
        energy_xyz.read_energy_xyz, (), "XYZ with the energy as comment, gradients as columns (QM-22)"
    ),
}


def read_raw(path: Path, name: str | None, elements: tuple[str, ...] = ()) -> list[RawFrame]:
    """Return the frames of a file.

    Raises
    ------
    UserError
        No such file, unknown format, or a file that is not in it.
    """
    if not path.exists():
        raise UserError("no such file", where=path, accepted="a file or folder with labelled frames")
    chosen = name or _by_name(path)
    try:
        frames = list(FORMATS[chosen].read(path, elements))
    except UserError:
        raise
    except Exception as error:  # a foreign reader may raise anything
        words = (str(error).splitlines() or [""])[0]
        what = f"cannot be read as {chosen}: {type(error).__name__}: {words}"
        raise UserError(what, where=path, accepted=FORMATS[chosen].meaning) from error
    if not frames:
        raise UserError(f"has no frames (read as {chosen})", where=path, accepted=FORMATS[chosen].meaning)
    return frames


def refuse_unknown_key(frames: Sequence[RawFrame], key: str, path: Path) -> None:
    """Refuse a name that no frame of the file has.

    Raises
    ------
    UserError
        With the names that are there, the nearest one first.
    """
    names = sorted({name for frame in frames for name in frame.values})
    if key not in names:
        near = difflib.get_close_matches(key, names, 1)
        listed = (
            ", ".join([*near, *(name for name in names if name not in near)][:12]) or "nothing but positions"
        )
        raise UserError(f"no frame has '{key}'", where=path, accepted=listed)


def _by_name(path: Path) -> str:
    for name, entry in FORMATS.items():
        if path.is_dir() == entry.is_folder and (entry.is_folder or path.name.endswith(entry.suffixes)):
            return name
    raise UserError(
        "the format does not follow from the name", where=path, accepted="format: " + " | ".join(FORMATS)
    )
