"""The model's pair list, its vectors and the way back from their gradient: on the host, or on a device."""

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.neighbours.verlet_lists import VerletFullList, VerletPairList

Array = NDArray[np.float64]
Closest = tuple[int, int, float] | None
"""Two atoms and their distance, Angstrom."""


class HostPairs:
    """Pairs in the CPU's memory, by compiled loops.

    The model sees the atoms in the order of the rows, which is their order in space.

    Parameters
    ----------
    cutoff, skin
        Angstrom.
    dtype
        Of the vectors; they are formed in float64.

    Attributes
    ----------
    list
        With a skin.
    numbers, first, second
        What :meth:`votca_mlp.models.contract.PairModel.forward` gets.
    vectors
        Likewise, of the last configuration.
    order
        Number of each of the model's atoms in the configuration.
    """

    order: NDArray[np.int64]

    def __init__(self, cutoff: float, skin: float, dtype: torch.dtype) -> None:
        self.list = VerletFullList(cutoff, skin)
        self.dtype = dtype
        self.numbers = self.first = self.second = torch.empty(0, dtype=torch.int64)
        self.vectors = torch.empty(0, 3, dtype=dtype)
        self._numbers, self._room = np.empty(0, np.int64), np.empty((3, 0), np.int64)

    def update(
        self, positions: Array, cell: Array, pbc: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> Closest:
        """Bring pairs and vectors up to date and return the closest pair.

        positions [n_atoms, 3] and cell [3, 3] in Angstrom; numbers [n_atoms], not to be changed, and the same
        array as long as they are the same.
        """
        from votca_mlp.kernels import pairs as pair_kernels

        pair_kernels.use_threads(pair_kernels.chunks_for(len(numbers)))
        rebuilt = self.list.update(positions, cell, pbc)
        rows = self.list.rows
        if rebuilt or numbers is not self._numbers:
            pairs = int(rows.counts.sum())
            if pairs > self._room.shape[1]:
                self._room = np.empty((3, pairs + pairs // 8), np.int64)
            self._starts, self._near, first, second = pair_kernels.compact(
                rows.source, rows.centres, rows.begins, rows.counts, rows.neighbours, self._room
            )
            self.order = rows.source[rows.centres]
            self._numbers = numbers
            self.numbers = torch.from_numpy(numbers[self.order])
            self.first, self.second = torch.from_numpy(first), torch.from_numpy(second)
            self.vectors = torch.empty(len(first), 3, dtype=self.dtype)
            self._where = np.empty((3, len(rows.source)))
        pair_kernels.place(positions, cell, rows.source, rows.images, self._where)
        row, pair, squared = pair_kernels.pair_vectors(
            self._where, rows.centres, self._starts, self._near, self.vectors.numpy()
        )
        if pair < 0:
            return None
        return int(self.order[row]), int(rows.source[self._near[pair]]), float(np.sqrt(squared))

    def sums(self, gradient: torch.Tensor) -> tuple[Array, Array]:
        """Return forces [n_atoms, 3] and virial [3, 3] of d(energy)/d(vectors), eV and Angstrom."""
        from votca_mlp.kernels.pairs import chunks_for, pair_sums

        rows, chunks = self.list.rows, chunks_for(len(self.numbers))
        forces, virial = pair_sums(
            self._where, rows.source, rows.centres, self._starts, self._near, gradient.numpy(), chunks
        )
        return forces, virial


class DevicePairs:
    """Pairs on a device, by torch; parameters and attributes as of :class:`HostPairs` less the order.

    A step copies the positions there and forces, virial and the closest pair back; the list only when it is
    new.
    """

    def __init__(self, cutoff: float, skin: float, dtype: torch.dtype, device: torch.device) -> None:
        self.list = VerletPairList(cutoff, skin)
        self.dtype, self.device = dtype, device
        self._uploaded: Uploaded | None = None

    def update(
        self, positions: Array, cell: Array, pbc: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> Closest:
        """Bring pairs and vectors up to date and return the closest pair; see :class:`HostPairs`."""
        rebuilt = self.list.update(positions, cell, pbc)
        if rebuilt or self._uploaded is None or numbers is not self._uploaded.host_numbers:
            self._uploaded = uploaded = Uploaded(self.list, numbers, self.device)
            self.numbers, self.first, self.second = uploaded.numbers, uploaded.first, uploaded.second
        x, box = (torch.from_numpy(each).to(self.device) for each in (positions, cell))
        vectors = self._uploaded.vectors(x, box)
        self.vectors = vectors.to(self.dtype)
        return self.list.closest(*closest_of(vectors).tolist())

    def sums(self, gradient: torch.Tensor) -> tuple[Array, Array]:
        """Return forces [n_atoms, 3] and virial [3, 3] of d(energy)/d(vectors), eV and Angstrom."""
        assert self._uploaded is not None
        forces, virial = self._uploaded.sums(gradient, self.vectors)
        both = torch.cat([virial.view(9), forces.view(-1)]).double().cpu().numpy()
        return both[9:].reshape(-1, 3), both[:9].reshape(3, 3)


class Uploaded:
    """A pair list on a device.

    Attributes
    ----------
    host_numbers
        Atomic numbers, on the host.
    numbers, first, second
        Atomic numbers of the atoms, atoms of the pairs; on the device.
    """

    def __init__(self, listed: VerletPairList, numbers: NDArray[np.int64], device: torch.device) -> None:
        self.host_numbers = numbers
        self.numbers = torch.from_numpy(self.host_numbers).to(device)
        self.first = torch.from_numpy(listed.first).to(device)
        self.second = torch.from_numpy(listed.second).to(device)
        self._shifts = torch.from_numpy(listed.shifts).to(device, torch.float64)

    def vectors(self, positions: torch.Tensor, cell: torch.Tensor) -> torch.Tensor:
        """Return the pair vectors, [n_pairs, 3]; positions [n_atoms, 3] and cell [3, 3] on the device.

        All float64, Angstrom.
        """
        return positions[self.second] - positions[self.first] + self._shifts @ cell

    def sums(self, gradient: torch.Tensor, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return forces [n_atoms, 3] and virial [3, 3] of d(energy)/d(vectors), in its dtype."""
        forces = gradient.new_zeros(len(self.numbers), 3)
        forces.index_add_(0, self.first, gradient).index_add_(0, self.second, gradient, alpha=-1)
        return forces, gradient.T @ vectors


def closest_of(vectors: torch.Tensor) -> torch.Tensor:
    """Return the squared length of the shortest of vectors [n, 3] and its number; inf without any."""
    if not len(vectors):
        return vectors.new_tensor([torch.inf, 0.0])
    squared, pair = vectors.square().sum(1).min(0)
    return torch.stack([squared, pair.to(squared.dtype)])
