"""Density against a handbook's."""

import pytest

from votca_mlp.observables.density import density


def test_density_of_fcc_aluminium():
    # lattice constant 4.0495 Angstrom, handbook density 2699 kg/m3
    assert density(4 * 26.9815385, 4.0495**3) == pytest.approx(2699, abs=1.5)
