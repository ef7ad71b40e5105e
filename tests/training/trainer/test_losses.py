"""Loss and its derivatives against hippynn's own graph, on the same frames and parameters."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.training.trainer.small import SMALL, emt_frames, metal
from votca_mlp.models.hipnn.levels import LevelledHipnn, build_levels
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.trainer.losses import loss_of, predict, residuals
from votca_mlp.training.trainer.options import LevelWeights
from votca_mlp.training.trainer.pair_rows import PairRows


@pytest.fixture(scope="module")
def frames() -> LabelledFrames:
    """Crystals of two sizes, labelled at two levels."""
    return emt_frames([metal(k, (1, 1, 2 + k % 2)) for k in range(4)], shift=0.3)


def network(kind: str, heads: str = "separate", **changes: Any) -> LevelledHipnn:
    torch.manual_seed(3)
    model = build_levels({**SMALL, "kind": kind, **changes}, (13, 29), ("low", "high"), heads).double()
    with torch.no_grad():
        for parameter in model.heads.parameters():
            parameter.normal_()
    return model


def by_hippynn(model: LevelledHipnn, frames: LabelledFrames) -> dict[str, torch.Tensor]:
    """Return energies, forces and hierarchicality of both heads by hippynn's graph of nodes."""
    from hippynn.graphs import GraphModule, inputs, networks, physics, targets

    kinds, places, cells = inputs.SpeciesNode("Z"), inputs.PositionsNode("R"), inputs.CellNode("C")
    net: Any = networks.HipnnVec if model.network.__class__.__name__ != "Hipnn" else networks.Hipnn
    net = {"HipnnQuad": networks.HipnnQuad}.get(type(model.network).__name__, net)
    node = net("net", (kinds, places, cells), module=model.network, periodic=True)
    energies = [targets.HEnergyNode(f"E{k}", node, module=head) for k, head in enumerate(model.heads)]
    forces = [physics.GradientNode(f"F{k}", (e, places), sign=-1) for k, e in enumerate(energies)]
    wanted = [item for e, f in zip(energies, forces, strict=True) for item in (e.mol_energy, f, e.batch_hier)]
    graph = GraphModule([kinds, places, cells], wanted)
    size = int(frames.atom_counts.max())
    numbers = torch.zeros(len(frames), size, dtype=torch.long)
    positions = torch.zeros(len(frames), size, 3, dtype=torch.float64)
    for k in range(len(frames)):
        atoms = frames.atoms(k)
        numbers[k, : len(atoms)] = torch.from_numpy(atoms.numbers)
        positions[k, : len(atoms)] = torch.from_numpy(atoms.positions)
    found = graph(numbers, positions.requires_grad_(True), torch.from_numpy(frames.cells))
    real = numbers > 0
    return {
        name: value[real] if name.startswith("F") else value.reshape(-1)
        for name, value in zip(("E0", "F0", "H0", "E1", "F1", "H1"), found, strict=True)
    }


@pytest.mark.parametrize("kind", ["Hipnn", "HipnnVec", "HipnnQuad"])
def test_loss_and_derivatives_are_hippynns(frames: LabelledFrames, kind: str) -> None:
    """With masks, two heads, forces of both, padding: every parameter's derivative, in float64."""
    model, reference = network(kind), network(kind)
    zeros = {name: {13: 0.0, 29: 0.0} for name in model.levels}
    batch = PairRows(frames, model.numbers, model.cutoff, zeros, torch.float64).batch(range(4))
    ours = predict(model, batch, {"low": True, "high": True}, graph=True, hierarchy=True)
    theirs = by_hippynn(reference, frames)
    for k, name in enumerate(model.levels):
        one = ours[name]
        assert one.forces is not None
        assert one.hierarchy is not None
        assert torch.allclose(one.energies, theirs[f"E{k}"], atol=1e-10)
        assert torch.allclose(one.forces, theirs[f"F{k}"], atol=1e-10)
        assert torch.allclose(one.hierarchy, theirs[f"H{k}"], atol=1e-10)
        assert float(one.forces.detach().abs().max()) > 0.01
    weights = {"low": LevelWeights(2.0, 0.7), "high": LevelWeights(3.0)}
    energies = {"low": frames.levels["low"].energies, "high": frames.levels["high"].energies}
    counts = torch.from_numpy(frames.atom_counts)
    loss = torch.zeros((), dtype=torch.float64)
    for k, name in enumerate(model.levels):
        known = ~np.isnan(energies[name])
        wrong = ((theirs[f"E{k}"] - torch.from_numpy(energies[name])) / counts)[torch.from_numpy(known)]
        loss = loss + weights[name].energy * (wrong.square().mean().sqrt() + wrong.abs().mean())
    wrong = theirs["F0"] - torch.from_numpy(frames.levels["low"].forces)
    loss = loss + 0.7 * (wrong.square().mean().sqrt() + wrong.abs().mean())
    loss.backward()
    weights = {"low": LevelWeights(2.0, 0.7, 0.0), "high": weights["high"]}
    own = loss_of(residuals(model, batch, weights), weights)
    own.backward()
    assert float(own.detach()) == pytest.approx(float(loss.detach()), rel=1e-10)
    for (name, one), other in zip(model.named_parameters(), reference.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.allclose(one.grad, other.grad, rtol=1e-8, atol=1e-9), name
