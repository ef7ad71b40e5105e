"""Frames as tensors on full pair lists, with everything in them that training does not change."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.trainer.targets import Targets, targets_of


@dataclass(frozen=True)
class PairBatch:
    """Several frames side by side; each atom has a row of neighbours, filled up to the longest row.

    Attributes
    ----------
    features
        One-hot species, shape [n_atoms, n_species].
    neighbours
        Atoms of the batch, shape [n_atoms, n_row]; where a row is filled up, the atom itself.
    vectors, directions
        x_neighbour - x_atom, Angstrom; the same over its length, [n_atoms, n_row, 3].
    inverse, cut, cut_slope
        1 over the distance, 1/Angstrom; HIP-NN's cutoff function and its derivative, [n_atoms, n_row, 1]. All
        are zero where a row is filled up.
    frame, counts
        Frame of each atom [n_atoms]; atoms of each frame [n_frames].
    volumes
        Angstrom^3, infinite where a frame is not periodic in three directions, [n_frames].
    targets
        By level.
    """

    features: Tensor
    neighbours: Tensor
    vectors: Tensor
    directions: Tensor
    inverse: Tensor
    cut: Tensor
    cut_slope: Tensor
    frame: Tensor
    counts: Tensor
    volumes: Tensor
    targets: dict[str, Targets]

    def __len__(self) -> int:
        return len(self.counts)


class PairRows:
    """All frames of a data set with their pairs, of which batches are gathered.

    Parameters
    ----------
    frames
        What is trained or validated on.
    species
        Atomic numbers in the order of the one-hot features.
    cutoff
        Angstrom.
    self_energies
        eV by level and atomic number; a level that is not in it is left out.
    dtype
        Of the batches.
    """

    def __init__(
        self,
        frames: LabelledFrames,
        species: Sequence[int],
        cutoff: float,
        self_energies: dict[str, dict[int, float]],
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.offsets, self.cutoff, self.dtype = frames.offsets, cutoff, dtype
        starts, others, vectors = _full_lists(frames, cutoff)
        self.starts, self.others = torch.from_numpy(starts), torch.from_numpy(others)
        # vector, direction, 1/r, cut, cut_slope; zeros in the end are what rows are filled up with
        self.geometry = torch.from_numpy(np.vstack([_geometry(vectors, cutoff), np.zeros((1, 9))])).to(dtype)
        kinds = np.searchsorted(np.array(sorted(species)), frames.numbers)
        place = np.argsort(np.array(species))
        self.features = torch.nn.functional.one_hot(torch.from_numpy(place[kinds]), len(species)).to(dtype)
        periodic = frames.pbc.all(1)
        volumes = np.where(periodic, np.abs(np.linalg.det(frames.cells)), np.inf)
        self.volumes = torch.from_numpy(volumes).to(dtype)
        self.labels = targets_of(frames, self_energies, dtype)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def batch(self, chosen: Sequence[int] | NDArray[np.int64]) -> PairBatch:
        """Return the chosen frames side by side, in their order."""
        chosen = np.asarray(chosen, np.int64)
        counts = np.diff(self.offsets)[chosen]
        edges = np.concatenate([[0], np.cumsum(counts)])
        shifts = np.repeat(self.offsets[chosen] - edges[:-1], counts)
        atoms = torch.from_numpy(np.arange(edges[-1]) + shifts)
        begins = self.starts[atoms]
        lengths = self.starts[atoms + 1] - begins
        row = torch.arange(max(1, int(lengths.max()) if len(lengths) else 1))
        there = row < lengths[:, None]
        pairs = torch.where(there, begins[:, None] + row, len(self.others))
        here = torch.arange(len(atoms))[:, None]
        others = torch.cat([self.others, torch.zeros(1, dtype=torch.long)])[pairs]
        neighbours = torch.where(there, others - torch.from_numpy(shifts)[:, None], here)
        picked, geometry = torch.from_numpy(chosen), self.geometry[pairs]
        return PairBatch(
            self.features[atoms],
            neighbours,
            geometry[:, :, :3],
            *(geometry[:, :, 3:6].contiguous(), geometry[:, :, 6:7], geometry[:, :, 7:8], geometry[:, :, 8:]),
            torch.repeat_interleave(torch.arange(len(chosen)), torch.from_numpy(counts)),
            torch.from_numpy(counts).to(self.dtype),
            self.volumes[picked],
            {name: all_of.take(picked, atoms) for name, all_of in self.labels.items()},
        )


def _geometry(vectors: NDArray[np.float64], cutoff: float) -> NDArray[np.float64]:
    """Return what of the pairs no parameter changes, [n_pairs, 9]."""
    r = np.linalg.norm(vectors, axis=1, keepdims=True)
    angle = 0.5 * np.pi / cutoff
    return np.hstack(
        [vectors, vectors / r, 1.0 / r, np.cos(angle * r) ** 2, -angle * np.sin(2.0 * angle * r)]
    )


def _full_lists(
    frames: LabelledFrames, cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return starts of the atoms' rows [n_atoms + 1], second atoms and vectors [n_pairs, 3] of all frames."""
    from vesin import NeighborList

    finder = NeighborList(cutoff=cutoff, full_list=True)
    lengths = np.zeros(len(frames.numbers), np.int64)
    seconds, vectors = [np.zeros(0, np.int64)], [np.zeros((0, 3))]
    for k in range(len(frames)):
        begin, end = frames.offsets[k : k + 2]
        first, second, vector = finder.compute(
            points=frames.positions[begin:end], box=frames.cells[k], periodic=frames.pbc[k], quantities="ijD"
        )
        order = np.argsort(first, kind="stable")
        lengths[begin:end] = np.bincount(first.astype(np.int64), minlength=end - begin)
        seconds.append(second[order].astype(np.int64) + begin)
        vectors.append(vector[order])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return starts, np.concatenate(seconds), np.concatenate(vectors)
