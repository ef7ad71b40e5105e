"""The compiled HIP-NN against hippynn's own layers in float64, and what it refuses."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk

from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.fast import FastHipnn, is_simple
from votca_mlp.models.hipnn.model import HipnnModel, build_hipnn
from votca_mlp.models.hipnn.table import sensitivity_table
from votca_mlp.neighbours.device_pairs import DevicePairs, Uploaded
from votca_mlp.neighbours.host_pairs import HostPairs
from votca_mlp.neighbours.verlet_lists import VerletPairList
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.torch_pair import TorchPairCorrection

PAPER = {
    "n_features": 15,
    "n_sensitivities": 20,
    "dist_soft_min": 1.25,
    "dist_soft_max": 7.0,
    "dist_hard_max": 7.5,
    "n_interaction_layers": 1,
    "n_atom_layers": 3,
}
"""The shipped aluminium model's."""


def network(species: tuple[int, ...] = (13,), **changes: Any) -> HipnnModel:
    """A HIP-NN with random parameters, its sensitivities moved from where they start."""
    torch.manual_seed(3)
    model = build_hipnn({**PAPER, **changes}, species)
    with torch.no_grad():
        for layer in model.network.sensitivity_layers:
            layer.mu *= 1 + 0.05 * torch.randn_like(layer.mu)
            layer.sigma *= 1 + 0.2 * torch.randn_like(layer.sigma)
    model.self_energies.fill_(-73.0)
    return model


def liquid(repeat: int, seed: int = 1) -> Atoms:
    """A strongly rattled crystal in a skewed box."""
    atoms = bulk("Al", "fcc", 4.2, cubic=True).repeat(repeat)
    atoms.rattle(0.25, seed=seed)
    atoms.set_cell(
        atoms.cell.array @ np.array([[1, 0.03, 0], [0, 0.98, 0], [-0.02, 0, 1.04]]), scale_atoms=True
    )
    return atoms


def both(changes: dict[str, Any], atoms: Atoms) -> tuple[Any, Any]:
    """Evaluations in float32 by the compiled path and in float64 by hippynn's layers."""
    fast = network(**changes)
    result = PairListEvaluator(fast).evaluate(atoms)
    assert fast._fast is not None
    return result, PairListEvaluator(network(**changes), dtype=torch.float64).evaluate(atoms)


def pairs_of(model: HipnnModel, atoms: Atoms) -> HostPairs:
    """The full list that LAMMPS, among others, gives."""
    pairs = HostPairs(model.cutoff, 0.5, torch.float32)
    pairs.update(atoms.get_positions(), atoms.cell.array, atoms.pbc, atoms.numbers.astype(np.int64))
    return pairs


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_features": 1},
        {"n_atom_layers": 0, "n_sensitivities": 3},
        {"resnet": 9},
        {"dist_hard_max": 7.1},
    ],
    ids=["paper", "one feature", "no atom layer", "narrow middle", "sharp cutoff"],
)
def test_equals_hippynns_layers(changes: dict[str, Any]) -> None:
    atoms = liquid(3)
    result, expected = both(changes, atoms)
    assert abs(result.energy - expected.energy) / len(atoms) < 1e-6
    largest = 1e-5 * max(1.0, np.abs(expected.forces).max())
    assert np.abs(result.forces - expected.forces).max() < largest
    assert np.abs(result.stress - expected.stress).max() < 1e-5
    assert result.closest is not None
    assert result.closest[2] == pytest.approx(expected.closest[2], abs=1e-9)

    model = network(**changes)
    pairs = pairs_of(model, atoms)
    energies, gradient = model.energies_and_gradient(pairs.numbers, pairs.first, pairs.second, pairs.vectors)
    forces, virial = pairs.sums(gradient)
    assert float(energies.sum()) == pytest.approx(expected.energy, abs=1e-6 * len(atoms))
    assert np.abs(forces - expected.forces).max() < largest
    assert np.abs(virial / atoms.get_volume() - expected.stress).max() < 1e-5


def few_images() -> Atoms:
    """An atom alone with its images, of which the nearest pairs are."""
    return Atoms("Al", cell=[[2.9, 0.1, 0], [0, 3.1, 0], [1.2, 0, 2.8]], pbc=True)


def slab() -> Atoms:
    atoms = liquid(2)
    atoms.set_pbc([True, False, True])
    return atoms


def cluster() -> Atoms:
    atoms = liquid(2)
    atoms.set_pbc(False)
    atoms.set_cell(np.zeros((3, 3)))
    return atoms


@pytest.mark.parametrize("make", [few_images, slab, cluster])
def test_other_boundaries(make: Callable[[], Atoms]) -> None:
    atoms = make()
    result, expected = both({}, atoms)
    assert abs(result.energy - expected.energy) / len(atoms) < 1e-6
    assert np.abs(result.forces - expected.forces).max() < 1e-5 * max(1.0, np.abs(expected.forces).max())
    assert np.abs(result.stress - expected.stress).max() < 1e-5
    assert result.closest[2] == pytest.approx(expected.closest[2], abs=1e-9)


def test_short_distances_and_free_atoms() -> None:
    """Inside the table's reach, below it, and an atom without neighbours."""
    for r in (0.5, 0.79, 0.81, 1.5, 7.4):
        atoms = Atoms("Al3", [[0, 0, 0], [r, 0, 0], [0, 30, 0]])
        result, expected = both({}, atoms)
        assert abs(result.energy - expected.energy) < 1e-5
        assert np.abs(result.forces - expected.forces).max() < 1e-5 * max(1.0, np.abs(expected.forces).max())
        assert not result.forces[2].any()


def test_table_has_no_denormal_numbers() -> None:
    """Products with one take Intel's cores 150 cycles, eight times a whole pair."""
    layer = network().network.sensitivity_layers[0].double()
    table, _ = sensitivity_table(layer, 7.5)
    sizes = np.abs(table[table != 0.0])
    assert sizes.min() >= 1e-20


@pytest.mark.parametrize("repeat", [3, 8])
def test_same_bits_for_any_threads(repeat: int) -> None:
    atoms, model = liquid(repeat), network()
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found, pairs = PairListEvaluator(model).evaluate(atoms), pairs_of(model, atoms)
            by_pairs = model.energies_and_gradient(pairs.numbers, pairs.first, pairs.second, pairs.vectors)
            results.append((found.forces, found.stress, found.energy, *(each.numpy() for each in by_pairs)))
    finally:
        torch.set_num_threads(before)
    for result in results[1:]:
        assert all(np.array_equal(one, other) for one, other in zip(result, results[0], strict=True))


def test_the_way_over_a_device_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code for devices, here run in the CPU's memory: pairs, model and correction by torch alone."""
    atoms, cpu = liquid(5), torch.device("cpu")
    r = np.linspace(0.0, 8.0, 81)
    correction = PairCorrection({(13, 13): akima_from_points(r, 0.05 * np.exp(-((r - 3.0) ** 2)))})
    compiled = PairListEvaluator(network(), correction, skin=0.4)
    device = PairListEvaluator(network(), correction, skin=0.4)
    device.model.compiled = False
    device.pairs = DevicePairs(device.model.cutoff, 0.4, torch.float32, cpu)
    assert device.adder is not None
    device.adder.list = VerletPairList(correction.cutoff, 0.8, full=False)
    device.adder.module = TorchPairCorrection(correction)
    uploads = []
    upload = Uploaded.__init__
    monkeypatch.setattr(Uploaded, "__init__", lambda *given: (uploads.append(1), upload(*given))[1])
    for step in range(6):
        one, other = compiled.evaluate(atoms), device.evaluate(atoms)
        scale = max(1.0, np.abs(one.forces).max())
        assert abs(one.energy - other.energy) / len(atoms) < 1e-6
        assert abs(one.correction_energy - other.correction_energy) / len(atoms) < 1e-7
        assert np.abs(one.forces - other.forces).max() < 1e-5 * scale
        assert np.abs(one.stress - other.stress).max() < 1e-6
        assert one.closest[2] == pytest.approx(other.closest[2], abs=1e-9)
        atoms.rattle(0.03, seed=step)
    # lists are uploaded when they are built, not in every step
    assert len(uploads) == device.pairs.list.builds + device.adder.list.builds < 12


def test_gradient_is_the_energys() -> None:
    """The table's own derivative: central differences of the compiled energy along a random direction."""
    atoms, model = liquid(2), network()
    fast, pairs = FastHipnn(model.network, model.energy, model.self_energies), pairs_of(model, atoms)
    kinds, vectors = np.zeros(len(atoms), np.int64), pairs.vectors
    step = 0.01 * torch.randn(vectors.shape, generator=torch.Generator().manual_seed(0))
    result = fast(kinds, pairs.first, pairs.second, vectors)
    assert result is not None
    slope = float((result[1].double() * step).sum())
    estimates = []
    for h in (1.0, 0.5):
        ends = [fast(kinds, pairs.first, pairs.second, vectors + sign * h * step) for sign in (1, -1)]
        assert ends[0] is not None
        assert ends[1] is not None
        estimates.append(float((ends[0][0] - ends[1][0]).sum()) / (2 * h))
    richardson = (4 * estimates[1] - estimates[0]) / 3
    assert slope == pytest.approx(richardson, abs=2e-4 * float(step.norm()))


def test_broken_positions_give_nan() -> None:
    atoms, model = liquid(2), network()
    pairs = pairs_of(model, atoms)
    vectors = pairs.vectors.clone()
    vectors[5] = torch.nan
    energies, gradient = model.energies_and_gradient(pairs.numbers, pairs.first, pairs.second, vectors)
    assert torch.isnan(energies).any()
    assert torch.isnan(gradient[5]).all()
    atoms.positions[3, 1] = np.nan
    result = PairListEvaluator(model).evaluate(atoms)
    assert np.isnan(result.energy)
    assert np.isnan(result.forces[3]).any()


def test_new_weights_are_seen() -> None:
    see_new_weights(liquid(2), network())


def see_new_weights(atoms: Atoms, model: HipnnModel) -> None:
    """Change a compiled model's weights and compare with hippynn's layers."""
    evaluator = PairListEvaluator(model)
    before = evaluator.evaluate(atoms).energy
    with torch.no_grad():
        model.energy.layers[-1].weight *= 2.0
    after = evaluator.evaluate(atoms).energy
    model.compiled = False
    assert after == pytest.approx(evaluator.evaluate(atoms).energy, abs=1e-4)
    assert abs(after - before) > 0.1


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": torch.nn.SiLU},
        {"activation": torch.nn.Softplus(beta=2.0)},
    ],
    ids=["activation", "softplus"],
)
def test_other_networks_take_hippynns_path(changes: dict[str, Any]) -> None:
    model, atoms = network(**changes), liquid(2)
    assert not is_simple(model.network, model.energy)
    result = PairListEvaluator(model).evaluate(atoms)
    assert model._fast is None
    expected = PairListEvaluator(network(**changes), dtype=torch.float64).evaluate(atoms)
    assert np.abs(result.forces - expected.forces).max() < 1e-4


def test_too_narrow_for_a_table() -> None:
    model = network()
    with torch.no_grad():
        model.network.sensitivity_layers[0].sigma.fill_(1e5)
    with pytest.raises(ValueError, match="too narrow"):
        sensitivity_table(model.network.sensitivity_layers[0].double(), 7.5)
