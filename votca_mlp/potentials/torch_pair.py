"""The pair correction as a torch module on a pair list."""

import torch
from torch import Tensor, nn

from votca_mlp.potentials.correction import PairCorrection


class TorchPairCorrection(nn.Module):
    """Same coefficients, same result as :class:`PairCorrection`, to rounding.

    All pair tables are stacked into one coefficient array, so one gather serves every species pair. Pairs
    without a table read a row of zeros.
    """

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
        # table 0 is the missing one: cutoff 0 masks it
        rows, first, step, cutoffs, offset = [torch.zeros(1, 4, dtype=dtype)], [0.0], [1.0], [0.0], [0]
        size = 1 + max((b for _, b in correction.pairs), default=0)
        pair_index = torch.zeros(size, size, dtype=torch.long)
        count = 1
        for number, ((a, b), spline) in enumerate(correction.pairs.items(), start=1):
            rows.append(torch.as_tensor(spline.coefficients).to(dtype))
            offset.append(count)
            count += len(spline.coefficients)
            first.append(spline.first)
            step.append(spline.step)
            cutoffs.append(spline.cutoff)
            pair_index[a, b] = pair_index[b, a] = number
        sizes = [len(part) for part in rows]
        self.register_buffer("coefficients", torch.cat(rows))
        self.register_buffer("first", torch.tensor(first, dtype=dtype))
        self.register_buffer("inverse_step", 1.0 / torch.tensor(step, dtype=dtype))
        self.register_buffer("cutoffs", torch.tensor(cutoffs, dtype=dtype))
        self.register_buffer("offset", torch.tensor(offset))
        self.register_buffer("last", torch.tensor(sizes) - 1)
        self.register_buffer("pair_index", pair_index)

    def pair_energies(self, numbers_i: Tensor, numbers_j: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
        """Return u(r) in eV and du/dr in eV/Angstrom, shapes [n_pairs]; r in Angstrom."""
        size = self.pair_index.shape[0]
        known = (numbers_i < size) & (numbers_j < size)
        kind = self.pair_index[numbers_i.clamp(max=size - 1), numbers_j.clamp(max=size - 1)] * known
        first, inverse_step = self.first[kind], self.inverse_step[kind]
        scaled = ((r - first) * inverse_step).clamp(min=0.0)
        interval = torch.minimum(scaled.floor().long(), self.last[kind])
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
        distances = vectors.norm(dim=1)
        energy, _ = self.pair_energies(numbers[first], numbers[second], distances)
        atomic = torch.zeros(len(numbers), dtype=energy.dtype, device=energy.device)
        return atomic.index_add(0, first, 0.5 * energy)
