"""XYZ whose comment is the energy and whose columns may have the gradient: symbol x y z [gx gy gz]."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.training.sources.raw import RawFrame


def read_energy_xyz(path: Path, elements: tuple[str, ...]) -> Iterator[RawFrame]:
    """Read frames; values are ``energy`` and ``gradient``.

    Raises
    ------
    UserError
        A line that is none of an XYZ file, with its number.
    """
    from ase.data import atomic_numbers

    lines = path.read_text().splitlines()
    at, count = 0, 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        begin = at
        try:
            size = int(lines[at])
            energy = float(lines[at + 1].split()[0])
            rows = [lines[at + 2 + k].split() for k in range(size)]
            numbers = [atomic_numbers[row[0].capitalize()] for row in rows]
            columns = np.array([[float(word) for word in row[1:]] for row in rows])
            if columns.shape[1] not in (3, 6):
                raise ValueError(f"{columns.shape[1]} columns")
        except (ValueError, IndexError, KeyError) as error:
            what = f"no frame of symbol x y z [gradient] with the energy above: {error}"
            accepted = "number of atoms, energy, then one line an atom"
            raise UserError(what, where=f"{path}:{begin + 1}", accepted=accepted) from error
        count += 1
        values: dict[str, object] = {"energy": energy}
        if columns.shape[1] == 6:
            values["gradient"] = columns[:, 3:]
        yield RawFrame(
            np.array(numbers), columns[:, :3], np.zeros((3, 3)), np.zeros(3, bool), values, f"frame {count}"
        )
        at += 2 + size
