"""A model's pair list in the CPU's memory, its vectors, and the way back from their gradient."""

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.neighbours.verlet_lists import VerletFullList

Array = NDArray[np.float64]
Closest = tuple[int, int, float] | None
"""Two atoms and their distance, Angstrom."""


class HostPairs:
    """Pairs in the CPU's memory, by compiled loops.

    The model sees the atoms in the order of the list, which is their order in space.

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
        # not above: numba is loaded by what computes
        from votca_mlp.kernels.chunks import chunks_for, use_threads
        from votca_mlp.neighbours import pair_kernels
        from votca_mlp.neighbours.ghost_atoms import fill_coordinates

        use_threads(chunks_for(len(numbers)))
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
            self._coordinates = np.empty((3, len(rows.source)))
        fill_coordinates(positions, cell, rows.source, rows.images, self._coordinates)
        row, pair, squared = pair_kernels.pair_vectors(
            self._coordinates, rows.centres, self._starts, self._near, self.vectors.numpy()
        )
        if pair < 0:
            return None
        return int(self.order[row]), int(rows.source[self._near[pair]]), float(np.sqrt(squared))

    def sums(self, gradient: torch.Tensor) -> tuple[Array, Array]:
        """Return forces [n_atoms, 3] and virial [3, 3] of d(energy)/d(vectors), eV and Angstrom."""
        from votca_mlp.kernels.chunks import chunks_for
        from votca_mlp.neighbours.pair_kernels import pair_sums

        rows, chunks = self.list.rows, chunks_for(len(self.numbers))
        forces, virial = pair_sums(
            self._coordinates, rows.source, rows.centres, self._starts, self._near, gradient.numpy(), chunks
        )
        return forces, virial
