"""The pair correction as a torch module on a pair list."""

import torch
from torch import Tensor, nn

from votca_mlp.potentials.correction import PairCorrection


class TorchPairCorrection(nn.Module):
    """Same coefficients, same result as :class:`PairCorrection`, to rounding."""

    coefficients: Tensor
    first: Tensor
    inverse_step: Tensor
    cutoffs: Tensor
    offset: Tensor
    last: Tensor
    pair_index: Tensor

    def __init__(self, correction: PairCorrection, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.cutoff = correction.cutoff
        for name, array in correction.stacked()._asdict().items():
            tensor = torch.from_numpy(array)
            self.register_buffer(name, tensor.to(dtype) if tensor.is_floating_point() else tensor)

    def pair_energies(self, numbers_i: Tensor, numbers_j: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
        """Return u(r) in eV and du/dr in eV/Angstrom, shapes [n_pairs]; r in Angstrom."""
        size = self.pair_index.shape[0]
        known = (numbers_i < size) & (numbers_j < size)
        kind = self.pair_index[numbers_i.clamp(max=size - 1), numbers_j.clamp(max=size - 1)] * known
        first, inverse_step = self.first[kind], self.inverse_step[kind]
        scaled = ((r - first) * inverse_step).clamp(min=0.0)
        # a nan becomes a number below 0; it stays in t
        interval = torch.minimum(scaled.floor().long(), self.last[kind]).clamp(min=0)
        t = (scaled - interval) / inverse_step
        c3, c2, c1, c0 = self.coefficients[self.offset[kind] + interval].unbind(1)
        within = r < self.cutoffs[kind]
        energy = (((c3 * t + c2) * t + c1) * t + c0) * within
        slope = ((3.0 * c3 * t + 2.0 * c2) * t + c1) * (within & (r > first))
        return energy, slope

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return atomic energies in eV, shape [n_atoms], from a full pair list.

        numbers [n_atoms]; first, second [n_pairs]; vectors [n_pairs, 3] in Angstrom. Half of each ordered
        pair's energy goes to its first atom.
        """
        distances = torch.linalg.vector_norm(vectors, dim=1)
        energy, _ = self.pair_energies(numbers[first], numbers[second], distances)
        atomic = torch.zeros(len(numbers), dtype=energy.dtype, device=energy.device)
        return atomic.index_add(0, first, 0.5 * energy)
