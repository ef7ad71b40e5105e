"""Frames as tensors on half pair lists, with everything in them that training does not change."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from votca_mlp.training.labelled import LabelledFrames


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
    """

    first: Tensor
    second: Tensor
    inverse: Tensor
    cut: Tensor
    cut_slope: Tensor
    directions: Tensor
    frame: Tensor
    counts: Tensor


def one_frame(frames: LabelledFrames, k: int, cutoff: float) -> Batch:
    """Return the pairs of one frame within a cutoff in Angstrom."""
    from vesin import NeighborList

    begin, end = frames.offsets[k : k + 2]
    first, second, vectors = NeighborList(cutoff=cutoff, full_list=False).compute(
        points=frames.positions[begin:end], box=frames.cells[k], periodic=frames.pbc[k], quantities="ijD"
    )
    r = np.linalg.norm(vectors, axis=1)
    angle = 0.5 * math.pi / cutoff
    count = int(end - begin)
    return Batch(
        torch.from_numpy(first.astype(np.int64)),
        torch.from_numpy(second.astype(np.int64)),
        torch.from_numpy(1.0 / r).float(),
        torch.from_numpy(np.cos(angle * r) ** 2).float(),
        torch.from_numpy(-angle * np.sin(2 * angle * r)).float(),
        torch.from_numpy(vectors / r[:, None]).float(),
        torch.zeros(count, dtype=torch.long),
        torch.tensor([float(count)]),
    )


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
