"""Labelled configurations as padded arrays in one npz file."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.files import atomic_write


@dataclass(frozen=True)
class Dataset:
    """Frames with energies and forces, padded with atomic number 0 to the largest frame.

    Attributes
    ----------
    numbers
        Shape [n_frames, n_max].
    positions, forces
        Angstrom, eV/Angstrom, shape [n_frames, n_max, 3].
    cells
        Angstrom, shape [n_frames, 3, 3].
    energies
        eV, shape [n_frames].
    kinds
        Kind of each frame, shape [n_frames].
    runs
        Number of the trajectory that each frame comes from, shape [n_frames].
    """

    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    cells: NDArray[np.float64]
    energies: NDArray[np.float64]
    forces: NDArray[np.float64]
    kinds: NDArray[np.str_]
    runs: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.energies)

    @property
    def atom_counts(self) -> NDArray[np.int64]:
        """Atoms of each frame, shape [n_frames]."""
        return np.asarray((self.numbers > 0).sum(1))

    def atoms(self, frame: int) -> Atoms:
        """Return one frame without its padding."""
        n = self.atom_counts[frame]
        return Atoms(self.numbers[frame, :n], self.positions[frame, :n], cell=self.cells[frame], pbc=True)

    def take(self, frames: NDArray[np.int64]) -> "Dataset":
        """Return the chosen frames."""
        return Dataset(*(getattr(self, name)[frames] for name in self.__dataclass_fields__))


def make_dataset(frames: list[Atoms], kinds: list[str], runs: list[int], evaluator: Evaluator) -> Dataset:
    """Label frames with an evaluator's energy and forces."""
    n_max = max((len(atoms) for atoms in frames), default=0)
    count = len(frames)
    numbers = np.zeros((count, n_max), np.int64)
    positions, forces = np.zeros((2, count, n_max, 3))
    cells, energies = np.zeros((count, 3, 3)), np.zeros(count)
    for k, atoms in enumerate(frames):
        n = len(atoms)
        evaluation = evaluator.evaluate(atoms)
        numbers[k, :n], positions[k, :n], cells[k] = atoms.numbers, atoms.positions, atoms.cell.array
        energies[k], forces[k, :n] = evaluation.energy, evaluation.forces
    return Dataset(numbers, positions, cells, energies, forces, np.array(kinds, np.str_), np.array(runs, int))


def concatenate(parts: Sequence[Dataset]) -> Dataset:
    """Return all frames of several datasets in their order."""
    n_max = max(part.numbers.shape[1] for part in parts)
    columns = []
    for name in Dataset.__dataclass_fields__:
        arrays = [getattr(part, name) for part in parts]
        if name in ("numbers", "positions", "forces"):
            arrays = [
                np.pad(array, [(0, 0), (0, n_max - array.shape[1]), *[(0, 0)] * (array.ndim - 2)])
                for array in arrays
            ]
        columns.append(np.concatenate(arrays))
    return Dataset(*columns)


def save_dataset(path: str | Path, dataset: Dataset) -> None:
    """Write a dataset as npz."""
    with atomic_write(path, "wb") as file:
        np.savez_compressed(file, **{name: getattr(dataset, name) for name in dataset.__dataclass_fields__})


def load_dataset(path: str | Path) -> Dataset:
    """Read a dataset.

    Raises
    ------
    UserError
        Missing or damaged file.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            return Dataset(*(data[name] for name in Dataset.__dataclass_fields__))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"cannot read the dataset: {error}", where=path, accepted="a file of save_dataset"
        ) from None
