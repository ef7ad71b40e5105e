"""Comparing an export with what it was made from."""

import numpy as np
import pytest

from tests.export.runs import mixture
from votca_mlp.deploy.compare import (
    EXACT,
    Answer,
    Tolerance,
    compare,
    of_correction,
    of_pair_function,
    other_configuration,
)
from votca_mlp.errors import UserError
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection

OWN = Answer(-10.0, np.zeros((4, 3)), np.zeros((3, 3)))


def test_differences_in_their_units() -> None:
    force, stress = np.zeros((4, 3)), np.zeros((3, 3))
    force[2, 1], stress[0, 2] = -0.003, 1e-6
    found = compare("x", Answer(-10.004, force, stress), OWN, Tolerance(0.01, 0.01, 10.0))
    assert found.atoms == 4
    assert found.energy == pytest.approx(0.001)
    assert found.force == pytest.approx(0.003)
    # 1 eV/Angstrom^3 is 1.602e6 bar
    assert found.pressure == pytest.approx(1.602176634)
    assert str(found) == (
        "x, 4 atoms: energy differs by 1.0e-03 eV/atom, forces by 3.0e-03 eV/A, stress by 1.6e+00 bar"
    )


@pytest.mark.parametrize("energy", [-10.1, float("nan")])
def test_too_far_off(energy: float) -> None:
    with pytest.raises(UserError, match="not what it was made from"):
        compare("x", Answer(energy, OWN.forces, OWN.stress), OWN, EXACT)


def test_a_pair_function_summed_over_pairs() -> None:
    r = 0.05 * np.arange(121)
    spline = akima_from_points(r, 0.02 * np.cos(2 * r) - 0.02 * np.cos(12.0))
    correction = PairCorrection({(18, 36): spline})
    atoms = mixture()

    def function(a: int, b: int, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return spline.evaluate(r) if (a, b) == (18, 36) else (0.0 * r, 0.0 * r)

    found = compare("x", of_pair_function(function, 6.0, atoms), of_correction(correction, atoms), EXACT)
    assert found.good


def test_another_number_of_atoms() -> None:
    atoms = mixture()
    other = other_configuration(atoms)
    assert len(other) == len(atoms) - len(range(3, len(atoms), 7))
