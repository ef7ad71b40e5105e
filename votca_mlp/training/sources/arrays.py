"""Frames of arrays that have one row a frame: what npz and h5 files share."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.training.sources.raw import RawFrame

NUMBERS = ("numbers", "atomic_numbers", "species", "z", "Z")
POSITIONS = ("positions", "coordinates", "coord", "R", "xyz")
CELLS = ("cells", "cell", "box")


def frames_of_arrays(arrays: Mapping[str, Any], where: str, group: str = "") -> Iterator[RawFrame]:
    """Return the frames of arrays under their usual names, see :data:`NUMBERS` and the others.

    Species may be one row for all frames, symbols or atomic numbers; rows may be padded with 0. Every other
    array with one row a frame is a value of each frame, cut where the frame is padded.

    Raises
    ------
    UserError
        Species or positions absent, or of shapes that do not fit.
    """
    numbers_name, positions_name = _name(arrays, NUMBERS, where), _name(arrays, POSITIONS, where)
    positions = np.asarray(arrays[positions_name], float)
    numbers = _numbers(np.asarray(arrays[numbers_name]), where)
    if positions.ndim != 3 or positions.shape[2] != 3 or numbers.shape[-1] != positions.shape[1]:
        raise UserError(
            f"'{numbers_name}' has shape {list(numbers.shape)}, '{positions_name}' {list(positions.shape)}: "
            "atoms are missing in one of them",
            where=where,
            accepted="[n_atoms] or [n_frames, n_atoms], and [n_frames, n_atoms, 3]",
        )
    count = len(positions)
    if numbers.ndim == 2 and len(numbers) != count:
        what = f"'{numbers_name}' has {len(numbers)} frames, '{positions_name}' has {count}"
        raise UserError(what, where=where, accepted="as many")
    cells_name = next((name for name in CELLS if name in arrays), None)
    cells = np.asarray(arrays[cells_name], float) if cells_name else np.zeros((3, 3))
    if cells.shape not in ((3, 3), (count, 3, 3)):
        what = f"'{cells_name}' has shape {list(cells.shape)}"
        raise UserError(what, where=where, accepted="[3, 3] or [n_frames, 3, 3], rows are cell vectors")
    cells = np.broadcast_to(cells, (count, 3, 3))
    periodic = _periodic(arrays.get("pbc"), cells, where)
    used = (numbers_name, positions_name, cells_name, "pbc")
    rows = {
        name: np.asarray(array)
        for name, array in arrays.items()
        if name not in used and np.ndim(array) > 0 and len(array) == count
    }
    # so that a label among them is refused by what is wrong with it
    others = {
        name: f"an array of {len(array)} rows for {count} frames"
        for name, array in arrays.items()
        if name not in used and name not in rows and np.ndim(array) > 0
    }
    padded = positions.shape[1]
    for k in range(count):
        z = numbers if numbers.ndim == 1 else numbers[k]
        size = int(np.flatnonzero(z)[-1]) + 1 if z.any() else 0
        values = {
            name: array[k][:size]
            if array.ndim > 1 and array.shape[1] == padded and size < padded
            else array[k]
            for name, array in rows.items()
        }
        values |= others
        own = values.get("groups", values.get("group", group))
        own = own.decode() if isinstance(own, bytes) else str(own)
        yield RawFrame(z[:size], positions[k, :size], cells[k], periodic[k], values, f"frame {k + 1}", own)


def _periodic(pbc: Any, cells: Any, where: str) -> Any:
    """Return the periodic directions of each frame, [n_frames, 3]; those of its cell where not given."""
    if pbc is None:
        return np.linalg.norm(cells, axis=2) > 0
    given, shape = np.asarray(pbc, bool), (len(cells), 3)
    if given.ndim == 1 and len(given) == len(cells):
        given = given[:, None]
    if given.shape not in ((), (3,), (len(cells), 1), shape):
        what = f"'pbc' has shape {list(given.shape)} for {len(cells)} frames"
        raise UserError(what, where=where, accepted="one value, [3], [n_frames] or [n_frames, 3]")
    return np.broadcast_to(given, shape)


def _name(arrays: Mapping[str, Any], names: tuple[str, ...], where: str) -> str:
    found = next((name for name in names if name in arrays), None)
    if found is None:
        listed = ", ".join(sorted(arrays)) or "nothing"
        raise UserError(
            f"has none of {', '.join(names)} (it has {listed})", where=where, accepted="one of them"
        )
    return found


def _numbers(species: Any, where: str) -> Any:
    """Return atomic numbers of numbers or symbols."""
    if np.issubdtype(species.dtype, np.integer):
        return species.astype(np.int64)
    from ase.data import atomic_numbers

    symbols = np.char.decode(species.astype("S")) if species.dtype.kind in "SO" else species
    try:
        flat = [atomic_numbers.get(str(symbol), None) if str(symbol) else 0 for symbol in symbols.ravel()]
        return np.array(flat, np.int64).reshape(symbols.shape)
    except TypeError:
        unknown = next(str(symbol) for symbol in symbols.ravel() if str(symbol) not in atomic_numbers)
        raise UserError(
            f"'{unknown}' is no element", where=where, accepted="symbols or atomic numbers"
        ) from None
