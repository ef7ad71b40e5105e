"""Derivatives by strain: both ways against each other and against differences of energies."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.training.fusion.crystals import network, rattled
from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.observables.by_autograd import autograd_derivatives
from votca_mlp.training.fusion.observables.derivatives import strain_derivatives
from votca_mlp.training.fusion.observables.frames import StoredFrames, pair_chunk
from votca_mlp.training.fusion.observables.measured import measure
from votca_mlp.training.fusion.observables.one_layer import one_layer_derivatives, serves
from votca_mlp.training.fusion.observables.strain import StrainDerivatives
from votca_mlp.training.fusion.observables.voigt import tensor_of


def weighted(values: StrainDerivatives) -> torch.Tensor:
    """Return a sum in which every element counts by itself."""
    flat = torch.cat([each.reshape(-1) for each in values if each is not None])
    return flat @ torch.linspace(-1.0, 1.0, len(flat), dtype=torch.float64)


@pytest.mark.parametrize(
    ("species", "symbols", "changes"),
    [
        ((22,), "Ti8", {}),
        ((22,), "Ti8", {"resnet": False, "first_is_interacting": True}),
        ((22, 13), "Ti5Al3", {}),
    ],
)
def test_closed_form_is_the_derivative(
    species: tuple[int, ...], symbols: str, changes: dict[str, bool]
) -> None:
    """Energies, virials, Born terms, and their derivatives by every parameter."""
    model, frames = network(species, **changes), rattled(2, symbols)
    assert serves(model)
    chunk = pair_chunk(frames, model.cutoff)
    parameters = [p for p in model.parameters() if p.requires_grad]
    found, gradients = {}, {}
    for way in (one_layer_derivatives, autograd_derivatives):
        found[way] = way(model, chunk, 2, graph=True)
        gradients[way] = torch.autograd.grad(weighted(found[way]), parameters, allow_unused=True)
    for one, other in zip(found[one_layer_derivatives], found[autograd_derivatives], strict=True):
        assert one is not None
        assert other is not None
        assert one.detach().numpy() == pytest.approx(other.detach().numpy(), rel=1e-10, abs=1e-10)
    for one, other in zip(gradients[one_layer_derivatives], gradients[autograd_derivatives], strict=True):
        assert (one is None or not one.any()) if other is None else one is not None
        if one is not None and other is not None:
            assert one.numpy() == pytest.approx(other.numpy(), rel=1e-9, abs=1e-9)


def strained(frames: StoredFrames, strain: np.ndarray) -> StoredFrames:
    """Return the frames under Lagrange's strain, exactly: F = sqrt(1 + 2 eta)."""
    squared = np.eye(3) + 2.0 * tensor_of(torch.from_numpy(strain), strain=True).numpy()
    values, vectors = np.linalg.eigh(squared)
    deformation = torch.from_numpy(vectors @ np.diag(np.sqrt(values)) @ vectors.T)
    return StoredFrames(frames.numbers, frames.positions @ deformation, frames.cells @ deformation)


@pytest.mark.parametrize("changes", [{}, {"n_interaction_layers": 2}, {"kind": "HipnnVec"}])
def test_against_differences_of_energies(changes: dict[str, Any]) -> None:
    """Virial and Born term of networks with and without a closed form, engineering shears included.

    The second derivative of HIP-NN's cutoff function jumps at the cutoff: the step is too short for pairs to
    cross it.
    """
    model, frames, step = network(**changes), rattled(1), 1e-4
    found = measure(model, frames, ["virial", "born"])
    with torch.no_grad():

        def energy(*moves: tuple[int, float]) -> float:
            strain = np.zeros(6)
            for k, size in moves:
                strain[k] += size
            return float(measure(model, strained(frames, strain), ["energy"])["energy"][0])

        for i, j in ((0, 0), (0, 1), (3, 3), (1, 4), (4, 5)):
            slope = (energy((i, step)) - energy((i, -step))) / (2.0 * step)
            assert float(found["virial"][0, i]) == pytest.approx(slope, rel=1e-4, abs=1e-4)
            mixed = sum(
                a * b * energy((i, a * step), (j, b * step)) for a in (1.0, -1.0) for b in (1.0, -1.0)
            )
            curvature = mixed / (4.0 * step**2)
            assert float(found["born"][0, i, j]) == pytest.approx(curvature, rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("changes", [{}, {"n_interaction_layers": 2}])
def test_chunks_change_nothing(changes: dict[str, Any]) -> None:
    """Values and gradients of five frames, one or two at a time and all at once."""
    model, frames = network(**changes), rattled(5)
    parameters = list(model.parameters())
    results = []
    for chunk in (1, 2, 5):
        found = measure(model, frames, ["energy", "virial", "born"], chunk)
        weights = torch.softmax(-found["energy"] / 0.05, 0)
        loss = weights @ found["born"][:, 0, 1] + (weights @ found["virial"]).square().sum()
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        results.append([loss.detach(), *(g for g in gradients if g is not None)])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            assert two.numpy() == pytest.approx(one.numpy(), rel=1e-10, abs=1e-10)


class Kept:
    """What autograd keeps for its way back: numbers alive now, and the most so far."""

    alive = most = 0

    def __init__(self, tensor: torch.Tensor) -> None:
        # an output that an operation keeps would keep itself alive through the operation
        self.tensor = tensor.detach()
        Kept.alive += tensor.numel()
        Kept.most = max(Kept.most, Kept.alive)

    def __del__(self) -> None:
        Kept.alive -= self.tensor.numel()


@pytest.mark.parametrize("changes", [{}, {"n_interaction_layers": 2}])
def test_memory_does_not_grow_with_the_frames(changes: dict[str, Any]) -> None:
    """The most that autograd keeps, forward and backward, is that of one chunk and the frames' numbers."""
    model, most = network(**changes), {}
    for count in (1, 6):
        Kept.alive = Kept.most = 0
        with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
            found = measure(model, rattled(1).take([0] * count), ["energy", "born"], 1)
            loss = torch.softmax(-found["energy"], 0) @ found["born"][:, 0, 0]
            loss.backward()
        most[count] = Kept.most
    assert most[1] > 5000
    # of each frame only its energy's weight
    assert most[6] - most[1] < 6 * 10, most


def test_parameters_that_moved_in_between_are_refused() -> None:
    """The gradient would be that of other parameters."""
    model = network()
    loss = measure(model, rattled(2), ["energy"])["energy"].sum()
    with torch.no_grad():
        next(model.parameters()).add_(1e-3)
    with pytest.raises(RuntimeError, match="changed"):
        loss.backward()


def test_models_choose_their_way() -> None:
    """Several layers and vectors have no closed form."""
    assert serves(network())
    other: PairModel
    for other in (network(n_interaction_layers=2), network(kind="HipnnVec")):
        assert not serves(other)
        assert strain_derivatives(other, pair_chunk(rattled(1), other.cutoff), 0, graph=False).born is None
