"""A model of a user's own, with and without a fast evaluation that it brings along."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk

from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.contract import ModelSums, PairModel


class Springs(PairModel):
    """E = sum over pairs of (5 - r)^2 / 2; nothing but what the contract asks for."""

    cutoff = 5.0
    numbers = (13,)

    def forward(self, numbers, first, second, vectors):
        stretch = (self.cutoff - vectors.norm(dim=1)).clamp(min=0.0)
        return vectors.new_zeros(1, len(numbers)).index_add(1, first, 0.25 * stretch.square().unsqueeze(0))


class Counting:
    """A fast evaluation by a slow one, which counts what is asked of it."""

    def __init__(self, skin: float, known: bool) -> None:
        self.inner = PairListEvaluator(Springs(), dtype=torch.float64, skin=skin)
        self.known, self.asked, self.forgotten = known, 0, 0

    def sums(self, positions, cell, pbc, numbers) -> ModelSums | None:
        self.asked += 1
        if not self.known:
            return None
        found = self.inner.evaluate(Atoms(numbers, positions, cell=cell, pbc=pbc))
        virial = found.stress * abs(np.linalg.det(cell))
        return ModelSums(2.0 * found.member_energies, 2.0 * found.forces, 2.0 * virial, found.closest)

    def forget(self) -> None:
        self.forgotten += 1


class FastSprings(Springs):
    """Twice the energy by the fast evaluation, to tell it from the other."""

    def __init__(self, known: bool) -> None:
        super().__init__()
        self.known, self.made = known, []

    def fast_evaluation(self, dtype, skin):
        self.made.append((dtype, skin))
        return Counting(skin, self.known)


def rattled() -> Atoms:
    atoms = bulk("Al", "fcc", a=4.1, cubic=True).repeat(2)
    atoms.rattle(0.1, seed=1)
    return atoms


def test_a_users_model() -> None:
    atoms = rattled()
    found = PairListEvaluator(Springs(), dtype=torch.float64, skin=0.3).evaluate(atoms)
    other = atoms.copy()
    energies = []
    for step in (-1e-4, 1e-4):
        other.positions = atoms.positions
        other.positions[3, 1] += step
        energies.append(PairListEvaluator(Springs(), dtype=torch.float64).evaluate(other).energy)
    assert found.forces[3, 1] == pytest.approx((energies[0] - energies[1]) / 2e-4, abs=1e-6)


def test_a_models_own_fast_evaluation_is_made_once_and_forgets() -> None:
    atoms, model = rattled(), FastSprings(known=True)
    evaluator = PairListEvaluator(model, dtype=torch.float64, skin=0.3)
    expected = PairListEvaluator(Springs(), dtype=torch.float64).evaluate(atoms)
    for _ in range(3):
        found = evaluator.evaluate(atoms)
    assert found.energy == pytest.approx(2.0 * expected.energy, abs=1e-9)
    assert found.forces == pytest.approx(2.0 * expected.forces, abs=1e-9)
    assert found.stress == pytest.approx(2.0 * expected.stress, abs=1e-9)
    assert model.made == [(torch.float64, 0.3)]
    evaluator.forget()
    assert (evaluator.fast.asked, evaluator.fast.forgotten) == (3, 1)


def test_what_the_fast_evaluation_is_not_made_for_goes_by_pairs() -> None:
    atoms = rattled()
    evaluator = PairListEvaluator(FastSprings(known=False), dtype=torch.float64)
    expected = PairListEvaluator(Springs(), dtype=torch.float64).evaluate(atoms)
    assert evaluator.evaluate(atoms).energy == expected.energy
    assert evaluator.fast.asked == 1
