"""The Lennard-Jones mixture against ASE's calculator and its own gradient."""

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.calculators.lj import LennardJones

from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.lennard_jones import lennard_jones_mixture


def test_one_species_is_ases_up_to_the_force_shift() -> None:
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True).repeat(2)
    atoms.rattle(0.2, seed=1)
    # so far out, the force shift is far below the comparison's tolerance
    cutoff = 60.0
    ours = PairListEvaluator(
        lennard_jones_mixture({"Ar": [0.0104, 3.4]}, cutoff), dtype=torch.float64
    ).evaluate(atoms)
    atoms.calc = LennardJones(epsilon=0.0104, sigma=3.4, rc=cutoff)
    assert ours.forces == pytest.approx(atoms.get_forces(), abs=1e-6)
    assert ours.stress[0, 1] == pytest.approx(atoms.get_stress()[5], abs=1e-7)


def test_closed_form_gradient_is_the_backward_pass() -> None:
    model = lennard_jones_mixture({"Ar": [0.0104, 3.4], "Kr": [0.0141, 3.65]}, 6.0, {"Ar-Kr": [0.02, 3.3]})
    random = np.random.default_rng(0)
    vectors = torch.from_numpy(random.uniform(-5, 5, (200, 3)))
    vectors = vectors[vectors.norm(dim=1) > 2.5]
    numbers = torch.tensor([18, 36] * 10)
    first = torch.from_numpy(random.integers(0, 20, len(vectors)))
    second = torch.from_numpy(random.integers(0, 20, len(vectors)))
    energies, gradient = model.energies_and_gradient(numbers, first, second, vectors)
    reference_energies, reference = super(type(model), model).energies_and_gradient(
        numbers, first, second, vectors
    )
    assert energies == pytest.approx(reference_energies.numpy(), abs=1e-14)
    assert gradient == pytest.approx(reference.numpy(), abs=1e-12)


@pytest.mark.parametrize(
    ("species", "pairs", "message"),
    [
        ({"Xx1": [1, 1]}, None, "chemical symbols"),
        ({"Ar": [1]}, None, "Ar: "),
        ({"Ar": [1, -1]}, None, "Ar: "),
        ({"Ar": [1, 1]}, {"Ar-Kr": [1, 1]}, "without parameters"),
    ],
)
def test_bad_parameters(species, pairs, message) -> None:
    with pytest.raises(UserError, match=message):
        lennard_jones_mixture(species, 5.0, pairs)
