"""HIP-NN as a module that TorchScript can hold, from a pair list to the total energy.

A trace of the whole model would freeze the number of atoms, so only the layers are traced and the code around
them is compiled.
"""

from typing import Any

import torch
from torch import Tensor, nn


class HipnnLevels(nn.Module):
    """The part of a HIP-NN that is traced: from one-hot species and pairs to energies [n_atoms, 1]."""

    def __init__(self, network: nn.Module, energy: Any, needs_vectors: bool) -> None:
        super().__init__()
        self.network, self.layers = network, energy.layers
        self.skip = 1 if energy.first_is_interacting else 0
        self.needs_vectors = needs_vectors

    def forward(
        self, features: Tensor, first: Tensor, second: Tensor, distances: Tensor, vectors: Tensor
    ) -> Tensor:
        """Return atomic energies in eV without self energies."""
        extra = (vectors,) if self.needs_vectors else ()
        levels = self.network(features, first, second, distances, *extra)[self.skip :]
        total: Tensor = sum(layer(level) for layer, level in zip(self.layers, levels, strict=True))
        return total


class ScriptedHipnn(nn.Module):
    """HIP-NN around its traced layers."""

    species_index: Tensor
    self_energies: Tensor

    def __init__(self, model: Any, levels: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self.levels, self.dtype, self.cutoff = levels, dtype, float(model.cutoff)
        self.species = len(model.numbers)
        self.register_buffer("species_index", model.species_index.clone())
        self.register_buffer("self_energies", model.self_energies.double().clone())

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return the energy in eV, a scalar."""
        near = (torch.linalg.vector_norm(vectors, dim=1) < self.cutoff).nonzero().squeeze(1)
        kinds = self.species_index[numbers]
        features = torch.nn.functional.one_hot(kinds, self.species).to(self.dtype)
        short = vectors[near].to(self.dtype)
        distances = torch.linalg.vector_norm(short, dim=1)
        atomic = self.levels(features, first[near], second[near], distances, short)
        total: Tensor = (atomic.squeeze(1).double() + self.self_energies[kinds]).sum()
        return total


def scripted_hipnn(model: Any, dtype: torch.dtype) -> ScriptedHipnn:
    """Return a HIP-NN with its layers traced; the model is converted in place."""
    model = model.cpu().to(dtype)
    # an example with several neighbours and every species; only its layers are recorded, for any number
    atoms = 4
    first, second = torch.tensor(
        [(i, j) for i in range(atoms) for j in range(atoms) if i != j]
    ).T.contiguous()
    positions = torch.tensor([[0.0, 0, 0], [2.5, 0, 0], [0.3, 2.6, 0], [0.1, 0.4, 2.7]], dtype=dtype)
    vectors = (positions[second] - positions[first]).requires_grad_(True)
    kinds = torch.arange(atoms) % len(model.numbers)
    features = nn.functional.one_hot(kinds, len(model.numbers)).to(dtype)
    distances = torch.linalg.vector_norm(vectors, dim=1)
    levels = HipnnLevels(model.network, model.energy, bool(model.needs_vectors)).eval().requires_grad_(False)
    example = (features, first, second, distances, vectors)
    trace = torch.jit.trace(levels, example, check_trace=False)
    return ScriptedHipnn(model, trace, dtype)
