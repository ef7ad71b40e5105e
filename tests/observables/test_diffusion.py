"""Diffusion of a random walk is known; ASE's own estimate is a second opinion."""

import numpy as np
import pytest

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.observables.diffusion import (
    diffusion_coefficient,
    infinite_box,
    mean_square_displacement,
    split,
    unwrap,
)
from votca_mlp.trajectories.frames import Frame


def _walk(rng: np.random.Generator, frames: int, atoms: int, sigma: float) -> np.ndarray:
    steps = sigma * rng.standard_normal((frames, atoms, 3))
    steps[0] = rng.uniform(0, 12, (atoms, 3))
    return np.cumsum(steps, axis=0)


def test_random_walk():
    interval, sigma = 10.0, 0.05
    walks = [_walk(np.random.default_rng(k), 200, 300, sigma) for k in range(12)]
    found = diffusion_coefficient(walks, interval)
    # sigma^2 = 2 D dt along each axis, 1 Angstrom^2/fs = 1e-5 m^2/s; the centre of mass takes one of n atoms
    expected = sigma**2 / (2 * interval) * 1e-5 * (1 - 1 / 300)
    assert abs(found.mean - expected) < 3 * found.error
    assert found.error < 0.05 * expected


def test_equals_ase():
    analysis = pytest.importorskip("ase.md.analysis")
    ase = pytest.importorskip("ase")
    walk = _walk(np.random.default_rng(9), 50, 20, 0.1)
    walk -= (walk - walk[0]).mean(axis=1, keepdims=True)
    images = [ase.Atoms("Al20", positions=p, cell=[12] * 3, pbc=True) for p in walk]
    theirs = analysis.DiffusionCoefficient(images, timestep=5.0)
    theirs.calculate()
    expected = theirs.get_diffusion_coefficients()[0][0] * 1e-5
    assert diffusion_coefficient([walk], 5.0).mean == pytest.approx(expected, rel=1e-9)


def test_drift_is_not_diffusion():
    drift = np.arange(40)[:, None, None] * np.array([0.1, 0.0, -0.2]) + np.zeros((40, 7, 3))
    np.testing.assert_allclose(mean_square_displacement(drift), 0.0, atol=1e-20)


def test_unwrap_undoes_wrapping():
    walk = _walk(np.random.default_rng(3), 300, 10, 0.3)
    box = np.array([12.0, 10.0, 14.0])
    frames = [Frame(p % box, box, np.full(10, "Al")) for p in walk]
    back = unwrap(frames)
    np.testing.assert_allclose(back - back[0], walk - walk[0], atol=1e-9)
    assert np.abs(walk - walk[0]).max() > 7.0


def test_fit_range_and_pieces():
    t = np.arange(100.0)
    # ballistic for the first 20 fs, then diffusive: only the later part has the slope 6 D
    moved = np.where(t < 20, t**2, 400 + 6 * (t - 20))
    positions = np.zeros((100, 2, 3))
    positions[:, 0, 0], positions[:, 1, 0] = np.sqrt(moved), -np.sqrt(moved)
    late = diffusion_coefficient([positions], 1.0, fit_from=20.0)
    assert late.mean == pytest.approx(1e-5)
    assert np.isnan(late.error)
    pieces = split(positions, 30)
    assert len(pieces) == 30
    np.testing.assert_array_equal(pieces[29], positions[87:90])
    with pytest.raises(UserError, match="cannot be cut"):
        split(positions, 40)
    with pytest.raises(UserError, match="too few"):
        diffusion_coefficient([positions], 1.0, fit_from=98.0)
    with pytest.raises(UserError, match="no trajectories"):
        diffusion_coefficient([], 1.0)


def test_without_periodic_images() -> None:
    """Aluminium at 1023 K in a box of 500 atoms: an eighth more (by hand, CODATA's kB)."""
    found = infinite_box(Estimate(7.0e-9, 1e-10), 1023.0, 1.13, 21.25)
    assert found.mean - 7.0e-9 == pytest.approx(2.837297 * 1.380649e-23 * 1023.0 / 4.5263e-11, rel=1e-3)
    assert found.error == 1e-10
