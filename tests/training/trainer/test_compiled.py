"""Compiled sums: against hippynn's layers, chosen by themselves, and from data to a model file that runs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.calculators.emt import EMT

from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.files import load_hipnn, save_hipnn
from votca_mlp.models.hipnn.levels import LevelledHipnn, build_levels
from votca_mlp.training.judge import evaluated, level_errors
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.trainer.compiled import CompiledSource
from votca_mlp.training.trainer.loop import Trained, train
from votca_mlp.training.trainer.losses import loss_of
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.training.trainer.sources import source_of

SMALL = {
    "n_features": 6,
    "n_sensitivities": 8,
    "dist_soft_min": 1.5,
    "dist_soft_max": 4.5,
    "dist_hard_max": 5.0,
    "n_interaction_layers": 1,
    "n_atom_layers": 2,
}
LEARN, JUDGE = np.arange(2, 24), np.arange(2)


@pytest.fixture(scope="module")
def data() -> LabelledFrames:
    """Rattled crystals of two sizes, labelled with EMT: energies and forces, and a stress of every third."""
    frames = []
    for seed in range(24):
        atoms = bulk("Al", "fcc", 4.05 + 0.02 * (seed % 5 - 2), cubic=True).repeat((2, 2, 2 + seed % 2))
        atoms.rattle(0.1, seed=seed)
        frames.append(atoms)
    bare = labelled_frames(frames, {})
    found = evaluated(CalculatorEvaluator(EMT()), bare)
    found.stress[np.arange(24) % 3 != 0] = np.nan
    return replace(bare, levels={"emt": found})


def network(seed: int = 0, species: tuple[int, ...] = (13,), layers: int = 1) -> LevelledHipnn:
    torch.manual_seed(seed)
    return build_levels({**SMALL, "n_interaction_layers": layers}, species, ("emt",))


def go(data: LabelledFrames, **options: Any) -> Trained:
    weights = {"emt": LevelWeights(stress=0.0)}
    return train(data, LEARN, JUDGE, SMALL, TrainOptions(weights=weights, **options))


@pytest.mark.parametrize(("species", "layers"), [((13,), 1), ((13, 29, 47), 1), ((13,), 2), ((13, 29), 3)])
def test_prediction_and_its_derivatives_are_hippynns(
    data: LabelledFrames, species: tuple[int, ...], layers: int
) -> None:
    """Energies, forces, stress and the loss's derivative by every parameter, against hippynn in float64."""
    model, shift = network(species=species, layers=layers), -0.5
    few = data.take([0, 3, 5])
    # what the labels are does not matter
    few = replace(few, numbers=np.resize(species, len(few.numbers)))
    weights = {"emt": LevelWeights()}
    source = source_of(few, model, {"emt": dict.fromkeys(species, shift)}, TrainOptions())
    assert isinstance(source, CompiledSource)
    wrong, _ = source.residuals(model, np.arange(3), weights, graph=True)
    loss_of(wrong, weights).backward()
    whole = network(species=species, layers=layers).double()
    exact = whole.at("emt")
    energies, forces, stress = [], [], []
    for k in range(len(few)):
        evaluator = PairListEvaluator(exact, dtype=torch.float64)
        evaluator.evaluate(few.atoms(k))
        numbers, first, second = (getattr(evaluator.pairs, name) for name in ("numbers", "first", "second"))
        vectors = evaluator.pairs.vectors.clone().requires_grad_(True)
        atomic = exact(numbers, first, second, vectors)
        (pull,) = torch.autograd.grad(atomic.sum(), vectors, create_graph=True)
        force = torch.zeros(len(numbers), 3, dtype=torch.float64)
        force = force.index_add(0, first, pull).index_add(0, second, -pull)
        forces.append(force[np.argsort(evaluator.pairs.order)])
        energies.append(atomic.sum())
        stress.append(vectors.T @ pull / few.atoms(k).cell.volume)
    labels = few.levels["emt"]
    counts = torch.from_numpy(few.atom_counts).double()
    stressed = few.has("emt", "stress")
    assert stressed.tolist() == [True, True, False]
    expected = {
        "energy": (torch.stack(energies) - torch.from_numpy(labels.energies)) / counts + shift,
        "force": torch.cat(forces) - torch.from_numpy(labels.forces),
        "stress": torch.stack(stress[:2]) - torch.from_numpy(labels.stress[stressed]),
    }
    loss_of({"emt": expected}, weights).backward()
    for kind, tolerance in (("energy", 1e-5), ("force", 1e-5), ("stress", 1e-7)):
        assert torch.allclose(wrong["emt"][kind].double(), expected[kind], atol=tolerance), kind
    assert float(torch.cat(forces).detach().abs().max()) > 0.05
    for (name, one), other in zip(model.named_parameters(), whole.parameters(), strict=True):
        assert one.grad is not None, name
        assert other.grad is not None, name
        scale = float(other.grad.abs().max())
        assert torch.allclose(one.grad.double(), other.grad, rtol=1e-3, atol=1e-3 * scale), name


def test_from_data_to_a_model_that_runs(data: LabelledFrames, tmp_path: Path) -> None:
    result = go(data, epochs=100, batch_size=4, learning_rate=5e-3)
    seen = [entry["loss"] for entry in result.history]
    assert len(seen) == 100
    assert min(seen) < 0.3 * seen[0]
    assert seen[result.best_epoch - 1] == min(seen)
    save_hipnn(tmp_path / "m.pt", result.model.alone(), {"made by": "a test"})
    evaluator = PairListEvaluator(load_hipnn(tmp_path / "m.pt"))
    forces = level_errors(evaluated(evaluator, data), data, "emt", {})["forces"]
    assert forces.labels == 24
    assert forces.rmse < 0.5 * forces.spread


def test_same_seed_same_model(data: LabelledFrames) -> None:
    one, other = (go(data, epochs=2).model.parameters() for _ in range(2))
    for first, second in zip(one, other, strict=True):
        assert torch.equal(first, second)


def test_errors_of_the_labels_own_evaluator_are_nothing(data: LabelledFrames) -> None:
    errors = level_errors(evaluated(CalculatorEvaluator(EMT()), data), data, "emt", {13: -0.1})
    assert errors["energies"].rmse < 1e-9
    assert errors["forces"].rmse < 1e-12
    assert errors["forces"].spread == pytest.approx(np.sqrt(np.square(data.levels["emt"].forces).mean()))
