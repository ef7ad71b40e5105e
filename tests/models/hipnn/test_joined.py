"""The sum of two HIP-NN as one: equal to both evaluated alone, in files, compiled code and TorchScript."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk

from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.files import load_hipnn, save_levels
from votca_mlp.models.hipnn.joined import joined, refuse_sizes
from votca_mlp.models.hipnn.model import HipnnModel, build_hipnn

SMALL = {
    "n_features": 4,
    "n_sensitivities": 5,
    "dist_soft_min": 1.5,
    "dist_soft_max": 3.5,
    "dist_hard_max": 4.0,
    "n_interaction_layers": 2,
    "n_atom_layers": 2,
}


def network(seed: int, species: tuple[int, ...], **changes: Any) -> HipnnModel:
    torch.manual_seed(seed)
    model = build_hipnn({**SMALL, **changes}, species)
    with torch.no_grad():
        for layer in model.network.sensitivity_layers:  # type: ignore[union-attr]
            layer.mu *= 1 + 0.05 * torch.randn_like(layer.mu)
        model.self_energies += torch.randn(len(species))
    return model


def crystal(species: tuple[int, ...]) -> Atoms:
    atoms = bulk("Al", "fcc", 4.05, cubic=True).repeat((1, 1, 2))
    atoms.rattle(0.1, seed=1)
    atoms.numbers[:] = np.resize(species, len(atoms))
    return atoms


@pytest.mark.parametrize(
    ("species", "changes"),
    [
        ((13, 29), {}),
        ((13, 29), {"kind": "HipnnVec"}),
        ((13, 29), {"kind": "HipnnQuad", "first_is_interacting": True}),
        ((13, 29, 47, 79), {}),  # as many as features: the parts have no layer between them
        ((13, 29), {"resnet": False, "n_features": [3, 4], "n_interaction_layers": None}),
        ((13,), {"n_interaction_layers": 1}),
    ],
)
def test_each_level_is_the_sum_of_its_parts(
    species: tuple[int, ...], changes: dict[str, Any], tmp_path: Path
) -> None:
    parts = [network(seed, species, **changes) for seed in range(3)]
    whole = joined(parts, {"low": [0], "high": [0, 1], "other": [0, 2]})
    save_levels(tmp_path / "m.pt", whole, {"made by": "a test"})
    atoms = crystal(species)
    alone = [PairListEvaluator(part, dtype=torch.float64).evaluate(atoms) for part in parts]
    for level, members in (("low", [0]), ("high", [0, 1]), ("other", [0, 2])):
        model = load_hipnn(tmp_path / "m.pt", level=level)
        for dtype, tolerance in ((torch.float64, 1e-8), (torch.float32, 2e-5)):
            found = PairListEvaluator(model, dtype=dtype).evaluate(atoms)
            assert found.energy == pytest.approx(sum(alone[k].energy for k in members), abs=10 * tolerance)
            forces = np.sum([alone[k].forces for k in members], 0)
            assert np.allclose(found.forces, forces, atol=tolerance), level
            stress = np.sum([alone[k].stress for k in members], 0)
            assert np.allclose(found.stress, stress, atol=tolerance), level
    simple = len(species) == 1
    assert (whole.alone("high").fast_evaluation(torch.float32, 0.5) is not None) == simple


def test_parts_that_do_not_fit_are_refused() -> None:
    one = network(0, (13, 29))
    for other in (network(1, (13, 29), n_features=5), network(1, (13, 47))):
        with pytest.raises(UserError, match="different hyperparameters or species"):
            joined([one, other], {"high": [0, 1]})
    with pytest.raises(UserError, match="2 networks with 4 features cannot be joined to one for 8 species"):
        refuse_sizes(SMALL, 8, 2)
