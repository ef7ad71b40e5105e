"""ANI potentials: a committee of networks on atomic environment vectors."""

import logging
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from votca_mlp.models.ani.aev import AtomicEnvironment
from votca_mlp.models.ani.neurochem import NeuroChemModel
from votca_mlp.models.contract import PairModel, state_of

if TYPE_CHECKING:
    from votca_mlp.models.ani.fast import FastAni
    from votca_mlp.models.ani.several import SeveralAni

_log = logging.getLogger(__name__)

EV_PER_HARTREE = 27.211386024367243
"""1 Hartree in eV as ASE (CODATA 2014) and torchani have it; the one place where it enters."""

CELU_ALPHA = 0.1


class AniModel(PairModel):
    """The networks of a :class:`NeuroChemModel`, self energies included.

    The members' parameters are stacked, so that the committee is one batched product a layer. They are torch
    parameters and the model is differentiable in them as in the pair vectors.

    Parameters
    ----------
    source
        What :func:`votca_mlp.models.ani.neurochem.read_neurochem` returned.
    """

    species_of: Tensor

    def __init__(self, source: NeuroChemModel) -> None:
        from ase.data import atomic_numbers

        super().__init__()
        constants = source.constants
        self.cutoff = constants.radial_cutoff
        self.numbers = tuple(atomic_numbers[symbol] for symbol in constants.symbols)
        self.n_members = len(source.members)
        self.environment = AtomicEnvironment(constants)
        self.layers: list[int] = []
        for symbol in constants.symbols:
            networks = [member[symbol] for member in source.members]
            layers = range(len(networks[0].weights))
            weights = [np.stack([network.weights[k] for network in networks]) for k in layers]
            biases = [np.stack([network.biases[k] for network in networks]) for k in layers]
            self.layers.append(len(weights))
            for k in layers:
                # [members, out, in] and [members, 1, out]
                weight, bias = torch.from_numpy(weights[k]), torch.from_numpy(biases[k]).unsqueeze(1)
                self.register_parameter(f"weight_{symbol}_{k}", nn.Parameter(weight.double()))
                self.register_parameter(f"bias_{symbol}_{k}", nn.Parameter(bias.double()))
        lookup = torch.full((max(self.numbers) + 1,), -1, dtype=torch.long)
        lookup[list(self.numbers)] = torch.arange(len(self.numbers))
        self.register_buffer("species_of", lookup, persistent=False)
        self.compiled = True
        self._fast: FastAni | SeveralAni | None = None
        self._fast_key: tuple[object, ...] = ()
        self._self_energies = tuple(source.self_energies[s] * EV_PER_HARTREE for s in constants.symbols)

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return atomic energies in eV, float64, shape [n_members, n_atoms].

        float64 also for a float32 model: a self energy of thousands of eV would round away the rest.
        """
        species = self.species_of[numbers]
        return self.energies(species, self.environment(species, first, second, vectors))

    def energies_and_gradient(
        self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return atomic energies [n_members, n_atoms] and d(mean total energy)/d(vectors) [n_pairs, 3].

        float32 on the CPU runs compiled code (numba); everything else, and everything when ``compiled`` is
        False or numba is missing, one backward pass through :meth:`forward`.
        """
        fast = self._fast_path(vectors)
        if fast is None:
            return super().energies_and_gradient(numbers, first, second, vectors)
        kinds = self.species_of[numbers]
        outputs, gradient = fast(kinds.numpy(), first, second, vectors)
        own = torch.tensor(self._self_energies, dtype=torch.float64)[kinds]
        return outputs.double() * EV_PER_HARTREE + own, gradient.mul_(EV_PER_HARTREE)

    def _fast_path(self, vectors: Tensor) -> "FastAni | SeveralAni | None":
        if not self.compiled or vectors.device.type != "cpu" or vectors.dtype != torch.float32:
            return None
        networks = [self.parameters_of(kind) for kind in range(len(self.numbers))]
        if networks[0][0][0].dtype != torch.float32:
            return None
        # the compiled path has its own copy of the weights, which training would leave behind
        key = state_of(tuple(p for layers in networks for layer in layers for p in layer))
        if self._fast is None or key != self._fast_key:
            try:
                from votca_mlp.models.ani.fast import FastAni
                from votca_mlp.models.ani.several import SeveralAni
            except ImportError as error:
                _log.info("ANI runs in torch alone, some times slower: %s", error)
                self.compiled = False
                return None
            constants = self.environment.constants
            if len(networks) == 1:
                self._fast = FastAni(constants, networks[0], CELU_ALPHA)
            else:
                self._fast = SeveralAni(constants, networks, CELU_ALPHA)
            self._fast_key = key
        return self._fast

    def energies(self, species: Tensor, environment: Tensor) -> Tensor:
        """Return atomic energies in eV from AEVs [n_atoms, size]; shape [n_members, n_atoms], float64."""
        if len(self.numbers) == 1:
            return self._network(0, environment).double() * EV_PER_HARTREE + self._self_energies[0]
        total = torch.zeros(self.n_members, len(species), dtype=torch.float64, device=environment.device)
        for kind, self_energy in enumerate(self._self_energies):
            members = (species == kind).nonzero().squeeze(1)
            output = self._network(kind, environment[members]).double() * EV_PER_HARTREE + self_energy
            total = total.index_copy(1, members, output)
        return total

    def _network(self, kind: int, environment: Tensor) -> Tensor:
        """Return the networks' outputs in Hartree, shape [n_members, n_atoms], for atoms of one species."""
        x = environment.unsqueeze(0).expand(self.n_members, -1, -1)
        *hidden, (weight, bias) = self.parameters_of(kind)
        for hidden_weight, hidden_bias in hidden:
            x = nn.functional.celu(torch.baddbmm(hidden_bias, x, hidden_weight.transpose(1, 2)), CELU_ALPHA)
        return torch.baddbmm(bias, x, weight.transpose(1, 2)).squeeze(2)

    def scriptable(self, dtype: torch.dtype) -> nn.Module:
        """Return what TorchScript can hold."""
        from votca_mlp.models.ani.scripted import ScriptedAni

        return ScriptedAni(self.cpu().to(dtype), dtype, CELU_ALPHA, EV_PER_HARTREE)

    def parameters_of(self, kind: int) -> list[tuple[Tensor, Tensor]]:
        """Return weight [n_members, out, in] and bias [n_members, 1, out] of each layer of a species."""
        symbol = self.environment.constants.symbols[kind]
        return [
            (self.get_parameter(f"weight_{symbol}_{k}"), self.get_parameter(f"bias_{symbol}_{k}"))
            for k in range(self.layers[kind])
        ]
