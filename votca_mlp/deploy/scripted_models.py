"""Models as modules that TorchScript can hold; each gives the total energy of a pair list.

A trace of a whole model freezes the number of atoms, so of HIP-NN only the layers are traced and the code
around them is compiled. ANI's torch code compiles as it is; only its stacked networks are arranged anew.
"""

from typing import Any

import torch
from torch import Tensor, nn

from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel


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
        total: Any = sum(layer(level) for layer, level in zip(self.layers, levels, strict=True))
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
        return (atomic.squeeze(1).double() + self.self_energies[kinds]).sum()


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
    """An ANI ensemble's mean energy."""

    species_of: Tensor
    self_energies: Tensor

    def __init__(self, model: Any, dtype: torch.dtype) -> None:
        from votca_mlp.models.ani.model import CELU_ALPHA, EV_PER_HARTREE

        super().__init__()
        self.environment, self.dtype, self.cutoff = model.environment, dtype, float(model.cutoff)
        self.members, self.unit = int(model.n_members), EV_PER_HARTREE
        networks = []
        for kind in range(len(model.numbers)):
            *hidden, last = model.parameters_of(kind)
            layers = [Dense(w, b, CELU_ALPHA) for w, b in hidden] + [Dense(last[0], last[1], 0.0)]
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


def scriptable_model(model: PairModel, dtype: torch.dtype) -> nn.Module:
    """Return a module from (numbers, first, second, vectors) to the energy in eV.

    The model is converted in place: to the CPU, to ``dtype``, HIP-NN's parameters without gradients.

    Raises
    ------
    UserError
        A kind of model that cannot be turned into TorchScript.
    """
    from votca_mlp.models.ani.model import AniModel

    if isinstance(model, AniModel):
        return ScriptedAni(model.cpu().to(dtype), dtype)
    if hasattr(model, "network") and hasattr(model, "species_index"):
        return _traced_hipnn(model, dtype)
    raise UserError(
        f"no TorchScript for {type(model).__name__}",
        where="cg.inverse.mlp.kind",
        accepted="kind hippynn or ani; other calculators are Python code that TorchScript cannot hold",
    )


def _traced_hipnn(model: Any, dtype: torch.dtype) -> nn.Module:
    model = model.cpu().to(dtype)
    # an example with several neighbours and every species; only its layers are recorded, for any number
    atoms = 4
    first, second = torch.tensor(
        [(i, j) for i in range(atoms) for j in range(atoms) if i != j]
    ).T.contiguous()
    places = torch.tensor([[0.0, 0, 0], [2.5, 0, 0], [0.3, 2.6, 0], [0.1, 0.4, 2.7]], dtype=dtype)
    vectors = (places[second] - places[first]).requires_grad_(True)
    kinds = torch.arange(atoms) % len(model.numbers)
    features = nn.functional.one_hot(kinds, len(model.numbers)).to(dtype)
    distances = torch.linalg.vector_norm(vectors, dim=1)
    levels = HipnnLevels(model.network, model.energy, bool(model.needs_vectors)).eval().requires_grad_(False)
    example = (features, first, second, distances, vectors)
    trace = torch.jit.trace(levels, example, check_trace=False)
    return ScriptedHipnn(model, trace, dtype)
