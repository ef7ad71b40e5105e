"""Frames of extended XYZ and of ASE databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.training.sources.raw import RawFrame

if TYPE_CHECKING:
    from ase import Atoms


def read_extxyz(path: Path, elements: tuple[str, ...]) -> Iterator[RawFrame]:
    """Read extended XYZ; values are those of the comment line and the columns.

    Raises
    ------
    UserError
        A frame that is cut short, or has fewer atoms than its first line says.
    """
    from ase.io import iread

    count = 0
    try:
        for atoms in iread(path, index=":", format="extxyz"):
            count += 1
            yield _frame(atoms, dict(atoms.info), f"frame {count}")
    except (ValueError, OSError, KeyError, IndexError) as error:
        what = f"cannot be read: {(str(error).splitlines() or ['cut short'])[0]}"
        accepted = "as many lines of atoms as the frame's first line says"
        raise UserError(what, where=f"{path}, frame {count + 1}", accepted=accepted) from error


def read_database(path: Path, elements: tuple[str, ...]) -> Iterator[RawFrame]:
    """Read an ASE database; values are results, key-value pairs and data of each row."""
    from ase.db import connect

    for row in connect(path).select():
        values = {**row.key_value_pairs, **row.data}
        yield _frame(row.toatoms(), values, f"row {row.id}")


def _frame(atoms: "Atoms", values: dict[str, Any], origin: str) -> RawFrame:
    columns = {name: array for name, array in atoms.arrays.items() if name not in ("numbers", "positions")}
    # ASE moves energy, forces and stress of a file into a calculator
    results = dict(atoms.calc.results) if atoms.calc is not None else {}
    found = {**results, **columns, **values}
    for name, value in found.items():
        if np.shape(value) == (6,):
            found[name] = _from_voigt(np.asarray(value, float))
    return RawFrame(
        atoms.numbers.astype(np.int64),
        atoms.positions,
        atoms.cell.array,
        np.array(atoms.pbc, bool),
        found,
        origin,
        str(values.get("group", "")),
    )


def _from_voigt(six: np.ndarray) -> np.ndarray:
    """Return the matrix of ASE's order xx, yy, zz, yz, xz, xy."""
    xx, yy, zz, yz, xz, xy = six
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
