"""Virials on compiled sums against strain derivatives by automatic differentiation, and their gradients."""

import numpy as np
import torch

from tests.training.fusion.crystals import network, rattled
from votca_mlp.training.dataset import Dataset
from votca_mlp.training.fusion.compiled_labels import compiled_frames, joined
from votca_mlp.training.fusion.observables.derivatives import strain_derivatives
from votca_mlp.training.fusion.observables.frames import pair_chunk


def test_virials_and_their_gradients_are_those_of_the_general_way() -> None:
    frames, model = rattled(3), network()
    shape = (3, frames.n_atoms)
    dataset = Dataset(
        np.full(shape, 22),
        frames.positions.numpy(),
        frames.cells.numpy(),
        np.zeros(3),
        np.zeros((*shape, 3)),
        np.array(["hcp"] * 3),
        np.arange(3),
    )
    found = strain_derivatives(model, pair_chunk(frames, model.cutoff), 1, graph=True)
    assert found.virial is not None
    stress = found.virial / frames.volumes[:, None]
    weights = torch.linspace(-1.0, 1.0, 18).reshape(3, 6)
    (stress * weights).sum().backward()
    expected = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    model.zero_grad()

    single = network().float()
    batch = joined(compiled_frames(dataset, single, np.zeros((3, 3, 3))))
    ours = batch.residuals(single)["stress"]
    torch.testing.assert_close(ours.double(), stress, rtol=1e-4, atol=1e-6)
    (ours * weights).sum().backward()
    for parameter, gradient in zip(single.parameters(), expected, strict=True):
        if gradient is not None and parameter.grad is not None:
            scale = float(gradient.abs().max()) + 1e-6
            torch.testing.assert_close(parameter.grad.double() / scale, gradient / scale, rtol=0, atol=2e-3)
