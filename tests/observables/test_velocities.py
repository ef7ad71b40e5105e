"""Velocities' autocorrelation: the identity with the mean square displacement, and a known process."""

import numpy as np
import pytest

from votca_mlp.errors import UserError
from votca_mlp.observables.velocities import integrated_diffusion, velocity_autocorrelation

INTERVAL = 10.0


def _damped(seed: int, frames: int = 400, atoms: int = 300, keep: float = 0.9) -> np.ndarray:
    """Return positions of atoms whose velocities forget a tenth of themselves from frame to frame."""
    rng = np.random.default_rng(seed)
    v = np.empty((frames, atoms, 3))
    v[0] = rng.standard_normal((atoms, 3))
    for k in range(1, frames):
        v[k] = keep * v[k - 1] + np.sqrt(1.0 - keep**2) * rng.standard_normal((atoms, 3))
    return np.cumsum(0.005 * INTERVAL * v, axis=0)


def test_half_the_slope_of_the_displacement() -> None:
    positions = _damped(1)
    centred = positions - positions.mean(axis=1, keepdims=True)
    products = velocity_autocorrelation(positions, INTERVAL, 1)
    moved = [np.square(centred[k:] - centred[: len(centred) - k]).sum(-1).mean() for k in (1, 2)]
    # <x(2)^2> - <x(1)^2> = 2 (C0 + 2 C1)/2 interval^2, but for the two ends
    assert moved[1] - moved[0] == pytest.approx(INTERVAL**2 * (products[0] + 2.0 * products[1]), rel=2e-3)


def test_known_decay() -> None:
    # as many as the paper's, so that their scatter gives an error to rely on
    found, curve = integrated_diffusion([_damped(seed, atoms=100) for seed in range(30)], INTERVAL, 600.0)
    np.testing.assert_allclose(curve[:20] / curve[0], 0.9 ** np.arange(20), atol=0.02)
    # D = interval <v^2> (1/2 + 0.9 + 0.81 + ...), 1 Angstrom^2/fs = 1e-5 m^2/s; the centre takes one atom
    expected = 1e-5 * INTERVAL * 0.005**2 * (0.5 + 0.9 * (1.0 - 0.9**60) / 0.1) * (1.0 - 1.0 / 100)
    assert abs(found.mean - expected) < 3.0 * found.error
    assert found.error < 0.03 * expected


def test_too_short() -> None:
    with pytest.raises(UserError, match="no velocities 500 fs apart"):
        integrated_diffusion([_damped(1, frames=50)], INTERVAL, 500.0)
