"""Virials on compiled sums against pairs by automatic differentiation, and their gradients."""

import numpy as np
import torch

from tests.training.fusion.crystals import network, rattled
from votca_mlp.training.fusion.labels import labels_of
from votca_mlp.training.labelled import labelled_frames
from votca_mlp.training.trainer.compiled import CompiledSource
from votca_mlp.training.trainer.losses import one_level
from votca_mlp.training.trainer.options import LevelWeights
from votca_mlp.training.trainer.sources import RowsSource


def test_stress_and_its_gradients_are_those_of_pairs() -> None:
    from ase import Atoms

    stored, model = rattled(3), network().float()
    atoms = [
        Atoms(stored.numbers.numpy(), x.numpy(), cell=c.numpy(), pbc=True)
        for x, c in zip(stored.positions, stored.cells, strict=True)
    ]
    random = np.random.default_rng(1)
    labels = {
        "energies": [-1.0, -2.0, -3.0],
        "forces": list(random.normal(0.0, 0.1, (3, len(atoms[0]), 3))),
        "stress": [np.eye(3) * 0.01, None, random.normal(0.0, 0.01, (3, 3))],
    }
    frames, levelled = labelled_frames(atoms, {"pbe": labels}), one_level(model, "pbe")
    energies, weights = {"pbe": {22: 0.0}}, {"pbe": LevelWeights()}
    chosen, results = np.arange(3), []
    rows = RowsSource(frames, levelled, energies, torch.float32)
    for source in (rows, CompiledSource(frames, levelled, energies)):
        found = source.residuals(levelled, chosen, weights, graph=True)[0]["pbe"]
        assert len(found["stress"]) == 2
        loss = sum(
            each.square().sum() * scale for each, scale in zip(found.values(), (1.0, 1.0, 1e4), strict=True)
        )
        gradients = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
        results.append((found, gradients))
    (ours, slopes), (theirs, expected) = results
    for kind in ours:
        torch.testing.assert_close(ours[kind], theirs[kind], rtol=1e-4, atol=1e-6)
    for one, other in zip(slopes, expected, strict=True):
        if other is not None and one is not None:
            scale = float(other.abs().max()) + 1e-6
            torch.testing.assert_close(one / scale, other / scale, rtol=0, atol=2e-3)


def test_labels_of_frames_are_residuals_by_kind_and_groups_count_once() -> None:
    from ase import Atoms

    stored, model = rattled(4), network().float()
    atoms = [
        Atoms(stored.numbers.numpy(), x.numpy(), cell=c.numpy(), pbc=True)
        for x, c in zip(stored.positions, stored.cells, strict=True)
    ]
    frames = labelled_frames(atoms, {"pbe": {"energies": [0.0, None, 0.0, 0.0]}}, ["a", "a", "b", "b"])
    labels = labels_of(frames, np.arange(4), model, "pbe", 2)
    assert labels.independent == 2
    # the frame without a label is none of them
    assert [len(each) for each in labels.batches] == [2, 1]
    assert labels.counts(model) == {"energy": 3}
    assert labels.errors(model)["energy"] > 0.0
