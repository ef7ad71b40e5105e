"""deepmd's folders: type.raw, type_map.raw, and sets of npy files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.training.sources.raw import RawFrame


def read_deepmd(path: Path, elements: tuple[str, ...]) -> Iterator[RawFrame]:
    """Read every folder below ``path`` that has a type.raw; each is a group of frames.

    Values are the npy files by their names (energy, force, virial). Without type_map.raw the types are
    ``elements``.

    Raises
    ------
    UserError
        No such folder, types without an element, arrays that do not fit the types.
    """
    systems = sorted(found.parent for found in path.rglob("type.raw"))
    if not systems:
        raise UserError("no type.raw in it or below", where=path, accepted="a folder of deepmd npy systems")
    for system in systems:
        group = system.relative_to(path).as_posix()
        numbers = _numbers(system, elements)
        periodic = not (system / "nopbc").exists()
        for part in sorted(system.glob("set.*")):
            arrays = {file.stem: np.load(file, allow_pickle=False) for file in sorted(part.glob("*.npy"))}
            count = len(arrays["coord"]) if "coord" in arrays else 0
            coordinates = arrays.pop("coord", np.zeros((0, 0))).reshape(count, -1)
            if coordinates.shape[1] != 3 * len(numbers):
                what = f"coord.npy has {coordinates.shape[1]} numbers a frame, type.raw {len(numbers)} atoms"
                raise UserError(what, where=part, accepted=f"{3 * len(numbers)}: all atoms")
            boxes = arrays.pop("box", np.zeros((count, 9))).reshape(count, 3, 3)
            for k in range(count):
                values = {name: _row(array, k, len(numbers)) for name, array in arrays.items()}
                pbc = np.full(3, periodic and bool(boxes[k].any()))
                origin = f"{group}/{part.name}, frame {k + 1}"
                yield RawFrame(
                    numbers, coordinates[k].reshape(-1, 3), boxes[k] * pbc[0], pbc, values, origin, group
                )


def _numbers(system: Path, elements: tuple[str, ...]) -> np.ndarray:
    from ase.data import atomic_numbers

    types = np.loadtxt(system / "type.raw", dtype=np.int64, ndmin=1)
    map_file = system / "type_map.raw"
    names = tuple(map_file.read_text().split()) if map_file.exists() else elements
    if types.max(initial=0) >= len(names) or any(name not in atomic_numbers for name in names):
        what = f"type {types.max(initial=0)} has no element (known: {', '.join(names) or 'none'})"
        raise UserError(what, where=system / "type.raw", accepted="a type_map.raw, or elements: [Ti, ...]")
    return np.array([atomic_numbers[name] for name in names], np.int64)[types]


def _row(array: np.ndarray, frame: int, atoms: int) -> object:
    row = np.asarray(array[frame])
    if row.size == 9 and atoms != 3:
        return row.reshape(3, 3)
    return row.reshape(-1, 3) if row.ndim == 1 and row.size == 3 * atoms else row
