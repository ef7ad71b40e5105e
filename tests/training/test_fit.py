"""Fitting: the compiled sums against hippynn's layers, and from data to a model file that runs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.calculators.emt import EMT

from votca_mlp.errors import UserError
from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.files import load_hipnn, save_hipnn
from votca_mlp.models.hipnn.model import HipnnModel, build_hipnn
from votca_mlp.training.batches import join, make_frames
from votca_mlp.training.dataset import Dataset, concatenate, load_dataset, make_dataset, save_dataset
from votca_mlp.training.errors import errors_by_kind
from votca_mlp.training.fit import FitOptions, fit_hipnn, losses, predict, total_loss

SMALL = {
    "n_features": 6,
    "n_sensitivities": 8,
    "dist_soft_min": 1.5,
    "dist_soft_max": 4.5,
    "dist_hard_max": 5.0,
    "n_interaction_layers": 1,
    "n_atom_layers": 2,
}


@pytest.fixture(scope="module")
def emt() -> Evaluator:
    return CalculatorEvaluator(EMT())


@pytest.fixture(scope="module")
def data(emt: Evaluator) -> Dataset:
    """Rattled crystals of two sizes, labelled with EMT."""
    frames = []
    for seed in range(24):
        atoms = bulk("Al", "fcc", 4.05 + 0.02 * (seed % 5 - 2), cubic=True).repeat((2, 2, 2 + seed % 2))
        atoms.rattle(0.1, seed=seed)
        frames.append(atoms)
    return make_dataset(frames, ["even", "odd"] * 12, list(range(24)), emt)


def network(seed: int = 0) -> HipnnModel:
    torch.manual_seed(seed)
    return build_hipnn(SMALL, (13,))


def test_prediction_and_its_derivatives_are_hippynns(data: Dataset) -> None:
    """Energies, forces, and the loss's derivative by every parameter, against double backward in float64."""
    model, shift = network(), -0.5
    few = data.take(np.array([0, 3, 5]))
    batch = join(make_frames(few, model.cutoff, shift))
    energies, forces = predict(model, batch)
    total_loss(losses(model, batch)).backward()
    exact = network().double()
    expected_energies, expected_forces = [], []
    for k in range(len(few)):
        evaluator = PairListEvaluator(exact, dtype=torch.float64)
        evaluator.evaluate(few.atoms(k))
        numbers, first, second = (getattr(evaluator.pairs, name) for name in ("numbers", "first", "second"))
        vectors = evaluator.pairs.vectors.clone().requires_grad_(True)
        atomic = exact(numbers, first, second, vectors)
        (pull,) = torch.autograd.grad(atomic.sum(), vectors, create_graph=True)
        force = torch.zeros(len(numbers), 3, dtype=torch.float64)
        force = force.index_add(0, first, pull).index_add(0, second, -pull)
        expected_forces.append(force[np.argsort(evaluator.pairs.order)])
        expected_energies.append(atomic.sum())
    e, f = torch.stack(expected_energies), torch.cat(expected_forces)
    counts = torch.from_numpy(few.atom_counts).double()
    labels = torch.cat([torch.from_numpy(few.forces[k, : few.atom_counts[k]]) for k in range(len(few))])
    wrong = (e - torch.from_numpy(few.energies)) / counts + shift
    loss = 100 * (wrong.square().mean().sqrt() + wrong.abs().mean())
    loss = loss + (f - labels).square().mean().sqrt() + (f - labels).abs().mean()
    loss.backward()
    assert torch.allclose(energies.double(), e, atol=1e-4)
    assert torch.allclose(forces.double(), f, atol=1e-5)
    assert float(f.detach().abs().max()) > 0.05
    for (name, one), other in zip(model.named_parameters(), exact.parameters(), strict=True):
        assert one.grad is not None, name
        assert other.grad is not None, name
        scale = float(other.grad.abs().max())
        assert torch.allclose(one.grad.double(), other.grad, rtol=1e-3, atol=1e-3 * scale), name


def test_from_data_to_a_model_that_runs(data: Dataset, tmp_path: Path) -> None:
    seen = []
    options = FitOptions(epochs=100, batch_size=4, learning_rate=5e-3)
    result = fit_hipnn(data, options, SMALL, report=lambda epoch, numbers: seen.append(numbers["loss"]))
    assert len(seen) == len(result.history) == 100
    assert min(seen) < 0.3 * seen[0]
    assert seen[result.best_epoch - 1] == min(seen)
    save_hipnn(tmp_path / "m.pt", result.model, {"made by": "a test"})
    evaluator = PairListEvaluator(load_hipnn(tmp_path / "m.pt"))
    errors = errors_by_kind(evaluator, data)
    assert set(errors) == {"even", "odd", "all"}
    assert errors["all"].frames == 24
    assert errors["all"].force_rmse < 0.5 * errors["all"].force_spread


def test_same_seed_same_model(data: Dataset) -> None:
    fits = [fit_hipnn(data, FitOptions(epochs=2), SMALL).model for _ in range(2)]
    for one, other in zip(fits[0].parameters(), fits[1].parameters(), strict=True):
        assert torch.equal(one, other)


def test_errors_of_the_labels_own_evaluator_are_nothing(data: Dataset, emt: Evaluator) -> None:
    errors = errors_by_kind(emt, data)["all"]
    assert errors.energy_rmse < 1e-9
    assert errors.force_rmse < 1e-12
    assert errors.force_spread == pytest.approx(np.sqrt((data.forces[data.numbers > 0] ** 2).mean()))


def test_dataset_survives_its_file(data: Dataset, tmp_path: Path) -> None:
    save_dataset(tmp_path / "d.npz", data)
    again = load_dataset(tmp_path / "d.npz")
    for name in Dataset.__dataclass_fields__:
        assert np.array_equal(getattr(again, name), getattr(data, name)), name
    atoms = again.atoms(1)
    assert len(atoms) == 48
    assert atoms.pbc.all()
    (tmp_path / "cut.npz").write_bytes((tmp_path / "d.npz").read_bytes()[:200])
    for name in ("cut.npz", "none.npz"):
        with pytest.raises(UserError, match="cannot read"):
            load_dataset(tmp_path / name)


def test_joined_datasets(data: Dataset) -> None:
    small, large = data.take(np.array([0, 2])), data.take(np.array([1]))
    joined = concatenate([small.__class__(*(getattr(small, n) for n in Dataset.__dataclass_fields__)), large])
    assert joined.atom_counts.tolist() == [32, 32, 48]
    assert np.array_equal(joined.atoms(2).positions, large.atoms(0).positions)
