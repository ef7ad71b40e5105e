"""The validator passes sound models and names what is wrong with unsound ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones

from tests.models.ani.neurochem_files import write_model
from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.evaluation.result import Evaluation
from votca_mlp.evaluation.validate import validate_model
from votca_mlp.models.ani.model import AniModel
from votca_mlp.models.ani.neurochem import read_neurochem
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection


@pytest.fixture
def atoms() -> Atoms:
    atoms = bulk("Al", "fcc", 4.2, cubic=True) * (2, 2, 2)
    atoms.rattle(0.15, seed=1)
    shear = np.array([[1.02, 0.05, 0.0], [0.0, 0.98, 0.03], [0.0, 0.0, 1.0]])
    atoms.set_cell(atoms.cell.array @ shear, scale_atoms=True)
    return atoms


@pytest.fixture
def correction() -> PairCorrection:
    r = np.linspace(0.0, 6.0, 121)
    return PairCorrection({(13, 13): akima_from_points(r, 0.05 * np.exp(-((r - 3.0) ** 2)))})


def lennard_jones() -> LennardJones:
    return LennardJones(sigma=2.5, epsilon=0.1, rc=6.0, smooth=True)


def test_ani_in_both_precisions(data_dir: Path, atoms: Atoms, correction: PairCorrection) -> None:
    source = read_neurochem(data_dir / "ani-al" / "model-Al-75")
    for dtype in (torch.float64, torch.float32):
        report = validate_model(PairListEvaluator(AniModel(source), correction, dtype=dtype), atoms)
        assert report.problems() == []
        assert report.dtype == str(dtype).removeprefix("torch.")
        assert report.force_scale > 0.1


def test_calculator_with_and_without_correction(atoms: Atoms, correction: PairCorrection) -> None:
    plain = validate_model(CalculatorEvaluator(lennard_jones()), atoms)
    corrected = validate_model(CalculatorEvaluator(lennard_jones(), correction), atoms)
    assert plain.problems() == corrected.problems() == []
    assert plain.force_error < 1e-9
    assert plain.force_scale != corrected.force_scale


def test_cluster_without_a_box(tmp_path: Path, atoms: Atoms) -> None:
    atoms.pbc = False
    atoms.cell = None
    model = AniModel(read_neurochem(write_model(tmp_path / "model")))
    report = validate_model(PairListEvaluator(model, dtype=torch.float64), atoms)
    assert report.problems() == []
    assert np.isnan(report.stress_error)
    assert np.isnan(report.image_energy)


class Spoilt(Evaluator):
    """A sound evaluator with something added to its results."""

    def __init__(self, spoil: Callable[[Atoms, Evaluation], Evaluation]) -> None:
        self.sound, self.spoil = CalculatorEvaluator(lennard_jones()), spoil

    def evaluate(self, atoms: Atoms) -> Evaluation:
        return self.spoil(atoms, self.sound.evaluate(atoms))

    def forget(self) -> None:
        self.sound.forget()


def changed(e: Evaluation, energy: float = 0.0, forces: object = 0.0, stress: object = 0.0) -> Evaluation:
    return Evaluation(
        e.energy + energy,
        e.forces + np.asarray(forces),
        e.stress + np.asarray(stress),
        e.member_energies,
    )


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda a, e: changed(e, forces=0.01 * e.forces), {"force_error"}),
        (lambda a, e: changed(e, stress=0.01 * e.stress), {"stress_error"}),
        (lambda a, e: changed(e, forces=1e-3), {"force_error", "net_force"}),
        (
            lambda a, e: changed(e, energy=0.1 * a.positions[:, 0].sum()),
            {"force_error", "translation_energy"},
        ),
        (lambda a, e: changed(e, energy=a.cell[0, 0]), {"rotation_energy", "stress_error"}),
        (lambda a, e: changed(e, energy=a.get_distance(0, 1)), {"permutation_energy", "force_error"}),
        (lambda a, e: changed(e, energy=1.0), {"image_energy"}),
        (lambda a, e: changed(e, stress=[[0, 0, 0], [0, 0, 0], [0, 0, 1e-3]]), {"rotation_stress"}),
    ],
)
def test_names_what_is_wrong(atoms: Atoms, spoil: Callable, named: set[str]) -> None:
    problems = validate_model(Spoilt(spoil), atoms).problems()
    assert named <= {problem.split()[0] for problem in problems}


def test_names_a_memory(atoms: Atoms) -> None:
    calls: list[int] = []

    def drift(_: Atoms, e: Evaluation) -> Evaluation:
        calls.append(1)
        return changed(e, energy=1e-3 * len(calls))

    problems = validate_model(Spoilt(drift), atoms).problems()
    assert any(problem.startswith("repeat_energy") for problem in problems)


def test_not_finite(atoms: Atoms) -> None:
    report = validate_model(Spoilt(lambda a, e: changed(e, forces=np.nan)), atoms)
    assert "energy, forces or stress are not finite" in report.problems()


def rounded(e: Evaluation) -> Evaluation:
    """As a model in float32 does, whose energy is a large number with seven digits."""
    return Evaluation(float(np.float32(e.energy - 120.0)), e.forces, e.stress, e.member_energies)


def test_steps_and_limits_from_the_rounding_of_the_energy(atoms: Atoms) -> None:
    report = validate_model(Spoilt(lambda a, e: rounded(e)), atoms)
    assert report.dtype == "float32"
    assert 1e-6 < report.energy_rounding < 1e-5
    assert 0.005 < report.step <= 0.015
    assert not [problem for problem in report.problems() if problem.startswith("force_error")]
    # with the step that suits float64 it would be beyond the limit
    assert validate_model(Spoilt(lambda a, e: rounded(e)), atoms, step=1e-3).force_error > 2e-3
    wrong = validate_model(Spoilt(lambda a, e: changed(rounded(e), forces=0.05 * e.forces)), atoms)
    assert any(problem.startswith("force_error") for problem in wrong.problems())
