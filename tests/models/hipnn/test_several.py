"""The compiled HIP-NN of several species, layers and tensor orders against hippynn's own in float64."""

from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms

from tests.models.hipnn.test_fast import liquid, network, pairs_of, see_new_weights
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.several import SeveralHipnn, is_served

SPECIES = (13, 22, 26)


def alloy(species: tuple[int, ...], repeat: int = 2) -> Atoms:
    atoms = liquid(repeat)
    atoms.numbers = np.random.default_rng(5).choice(species, len(atoms))
    return atoms


def several(species: int, layers: int, kind: str, **changes: Any) -> Any:
    """A network with random parameters, also of the norms, and with another energy for each species."""
    given = {"n_interaction_layers": layers, "kind": kind, **changes}
    model = network(SPECIES[:species], **given)
    model.self_energies.copy_(torch.tensor([-73.0, -41.5, 12.25])[:species])
    return model


@pytest.mark.parametrize("kind", ["Hipnn", "HipnnVec", "HipnnQuad"])
@pytest.mark.parametrize(("species", "layers"), [(1, 2), (1, 3), (2, 1), (2, 2), (3, 1), (3, 3)])
def test_equals_hippynns_layers(species: int, layers: int, kind: str) -> None:
    compare(alloy(SPECIES[:species]), several(species, layers, kind), several(species, layers, kind))


@pytest.mark.parametrize(
    "changes",
    [
        {"n_features": [9, 21, 5], "resnet": [7, 9, 30]},
        {"resnet": False, "n_sensitivities": 5},
        {"n_atom_layers": 0, "first_is_interacting": True},
        {"resnet": 11, "n_features": 1, "n_sensitivities": 33},
    ],
    ids=["every layer another", "no residuals", "no atom layer, no bare species", "one feature"],
)
@pytest.mark.parametrize("kind", ["Hipnn", "HipnnQuad"])
def test_other_sizes(changes: dict[str, Any], kind: str) -> None:
    several_of = [several(2, 3, kind, **changes) for _ in range(2)]
    compare(alloy(SPECIES[:2]), *several_of)


def compare(atoms: Atoms, compiled: Any, own: Any) -> None:
    """Compare the compiled float32 with hippynn's layers in float64."""
    result = PairListEvaluator(compiled).evaluate(atoms)
    assert isinstance(compiled._fast, SeveralHipnn)
    exact = PairListEvaluator(own, dtype=torch.float64)
    expected = exact.evaluate(atoms)
    assert own._fast is None
    assert abs(result.energy - expected.energy) / len(atoms) < 1e-6
    assert np.abs(result.forces - expected.forces).max() < 1e-4
    assert np.abs(result.forces - expected.forces).max() < 2e-5 * max(1.0, np.abs(expected.forces).max())
    assert np.abs(result.stress - expected.stress).max() < 1e-6


def test_stress_is_the_energys_slope() -> None:
    """Central differences of the compiled energy by strain."""
    atoms, model = alloy(SPECIES[:2]), several(2, 2, "HipnnQuad")
    evaluator = PairListEvaluator(model)
    result, h = evaluator.evaluate(atoms), 2e-3
    strain = np.array([[0.7, 0.2, -0.3], [0.2, -0.5, 0.4], [-0.3, 0.4, 0.6]])
    energies = []
    for sign in (1, -1):
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ (np.eye(3) + sign * h * strain), scale_atoms=True)
        energies.append(evaluator.evaluate(strained).energy)
    stress = result.stress
    full = stress if stress.shape == (3, 3) else None
    assert full is not None
    slope = (full * strain).sum() * atoms.get_volume()
    assert slope == pytest.approx((energies[0] - energies[1]) / (2 * h), rel=2e-3)


@pytest.mark.parametrize("repeat", [3, 7])
def test_same_bits_for_any_threads(repeat: int) -> None:
    atoms, model = alloy(SPECIES[:2], repeat), several(2, 2, "HipnnVec", n_features=9)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found = PairListEvaluator(model).evaluate(atoms)
            results.append((found.forces, found.stress, found.energy))
    finally:
        torch.set_num_threads(before)
    for result in results[1:]:
        assert all(np.array_equal(one, other) for one, other in zip(result, results[0], strict=True))


def test_few_atoms_and_distances_at_the_tables_end() -> None:
    """Images of an atom itself, an atom alone, and pairs inside and outside of the tables' reach."""
    images = Atoms("AlTi", [[0, 0, 0], [1.7, 1.8, 1.7]], cell=np.diag([3.6, 3.8, 3.5]), pbc=True)
    compare(images, several(2, 2, "HipnnQuad"), several(2, 2, "HipnnQuad"))
    for r in (0.79, 0.81, 1.5, 7.4):
        atoms = Atoms("AlTiAl", [[0, 0, 0], [r, 0, 0], [0, 30, 0]])
        compare(atoms, several(2, 2, "HipnnVec"), several(2, 2, "HipnnVec"))


def test_broken_positions_give_nan() -> None:
    atoms, model = alloy(SPECIES[:2]), several(2, 2, "Hipnn")
    pairs = pairs_of(model, atoms)
    vectors = pairs.vectors.clone()
    vectors[5] = torch.nan
    energies, gradient = model.energies_and_gradient(pairs.numbers, pairs.first, pairs.second, vectors)
    assert torch.isnan(energies).any()
    assert torch.isnan(gradient[5]).all()


def test_new_weights_are_seen() -> None:
    see_new_weights(alloy(SPECIES[:2]), several(2, 2, "Hipnn"))


def test_what_is_not_served() -> None:
    for changes in ({"activation": torch.nn.SiLU}, {"activation": torch.nn.Softplus(beta=2.0)}):
        model = several(2, 2, "HipnnVec", **changes)
        assert not is_served(model.network, model.energy)
        with pytest.raises(ValueError, match="softplus"):
            SeveralHipnn(model.network, model.energy, model.self_energies)
