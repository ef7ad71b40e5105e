"""Pair lists on a device, by torch: their vectors, the way back from a gradient, and when they run out."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.neighbours.host_pairs import Closest
from votca_mlp.neighbours.skin import stretch_of
from votca_mlp.neighbours.verlet_lists import VerletPairList

Array = NDArray[np.float64]


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

    def vectors(self, positions: Tensor, cell: Tensor) -> Tensor:
        """Return the pair vectors, [n_pairs, 3]; positions [n_atoms, 3] and cell [3, 3] on the device.

        All float64, Angstrom.
        """
        return positions[self.second] - positions[self.first] + self._shifts @ cell

    def sums(self, gradient: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return forces [n_atoms, 3] and virial [3, 3] of d(energy)/d(vectors), in its dtype."""
        forces = gradient.new_zeros(len(self.numbers), 3)
        forces.index_add_(0, self.first, gradient).index_add_(0, self.second, gradient, alpha=-1)
        return forces, gradient.T @ vectors


class DevicePairs:
    """A model's pairs on a device; parameters and attributes as of :class:`.HostPairs` less the order.

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
        """Bring pairs and vectors up to date and return the closest pair; see :class:`.HostPairs`."""
        rebuilt = self.list.update(positions, cell, pbc)
        if rebuilt or self._uploaded is None or numbers is not self._uploaded.host_numbers:
            self._uploaded = uploaded = Uploaded(self.list, numbers, self.device)
            self.numbers, self.first, self.second = uploaded.numbers, uploaded.first, uploaded.second
        x, box = (torch.from_numpy(each).to(self.device) for each in (positions, cell))
        vectors = self._uploaded.vectors(x, box)
        self.vectors = vectors.to(self.dtype)
        return self.list.closest(*closest_of(vectors).tolist())

    def sums(self, gradient: Tensor) -> tuple[Array, Array]:
        """Return forces [n_atoms, 3] and virial [3, 3] of d(energy)/d(vectors), eV and Angstrom."""
        assert self._uploaded is not None
        forces, virial = self._uploaded.sums(gradient, self.vectors)
        both = torch.cat([virial.view(9), forces.view(-1)]).double().cpu().numpy()
        return both[9:].reshape(-1, 3), both[:9].reshape(3, 3)


class DeviceList:
    """A neighbour list on a device, and whether it is complete.

    Parameters
    ----------
    listed
        The list on the host.
    device
        Where the pairs are needed.
    """

    def __init__(self, listed: VerletPairList, device: torch.device) -> None:
        self.listed, self.device = listed, device
        self.uploaded: Uploaded
        self._old: Tensor

    def build(
        self, positions: Array, cell: Array, pbc: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> None:
        """Build the list for this configuration (Angstrom) and upload it."""
        self.listed.forget()
        self.listed.update(positions, cell, pbc)
        self.uploaded = Uploaded(self.listed, numbers, self.device)
        self._old = torch.from_numpy(positions).to(self.device)

    def displacement(self, positions: Tensor, cell: Array) -> Tensor:
        """Return how far an atom has moved beyond the cell's stretch since the list was built."""
        moved = positions - self._old @ torch.from_numpy(self.listed.inverse @ cell).to(self.device)
        return moved.square().sum(1).max().sqrt()

    def complete(self, displacement: float, cell: Array) -> bool:
        """Whether no pair can be missing; see :class:`votca_mlp.neighbours.skin.VerletSkin`."""
        needed = self.listed.needed_after(displacement, stretch_of(self.listed.inverse @ cell))
        return needed < self.listed.cutoff + self.listed.skin


def closest_of(vectors: Tensor) -> Tensor:
    """Return the squared length of the shortest of vectors [n, 3] and its number; inf without any."""
    if not len(vectors):
        return vectors.new_tensor([torch.inf, 0.0])
    squared, pair = vectors.square().sum(1).min(0)
    return torch.stack([squared, pair.to(squared.dtype)])
