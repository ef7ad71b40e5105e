"""Frames as tensors on half pair lists, with everything in them that training does not change."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from votca_mlp.training.dataset import Dataset


@dataclass(frozen=True)
class Batch:
    """Several frames side by side.

    Attributes
    ----------
    first, second
        Atoms of the pairs, every pair once, shape [n_pairs].
    inverse
        1/r, 1/Angstrom, shape [n_pairs].
    cut, cut_slope
        HIP-NN's cutoff function and its derivative by r, shape [n_pairs].
    directions
        (x_second - x_first) / r, shape [n_pairs, 3].
    frame, counts
        Frame of each atom [n_atoms]; atoms of each frame [n_frames].
    energies, forces
        Labels: eV without self energies [n_frames]; eV/Angstrom [n_atoms, 3].
    """

    first: Tensor
    second: Tensor
    inverse: Tensor
    cut: Tensor
    cut_slope: Tensor
    directions: Tensor
    frame: Tensor
    counts: Tensor
    energies: Tensor
    forces: Tensor


def make_frames(dataset: Dataset, cutoff: float, self_energy: float) -> list[Batch]:
    """Return one batch for each frame; cutoff in Angstrom, self energy in eV/atom."""
    from vesin import NeighborList

    frames = []
    for k in range(len(dataset)):
        atoms = dataset.atoms(k)
        first, second, vectors = NeighborList(cutoff=cutoff, full_list=False).compute(
            points=atoms.positions, box=atoms.cell.array, periodic=True, quantities="ijD"
        )
        r = np.linalg.norm(vectors, axis=1)
        angle = 0.5 * math.pi / cutoff
        count = len(atoms)
        frames.append(
            Batch(
                torch.from_numpy(first.astype(np.int64)),
                torch.from_numpy(second.astype(np.int64)),
                torch.from_numpy(1.0 / r).float(),
                torch.from_numpy(np.cos(angle * r) ** 2).float(),
                torch.from_numpy(-angle * np.sin(2 * angle * r)).float(),
                torch.from_numpy(vectors / r[:, None]).float(),
                torch.zeros(count, dtype=torch.long),
                torch.tensor([float(count)]),
                torch.tensor([dataset.energies[k] - count * self_energy], dtype=torch.float32),
                torch.from_numpy(dataset.forces[k, :count]).float(),
            )
        )
    return frames


def join(frames: Sequence[Batch]) -> Batch:
    """Return the frames side by side in one batch."""
    sizes = [len(frame.frame) for frame in frames]
    offsets = np.cumsum([0, *sizes[:-1]])
    columns = {
        name: torch.cat([getattr(frame, name) for frame in frames]) for name in Batch.__dataclass_fields__
    }
    for name in ("first", "second"):
        columns[name] = torch.cat(
            [getattr(frame, name) + int(o) for frame, o in zip(frames, offsets, strict=True)]
        )
    columns["frame"] = torch.repeat_interleave(torch.arange(len(frames)), torch.tensor(sizes))
    return Batch(**columns)
