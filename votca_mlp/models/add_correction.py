"""The pair correction's energy, forces and virial on its own half list."""

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.models.neighbours import SkinList
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.torch_pair import TorchPairCorrection

Array = NDArray[np.float64]


class CorrectionAdder:
    """The pair correction of a moving configuration.

    Parameters
    ----------
    correction
        At least one table.
    skin
        Angstrom.
    device
        CPU: compiled loops; others: torch, in float64.
    """

    def __init__(self, correction: PairCorrection, skin: float, device: torch.device | None = None) -> None:
        self.list = SkinList(correction.cutoff, skin, full=False)
        self.device = device or torch.device("cpu")
        self.tables = correction.stacked()
        self._module = TorchPairCorrection(correction).to(self.device)
        self._indices: tuple[torch.Tensor, ...] = ()

    def add(
        self, positions: Array, cell: Array, pbc: NDArray[np.bool_], numbers: NDArray[np.int64]
    ) -> tuple[float, Array, Array]:
        """Return energy (eV), forces (eV/Angstrom, [n_atoms, 3]) and virial sum d x dE/dd (eV, [3, 3])."""
        rebuilt = self.list.update(positions, cell, pbc)
        if self.device.type == "cpu":
            from votca_mlp.models.pair_kernels import correction_forces

            return correction_forces(positions, cell, numbers, self.list, self.tables)
        if rebuilt or not self._indices:
            arrays = (self.list.first, self.list.second)
            self._indices = tuple(torch.from_numpy(array).to(self.device) for array in arrays)
        return self._on_device(positions, cell, numbers)

    def _on_device(
        self, positions: Array, cell: Array, numbers: NDArray[np.int64]
    ) -> tuple[float, Array, Array]:
        first, second = self._indices
        vectors = device_vectors(self.list, positions, cell, self._indices, self.device)
        kinds = torch.from_numpy(numbers).to(self.device)
        distances = vectors.norm(dim=1)
        energy, slope = self._module.pair_energies(kinds[first], kinds[second], distances)
        gradient = (slope / distances).unsqueeze(1) * vectors
        forces = torch.zeros(len(numbers), 3, dtype=vectors.dtype, device=self.device)
        forces.index_add_(0, first, gradient).index_add_(0, second, gradient, alpha=-1)
        return float(energy.sum()), forces.cpu().numpy(), (gradient.T @ vectors).cpu().numpy()


def device_vectors(
    listed: SkinList, positions: Array, cell: Array, indices: tuple[torch.Tensor, ...], device: torch.device
) -> torch.Tensor:
    """Return the list's pair vectors in float64 on ``device``, shape [n_pairs, 3], Angstrom."""
    first, second = indices
    x = torch.from_numpy(positions).to(device)
    shifts = torch.from_numpy(listed.shifts).to(device, torch.float64) @ torch.from_numpy(cell).to(device)
    return x[second] - x[first] + shifts
