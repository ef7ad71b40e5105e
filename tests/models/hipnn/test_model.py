"""HIP-NN against hippynn's own calculator, and its forces."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.models.hipnn.cases import HYPER, rattled
from tests.models.hipnn.graphs import calculator, energy_graph
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.hipnn.experiment import model_of_graph
from votca_mlp.models.hipnn.model import build_hipnn


@pytest.mark.parametrize(
    ("symbols", "repeat", "graph"),
    [
        ("Al", 3, {"species": (13,)}),
        ("Al", 4, {"species": (13,)}),
        ("Al-Ti", 3, {"species": (13, 22), "layers": 2}),
        ("Al", 3, {"species": (13,), "kind": "HipnnVec"}),
        ("Al-Ti", 3, {"species": (13, 22), "kind": "HipnnQuad"}),
        ("Al", 3, {"species": (1, 13, 22), "resnet": False}),
        ("Al-Ti", 3, {"species": (13, 22), "kind": "HipHopnn", "l_max": 2, "n_max": 2}),
    ],
    ids=["108", "256", "two species, two interactions", "vector", "quadrupole", "no residuals", "HIP-HOP-NN"],
)
def test_equals_hippynns_calculator(symbols: str, repeat: int, graph: dict[str, Any]) -> None:
    """Energy, forces and stress to float64's rounding."""
    energy = energy_graph(**graph)
    reference = calculator(energy)
    atoms = rattled(symbols, repeat)
    atoms.calc = reference
    expected = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(voigt=False)
    node_modules = torch.nn.ModuleList([node.torch_module for node in (energy, energy.parents[0])])
    model = model_of_graph(node_modules, where="graph")
    result = PairListEvaluator(model, dtype=torch.float64).evaluate(atoms)
    assert np.abs(expected[1]).max() > 1e-2
    assert result.energy == pytest.approx(expected[0], abs=1e-10 * len(atoms))
    assert np.abs(result.forces - expected[1]).max() < 1e-10
    assert np.abs(result.stress - expected[2]).max() < 1e-11


def test_forces_are_differences() -> None:
    model = build_hipnn(HYPER, (13,))
    evaluator = PairListEvaluator(model, dtype=torch.float64)
    atoms = rattled(repeat=2)
    forces, h = evaluator.evaluate(atoms).forces, 1e-4
    for atom, axis in ((0, 0), (7, 1), (20, 2)):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * h
            energies.append(evaluator.evaluate(moved).energy)
        assert forces[atom, axis] == pytest.approx((energies[1] - energies[0]) / (2 * h), abs=1e-6)
