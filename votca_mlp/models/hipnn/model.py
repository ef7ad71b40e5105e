"""HIP-NN on the package's pair list, by hippynn's own layers or compiled loops."""

import logging
import os
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel, state_of

if TYPE_CHECKING:
    from votca_mlp.models.hipnn.fast import FastHipnn, HalfListEvaluation
    from votca_mlp.models.hipnn.several import SeveralHipnn

_log = logging.getLogger(__name__)

KINDS = ("Hipnn", "HipnnVec", "HipnnQuad")
DIRECTED = (*KINDS[1:], "HipHopNNModule")
"""Networks that also take the pair vectors; the last is hippynn's HIP-HOP-NN, which runs in torch alone."""


def import_hippynn() -> Any:
    """Import hippynn with its plain torch kernels and without its warnings, and return it.

    Its other kernels compile for 20 s at the first call (the one named "pytorch" too, through torch.compile,
    which needs a C++ compiler) and gain nothing for one configuration on a CPU.
    """
    os.environ.setdefault("HIPPYNN_USE_CUSTOM_KERNELS", "_pytorch_raw")
    os.environ.setdefault("HIPPYNN_WARN_LOW_DISTANCES", "False")
    os.environ.setdefault("HIPPYNN_PROGRESS", "none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import hippynn

    return hippynn


class HipnnModel(PairModel):
    """A HIP-NN energy model.

    Parameters
    ----------
    network
        ``hippynn.networks.hipnn.Hipnn`` or its vector and quadrupole versions.
    energy
        ``hippynn.layers.targets.HEnergy``, output in eV.
    species
        Atomic numbers in the order of the one-hot features.
    self_energies
        Energy of each species that is added to its atoms, eV, shape [n_species].

    Attributes
    ----------
    provenance
        Where the model comes from, as its file says.
    level
        Level of theory that it is trained to, None where its file names none.
    """

    species_index: Tensor
    self_energies: Tensor

    def __init__(
        self,
        network: torch.nn.Module,
        energy: torch.nn.Module,
        species: tuple[int, ...],
        self_energies: Tensor,
    ) -> None:
        super().__init__()
        self.network, self.energy = network, energy
        self.numbers = tuple(int(z) for z in species)
        self.cutoff = float(network.dist_hard_max)  # type: ignore[arg-type]
        self.provenance: dict[str, Any] = {}
        self.level: str | None = None
        self.needs_vectors = type(network).__name__ in DIRECTED
        index = torch.zeros(max(self.numbers) + 1, dtype=torch.long)
        index[list(self.numbers)] = torch.arange(len(self.numbers))
        self.register_buffer("species_index", index)
        self.register_buffer("self_energies", self_energies.detach().clone())
        self.compiled = True
        self._fast: FastHipnn | SeveralHipnn | None = None
        self._watched: tuple[Tensor, ...] = ()
        self._fast_key: tuple[object, ...] = ()

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return atomic energies in eV, shape [1, n_atoms]."""
        kinds = self.species_index[numbers]
        features = torch.nn.functional.one_hot(kinds, len(self.numbers)).to(vectors.dtype)
        distances = vectors.norm(dim=1)
        extra = (vectors,) if self.needs_vectors else ()
        levels = self.network(features, first, second, distances, *extra)
        if self.energy.first_is_interacting:
            levels = levels[1:]
        layers: Any = self.energy.layers
        atomic: Any = sum(layer(level) for layer, level in zip(layers, levels, strict=True))
        # float64 also for a float32 model: a large self energy would round away the rest
        total: Tensor = (atomic.squeeze(1).double() + self.self_energies.double()[kinds]).unsqueeze(0)
        return total

    def energies_and_gradient(
        self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return atomic energies [1, n_atoms] and d(total energy)/d(vectors) [n_pairs, 3].

        float32 on the CPU runs compiled code (numba); everything else, and everything when ``compiled`` is
        False or numba is missing, one backward pass through :meth:`forward`.
        """
        fast = self._fast_path(vectors.dtype) if vectors.device.type == "cpu" else None
        result = None
        if fast is not None:
            result = fast(self.species_index[numbers].numpy(), first, second, vectors)
        if result is None:
            return super().energies_and_gradient(numbers, first, second, vectors)
        energies, gradient = result
        return energies.unsqueeze(0), gradient

    def scriptable(self, dtype: torch.dtype) -> torch.nn.Module:
        """Return what TorchScript can hold."""
        from votca_mlp.models.hipnn.scripted import scripted_hipnn

        return scripted_hipnn(self, dtype)

    @property
    def interaction_layers(self) -> int:
        """Layers that hand features from atom to atom."""
        return len(self.network.interaction_layers)  # type: ignore[arg-type]

    def fast_evaluation(self, dtype: torch.dtype, skin: float) -> "HalfListEvaluation | None":
        """Return the compiled evaluation on a half list, for one species and layer; skin in Angstrom."""
        if self._one_layer(dtype) is None:
            return None
        from votca_mlp.models.hipnn.fast import HalfListEvaluation

        return HalfListEvaluation(lambda: self._one_layer(dtype), self.cutoff, skin)

    def _one_layer(self, dtype: torch.dtype) -> "FastHipnn | None":
        fast = self._fast_path(dtype)
        if fast is None:
            return None
        from votca_mlp.models.hipnn.fast import FastHipnn

        return fast if isinstance(fast, FastHipnn) else None

    def _fast_path(self, dtype: torch.dtype) -> "FastHipnn | SeveralHipnn | None":
        if not self.compiled or dtype != torch.float32:
            return None
        # the compiled path has its own copy of the weights, which training would leave behind
        if self._fast is None or state_of(self._watched) != self._fast_key:
            try:
                from votca_mlp.models.hipnn.fast import FastHipnn, is_simple
                from votca_mlp.models.hipnn.several import SeveralHipnn

                # going through the layers to find the parameters takes longer than looking at them
                self._watched = tuple(self.parameters())
                simple = is_simple(self.network, self.energy)
                kind = FastHipnn if simple else SeveralHipnn
                self._fast = kind(self.network, self.energy, self.self_energies)
                self._fast_key = state_of(self._watched)
            except (ImportError, ValueError) as error:
                _log.info("HIP-NN runs in torch alone, some times slower: %s", error)
                self.compiled = False
                return None
        return self._fast


def build_hipnn(hyperparameters: dict[str, Any], species: tuple[int, ...]) -> HipnnModel:
    """Return an untrained HIP-NN.

    Parameters
    ----------
    hyperparameters
        Arguments of ``hippynn.networks.hipnn.Hipnn`` except the species; ``kind`` may name ``HipnnVec`` or
        ``HipnnQuad`` instead, and ``first_is_interacting`` is an argument of the energy.
    species
        Atomic numbers.
    """
    network, interacting = build_network(hyperparameters, species)
    energy = head_of(network, interacting)
    return HipnnModel(network, energy, species, torch.zeros(len(species)))


def build_network(hyperparameters: dict[str, Any], species: tuple[int, ...]) -> tuple[torch.nn.Module, bool]:
    """Return a network, see :func:`build_hipnn`, and whether its heads leave the bare species out."""
    import_hippynn()
    from hippynn.networks import hipnn

    arguments = dict(hyperparameters)
    kind = {name: getattr(hipnn, name) for name in KINDS}[arguments.pop("kind", KINDS[0])]
    interacting = bool(arguments.pop("first_is_interacting", False))
    network: torch.nn.Module = kind(possible_species=[0, *species], **arguments)
    return network, interacting


def head_of(network: Any, interacting: bool) -> torch.nn.Module:
    """Return a new energy layer (hippynn's ``HEnergy``) on a network's features."""
    from hippynn.layers.targets import HEnergy

    head: torch.nn.Module = HEnergy(network.feature_sizes, first_is_interacting=interacting)
    return head


def hyperparameters_of(model: HipnnModel) -> dict[str, Any]:
    """Return what :func:`build_hipnn` needs to build the model's layers again.

    Raises
    ------
    UserError
        For networks that have no plain description: other classes, activations, several energies an atom.
    """
    from hippynn.layers.hiplayers import GaussianSensitivityModule, InverseSensitivityModule

    network: Any = model.network
    energy: Any = model.energy
    plain = type(network).__name__ in KINDS and type(network.activation) is torch.nn.Softplus
    # both have the same function of the distance and differ in where their parameters start
    sensitivities = (InverseSensitivityModule, GaussianSensitivityModule)
    plain = plain and all(type(layer) in sensitivities for layer in network.sensitivity_layers)
    if not plain or network.activation.beta != 1.0 or energy.layers[-1].out_features != 1:
        what = f"a {type(network).__name__} with parts that cannot be written as plain numbers"
        accepted = f"{', '.join(KINDS)} with softplus and one energy; or the hippynn experiment itself"
        raise UserError(what, accepted=accepted)
    several = not isinstance(network.nf, int)
    return {
        "kind": type(network).__name__,
        "n_features": [int(n) for n in network.nf] if several else network.nf,
        "n_sensitivities": network.n_sensitivities,
        "dist_soft_min": float(network.dist_soft_min),
        "dist_soft_max": float(network.dist_soft_max),
        "dist_hard_max": float(network.dist_hard_max),
        "n_interaction_layers": None if several else network.ni,
        "n_atom_layers": network.n_layers_per_block,
        "resnet": network.resnet,
        "first_is_interacting": bool(energy.first_is_interacting),
    }
