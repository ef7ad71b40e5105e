"""An ANI committee as a module that TorchScript can hold, from a pair list to the total energy.

The torch code of the environments compiles as it is; only the stacked networks are arranged anew.
"""

from typing import Any

import torch
from torch import Tensor, nn


class Dense(nn.Module):
    """One layer of all members: weight [members, out, in], bias [members, 1, out]."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.register_buffer("weight", weight.detach().clone())
        self.register_buffer("bias", bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Return [members, n, out], through CELU unless ``alpha`` is 0."""
        x = torch.baddbmm(self.bias, x, self.weight.transpose(1, 2))
        return torch.celu(x, self.alpha) if self.alpha > 0.0 else x


class ScriptedAni(nn.Module):
    """An ANI committee's mean energy.

    Parameters
    ----------
    model
        An ``AniModel``.
    dtype
        Precision of environments and networks.
    alpha, unit
        Of CELU; eV of the networks' unit of energy.
    """

    species_of: Tensor
    self_energies: Tensor

    def __init__(self, model: Any, dtype: torch.dtype, alpha: float, unit: float) -> None:
        super().__init__()
        self.environment, self.dtype, self.cutoff = model.environment, dtype, float(model.cutoff)
        self.members, self.unit = int(model.n_members), unit
        networks = []
        for kind in range(len(model.numbers)):
            *hidden, last = model.parameters_of(kind)
            layers = [Dense(w, b, alpha) for w, b in hidden] + [Dense(last[0], last[1], 0.0)]
            networks.append(nn.Sequential(*layers))
        self.networks = nn.ModuleList(networks)
        self.register_buffer("species_of", model.species_of.clone())
        self.register_buffer("self_energies", torch.tensor(model._self_energies, dtype=torch.float64))

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return the energy in eV, a scalar."""
        near = (torch.linalg.vector_norm(vectors, dim=1) < self.cutoff).nonzero().squeeze(1)
        species = self.species_of[numbers]
        inputs = self.environment(species, first[near], second[near], vectors[near].to(self.dtype))
        energy = self.self_energies[species].sum()
        for kind, network in enumerate(self.networks):
            mine = inputs[(species == kind).nonzero().squeeze(1)]
            outputs = network(mine.unsqueeze(0).expand(self.members, -1, -1))
            energy = energy + outputs.double().sum() * (self.unit / self.members)
        return energy
