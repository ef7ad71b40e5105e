"""TorchScript modules of the correction and of model + correction, for engines without Python.

Only what is proven to give the same answer for any number of atoms is made: HIP-NN by tracing its layers
alone (the code around them is compiled, as a trace of the whole freezes the number of atoms), ANI by
compiling its torch code. Nothing here moves to where MD of this package runs.
"""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.torch_pair import TorchPairCorrection


class ScriptedCorrection(TorchPairCorrection):
    """Total energy of the correction from a full pair list."""

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return the energy in eV, a scalar; arguments as in :class:`TorchPairCorrection`."""
        near = (torch.linalg.vector_norm(vectors, dim=1) < self.cutoff).nonzero().squeeze(1)
        distances = torch.linalg.vector_norm(vectors[near], dim=1)
        energy, _ = self.pair_energies(numbers[first[near]], numbers[second[near]], distances)
        return 0.5 * energy.sum()


class NoModel(nn.Module):
    """Stands where only the correction is exported."""

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return zero."""
        return torch.zeros([], dtype=vectors.dtype, device=vectors.device)


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
        from votca_mlp.models.ani import CELU_ALPHA, EV_PER_HARTREE

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


class Exported(nn.Module):
    """The module that engines load.

    Every argument may be of any precision; geometry is worked out in float64. The pair list has every ordered
    pair once, sorted by ``first``, at least out to ``cutoff``; pairs beyond are left out here.
    """

    def __init__(self, model: nn.Module, correction: nn.Module, cutoff: float, numbers: list[int]) -> None:
        super().__init__()
        self.model, self.correction = model, correction
        self.cutoff, self.numbers = cutoff, numbers

    def forward(
        self,
        positions: Tensor,
        numbers: Tensor,
        cell: Tensor,
        first: Tensor,
        second: Tensor,
        shifts: Tensor,
    ) -> Tensor:
        """Return the energy in eV, a scalar, differentiable in positions and cell.

        positions [n_atoms, 3] and cell [3, 3] (vectors in rows) in Angstrom; numbers [n_atoms]; first, second
        [n_pairs]; shifts [n_pairs, 3] of the second atoms in cell vectors.
        """
        x = positions.double()
        vectors = x[second] - x[first] + shifts.double() @ cell.double()
        return self._energy(numbers, first, second, vectors)

    def _energy(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        return self.model(numbers, first, second, vectors).double() + self.correction(
            numbers, first, second, vectors
        )

    @torch.jit.export
    def evaluate(
        self,
        positions: Tensor,
        numbers: Tensor,
        cell: Tensor,
        first: Tensor,
        second: Tensor,
        shifts: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return energy (eV), forces (eV/Angstrom, [n_atoms, 3]) and virial sum d x dE/dd (eV, [3, 3]).

        Stress is the virial over the volume; arguments as in :meth:`forward`.
        """
        x = positions.detach().double()
        vectors = x[second] - x[first] + shifts.double() @ cell.detach().double()
        vectors = vectors.detach().requires_grad_(True)
        energy = self._energy(numbers, first, second, vectors)
        gradient = torch.autograd.grad([energy], [vectors])[0]
        assert gradient is not None
        forces = torch.zeros_like(x).index_add(0, first, gradient).index_add(0, second, -gradient)
        virial = gradient.t() @ vectors.detach()
        return energy.detach(), forces, 0.5 * (virial + virial.t())


def scripted(model: PairModel | None, correction: PairCorrection, dtype: torch.dtype) -> Any:
    """Return the TorchScript module of model + correction; of the correction alone when ``model`` is None.

    Raises
    ------
    UserError
        A kind of model that cannot be turned into TorchScript.
    """
    with quiet():
        try:
            return _scripted(model, correction, dtype)
        except RuntimeError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise UserError(f"TorchScript cannot hold this model: {(lines or ['unknown'])[0]}") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Leave out torch's warnings that TorchScript is deprecated: C++ programs go on loading it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*torch\.jit\..* is deprecated")
        yield


def _scripted(model: PairModel | None, correction: PairCorrection, dtype: torch.dtype) -> Any:
    inner: nn.Module = NoModel() if model is None else _scripted_model(model, dtype)
    numbers = sorted({z for pair in correction.pairs for z in pair}) if model is None else model.numbers
    cutoff = max(correction.cutoff, 0.0 if model is None else float(model.cutoff))
    whole = Exported(inner, ScriptedCorrection(correction), cutoff, [int(z) for z in numbers])
    return torch.jit.script(whole.eval())


def _scripted_model(model: PairModel, dtype: torch.dtype) -> nn.Module:
    from votca_mlp.models.ani import AniModel

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
