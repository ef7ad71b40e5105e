"""Crystals at 0 K: elastic constants with atoms that move inside a strained cell, energy differences."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk

from tests.training.fusion.crystals import argon, check_derivatives, network
from tests.training.fusion.dimers import Spring
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.training.fusion.observables.crystals import constants_of
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.frames import StoredFrames, stored_frames
from votca_mlp.training.fusion.observables.measured import measure
from votca_mlp.training.fusion.observables.protocol import measure_all, uniform
from votca_mlp.training.fusion.observables.rest import ColdLattice
from votca_mlp.training.fusion.observables.static import (
    cold_elastic_constants,
    cold_elastic_matrix,
    energy_difference,
)
from votca_mlp.training.fusion.observables.voigt import PAIRS, tensor_of


def test_a_lattice_of_centres_of_symmetry_does_not_relax() -> None:
    """fcc from one atom: the Born term of any larger cell."""
    model = argon()
    one, many = (stored_frames([bulk("Ar", "fcc", a=5.2, cubic=c)]) for c in (False, True))
    observable = ElasticConstants(1e-9, 4, "cubic")
    values = measure_all(model, many, [observable])
    expected = observable.value(uniform(many), values)
    assert cold_elastic_constants(model, one, "cubic").numpy() == pytest.approx(expected.numpy(), rel=1e-9)


def test_hexagonal_crystal_against_stress_and_strain() -> None:
    """hcp, whose two atoms move against each other, by the stresses of strained and relaxed cells."""
    model = argon(7.0)
    atoms = bulk("Ar", "hcp", a=3.72, c=6.05)
    evaluator = PairListEvaluator(model, dtype=torch.float64)

    def force(shift: np.ndarray, of: Atoms) -> np.ndarray:
        moved = of.copy()
        moved.positions[1] += shift
        return evaluator.evaluate(moved).forces[1]

    one = 1e-4 * np.eye(3)
    stiffness = np.stack([(force(-d, atoms) - force(d, atoms)) / 2e-4 for d in one])

    def relaxed_stress(strain: np.ndarray) -> np.ndarray:
        deformed = atoms.copy()
        tensor = tensor_of(torch.from_numpy(strain), strain=True).numpy()
        deformed.set_cell(atoms.cell.array @ (np.eye(3) + tensor), scale_atoms=True)
        for _ in range(3):
            deformed.positions[1] += np.linalg.solve(stiffness, force(np.zeros(3), deformed))
        stress = evaluator.evaluate(deformed).stress
        return np.array([stress[pair] for pair in PAIRS])

    matrix, step = np.zeros((6, 6)), 1e-5
    for element in range(6):
        strain = np.zeros(6)
        strain[element] = step
        matrix[:, element] = (relaxed_stress(strain) - relaxed_stress(-strain)) / (2.0 * step)
    frames = stored_frames([atoms])
    found = cold_elastic_matrix(model, frames).numpy()
    assert found == pytest.approx(0.5 * (matrix + matrix.T), abs=2e-5 * np.abs(matrix).max())
    rigid = ElasticConstants(1e-9, 2, "triclinic")
    unrelaxed = rigid.matrix(uniform(frames), measure_all(model, frames, [rigid])).numpy()
    assert unrelaxed[5, 5] > 1.05 * found[5, 5]
    constants = constants_of(torch.from_numpy(found), "hexagonal")
    assert found[5, 5] == pytest.approx(0.5 * float(constants[0] - constants[3]), rel=1e-6)


def test_gradients_against_differences() -> None:
    """Of elastic constants with relaxation, and of an energy difference of crystals."""
    model = network()
    hcp = stored_frames([bulk("Ti", "hcp", a=2.95, c=4.68)])
    bcc = stored_frames([bulk("Ti", "bcc", a=3.28)])
    check_derivatives(lambda: cold_elastic_constants(model, hcp, "hexagonal").sum(), model)
    check_derivatives(lambda: energy_difference(model, hcp, bcc).sum(), model)


def test_lattice_constants_at_rest_with_gradients() -> None:
    """Of Lennard-Jones argon by its energies, and of a lattice of springs exactly."""
    fcc = stored_frames([bulk("Ar", "fcc", a=5.4, cubic=True)])
    edges = {"a": [(0, 1.0), (1, 1.0), (2, 1.0)]}
    model = argon()
    (found,) = ColdLattice(fcc, edges).value(model)
    lengths = torch.linspace(5.2, 5.3, 41, dtype=torch.float64)
    energies = [float(measure(model, _cube(float(a)), ["energy"])["energy"]) for a in lengths]
    fit = np.polynomial.Polynomial.fit(lengths.numpy() - 5.25, energies, 6)
    minimum = min(fit.deriv().roots(), key=lambda root: abs(root)).real + 5.25
    assert float(found) == pytest.approx(minimum, abs=1e-5)
    spring = Spring(1.0, 2.6)
    chain = stored_frames([Atoms("Ar", cell=[2.5, 2.5, 2.5], pbc=True)])
    spring.cutoff = 3.0
    cubic = ColdLattice(chain, {"a": [(0, 1.0)]})
    (slope,) = torch.autograd.grad(cubic.value(spring).sum(), spring.length)
    # the edges of a simple cubic lattice of springs are as long as these
    assert cubic.value(spring).item() == pytest.approx(2.6, abs=1e-7)
    assert float(slope) == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(UserError, match="no cell without stress"):
        ColdLattice(stored_frames([Atoms("Ar", cell=[4.0] * 3, pbc=True)]), edges).value(spring)


def _cube(a: float) -> StoredFrames:
    return stored_frames([bulk("Ar", "fcc", a=a, cubic=True)])


def test_crystals_that_are_refused() -> None:
    """Forces, several frames, and crystals of other numbers."""
    model = argon()
    moved: Atoms = bulk("Ar", "fcc", a=5.2, cubic=True)
    moved.positions[0] += 0.1
    with pytest.raises(UserError, match="force"):
        cold_elastic_constants(model, stored_frames([moved]), "cubic")
    two = stored_frames([bulk("Ar", "fcc", a=a) for a in (5.2, 5.3)])
    with pytest.raises(UserError, match="2 frames"):
        cold_elastic_constants(model, two, "cubic")
    with pytest.raises(UserError, match="as many"):
        energy_difference(model, two, two.take([0]))
