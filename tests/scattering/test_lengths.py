"""Scattering lengths and form factors."""

import numpy as np
import pytest

from votca_mlp.errors import UserError
from votca_mlp.scattering.lengths import form_factor, mean_length, neutron_length, parsed_isotopes


def test_lengths_of_sears() -> None:
    # V. F. Sears, Neutron News 3, 26 (1992), fm
    for isotope, length in (("H", -3.739), ("D", 6.671), ("O", 5.803), ("36Ar", 24.9), ("Al", 3.449)):
        assert neutron_length(isotope) == pytest.approx(length, abs=0.005)


def test_mixtures() -> None:
    found = parsed_isotopes("H:0.5, D:0.5 36Ar")
    assert found == {"H": {"H": 0.5, "D": 0.5}, "Ar": {"36Ar": 1.0}}
    assert mean_length("H", found) == pytest.approx(0.5 * (neutron_length("H") + neutron_length("D")))
    assert mean_length("O", found) == neutron_length("O")


def test_form_factor_is_the_charge_at_zero() -> None:
    assert form_factor("O", np.array([0.0, 50.0])) == pytest.approx([8.0, 0.0], abs=0.5)
    assert form_factor("O", np.zeros(1))[0] == pytest.approx(8.0, abs=0.01)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Q", "'Q' is no isotope"),
        ("H:0.5", "the isotopes of H sum to 0.5"),
        ("H:0.5 D:half", "has no number behind the colon"),
        ("99Al", "no isotope of mass number 99"),
        ("37Al", "length of 37Al is not known"),
        ("H:-1 D:2", "sum"),
    ],
)
def test_bad_isotopes(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parsed_isotopes(text)
