"""Frames of a trajectory as tensors, and some of them as one configuration that a model takes at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.neighbours.verlet_lists import VerletPairList

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True)
class StoredFrames:
    """Configurations of the same atoms, periodic in all directions.

    Attributes
    ----------
    numbers
        Atomic numbers, int64, [n_atoms].
    positions
        Angstrom, float64, [n_frames, n_atoms, 3]; need not be wrapped.
    cells
        Rows are the cell vectors, Angstrom, float64, [n_frames, 3, 3].
    """

    numbers: Tensor
    positions: Tensor
    cells: Tensor

    def __post_init__(self) -> None:
        """Refuse shapes that do not belong together, and cells without a volume.

        Raises
        ------
        UserError
            Naming what is wrong.
        """
        frames, atoms = len(self.positions), len(self.numbers)
        if self.positions.shape != (frames, atoms, 3) or self.cells.shape != (frames, 3, 3) or not frames:
            raise UserError(
                f"positions {list(self.positions.shape)} and cells {list(self.cells.shape)} are no frames of "
                f"{atoms} atoms",
                accepted="positions [n_frames, n_atoms, 3] and cells [n_frames, 3, 3] of at least one frame",
            )
        if not bool((self.volumes > 0.0).all()):
            raise UserError("a frame's cell has no volume", accepted="three cell vectors, not in one plane")

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.positions)

    @property
    def n_atoms(self) -> int:
        """Number of atoms of each frame."""
        return len(self.numbers)

    @property
    def volumes(self) -> Tensor:
        """Angstrom^3, [n_frames]."""
        found: Tensor = torch.linalg.det(self.cells).abs()
        return found

    def take(self, indices: Any) -> "StoredFrames":
        """Return some frames, by a slice or a list of numbers."""
        return StoredFrames(self.numbers, self.positions[indices], self.cells[indices])


def stored_frames(atoms: Sequence["Atoms"]) -> StoredFrames:
    """Return configurations of ASE as stored frames: copies.

    Raises
    ------
    UserError
        None at all, other atoms in some of them, or a direction that is not periodic.
    """
    if not atoms:
        raise UserError("no frames", accepted="at least one configuration")
    for k, frame in enumerate(atoms, 1):
        if not np.array_equal(frame.numbers, atoms[0].numbers):
            raise UserError(f"frame {k} has other atoms than the first", accepted="one set of atoms")
        if not np.all(frame.pbc):
            raise UserError(f"frame {k} is not periodic in all directions", accepted="bulk configurations")
    return StoredFrames(
        torch.from_numpy(atoms[0].numbers.astype(np.int64)),
        torch.from_numpy(np.array([frame.positions for frame in atoms], float)),
        torch.from_numpy(np.array([frame.cell.array for frame in atoms], float)),
    )


def join_frames(parts: Sequence[StoredFrames]) -> StoredFrames:
    """Return the frames of several trajectories of the same atoms, one after the other.

    Raises
    ------
    UserError
        Other atoms in one of them.
    """
    if any(not torch.equal(part.numbers, parts[0].numbers) for part in parts):
        raise UserError("trajectories of different atoms cannot be joined", accepted="one set of atoms")
    return StoredFrames(
        parts[0].numbers,
        torch.cat([part.positions for part in parts]),
        torch.cat([part.cells for part in parts]),
    )


@dataclass(frozen=True)
class PairChunk:
    """Some frames side by side as one configuration whose atoms meet those of their own frame only.

    Attributes
    ----------
    numbers, first, second, vectors
        What :meth:`votca_mlp.models.contract.PairModel.forward` takes; vectors in float64.
    frame
        Frame of each atom, [n_frames * n_atoms].
    n_frames
        How many.
    """

    numbers: Tensor
    first: Tensor
    second: Tensor
    vectors: Tensor
    frame: Tensor
    n_frames: int


def pair_chunk(frames: StoredFrames, cutoff: float) -> PairChunk:
    """Return all of the frames on one full pair list; cutoff in Angstrom."""
    count, atoms = len(frames), frames.n_atoms
    periodic = np.ones(3, bool)
    listed = VerletPairList(cutoff, 0.0)
    first, second, vectors = [], [], []
    for k in range(count):
        positions, cell = frames.positions[k].numpy(), frames.cells[k].numpy()
        listed.forget()
        listed.update(positions, cell, periodic)
        first.append(listed.first + k * atoms)
        second.append(listed.second + k * atoms)
        vectors.append(listed.vectors(positions, cell))
    return PairChunk(
        frames.numbers.repeat(count),
        torch.from_numpy(np.concatenate(first)),
        torch.from_numpy(np.concatenate(second)),
        torch.from_numpy(np.concatenate(vectors)),
        torch.arange(count).repeat_interleave(atoms),
        count,
    )
