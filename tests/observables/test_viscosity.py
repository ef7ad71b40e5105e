"""Shear viscosity of a stress whose correlation is known."""

import numpy as np
import pytest

from votca_mlp.errors import UserError
from votca_mlp.observables.viscosity import shear_viscosity
from votca_mlp.units import KB_EV_PER_K

INTERVAL, VOLUME, TEMPERATURE, KEEP, SIZE = 10.0, 9000.0, 1000.0, 0.8, 1e-4


def _stress(frames: int) -> np.ndarray:
    """Return the stress of a liquid; its components off the diagonal have SIZE."""
    rng = np.random.default_rng(5)
    symmetric = rng.standard_normal((frames, 3, 3))
    # variance 1 off and 2 on the diagonal: isotropic
    noise = (symmetric + np.swapaxes(symmetric, 1, 2)) / np.sqrt(2.0)
    stress = np.empty_like(noise)
    stress[0] = noise[0]
    for k in range(1, frames):
        stress[k] = KEEP * stress[k - 1] + np.sqrt(1.0 - KEEP**2) * noise[k]
    # a pressure does not count
    return SIZE * stress + 0.01 * np.eye(3)


def test_known_correlation() -> None:
    found = shear_viscosity(_stress(40000), INTERVAL, VOLUME, TEMPERATURE, until=300.0)
    # V/kT <P_xy^2> interval (1/2 + 0.8 + 0.64 + ...); 1 eV fs/Angstrom^3 = 0.16 mPa s
    integral = INTERVAL * SIZE**2 * (0.5 + KEEP / (1.0 - KEEP))
    expected = 0.1602176634 * VOLUME * integral / (KB_EV_PER_K * TEMPERATURE)
    assert abs(found.mean - expected) < 3.0 * found.error
    assert found.error < 0.05 * expected


def test_short_pieces() -> None:
    with pytest.raises(UserError, match="10 pieces of 200 fs"):
        shear_viscosity(_stress(200), INTERVAL, VOLUME, TEMPERATURE, until=150.0)
