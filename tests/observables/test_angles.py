"""Angles and neighbours in crystals, where they are known, and in fusion's own observable."""

import numpy as np
import pytest
from ase.build import bulk

from votca_mlp.errors import UserError
from votca_mlp.observables.angles import first_minimum, surroundings, surroundings_by_kind
from votca_mlp.trajectories.frames import frame_from_atoms


def test_fcc() -> None:
    """12 neighbours; of their 66 pairs 24 at 60, 12 at 90, 24 at 120 and 6 at 180 degrees."""
    frame = frame_from_atoms(bulk("Al", "fcc", a=4.05, cubic=True).repeat(3))
    found = surroundings([frame] * 8, 3.4, bins=37)
    assert found.coordination.mean == 12.0
    assert found.coordination.error == 0.0
    width = 180.0 / 37
    assert found.density.sum() * width == pytest.approx(1.0)
    shares = {
        round(float(a)): float(d) * width for a, d in zip(found.angles, found.density, strict=True) if d > 0
    }
    by_angle = {
        angle: sum(s for a, s in shares.items() if abs(a - angle) < 3) for angle in (60, 90, 120, 178)
    }
    assert by_angle == pytest.approx({60: 24 / 66, 90: 12 / 66, 120: 24 / 66, 178: 6 / 66})


def test_errors_and_refusals() -> None:
    rng = np.random.default_rng(1)
    atoms = bulk("Al", "fcc", a=4.05, cubic=True).repeat(3)
    frames = []
    for _ in range(16):
        moved = atoms.copy()
        moved.positions += 0.1 * rng.standard_normal(moved.positions.shape)
        frames.append(frame_from_atoms(moved))
    found = surroundings(frames, 3.4, bins=30)
    assert np.all(np.isfinite(found.error))
    assert found.error.max() > 0.0
    # short series have no error
    assert np.all(np.isnan(surroundings(frames[:3], 3.4).error))
    with pytest.raises(UserError, match="no frames"):
        surroundings([], 3.0)
    with pytest.raises(UserError, match="no angles"):
        surroundings(frames, 0.5)


def test_first_minimum() -> None:
    r = np.arange(0.0, 8.0, 0.05)
    g = np.where(
        r < 2.2, 0.0, 1.0 + 1.6 * np.exp(-(((r - 2.8) / 0.3) ** 2)) - 0.4 * np.exp(-(((r - 3.9) / 0.4) ** 2))
    )
    assert first_minimum(r, g) == pytest.approx(3.9, abs=0.051)
    with pytest.raises(UserError, match="ends before its first minimum"):
        first_minimum(r[r < 3.5], g[r < 3.5])


def test_by_species_in_rock_salt() -> None:
    """Six others at right angles; twelve of one's own, where their distance is asked for."""
    frame = frame_from_atoms(bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat(2))
    found = surroundings_by_kind([frame] * 8, {("Cl", "Na"): 3.2, ("Na", "Na"): 4.2}, bins=37)
    numbers = {"-".join(key): value.mean for key, value in found.coordination.items()}
    assert numbers == {"Cl-Cl": 0.0, "Cl-Na": 6.0, "Na-Cl": 6.0, "Na-Na": 12.0}
    # 15 pairs of chlorine around sodium: 12 at 90 and 3 at 180 degrees; 12 * 6 of one of each
    width = 180.0 / 37
    shares = {"-".join(key): np.round(curve[0] * width, 6) for key, curve in found.densities.items()}
    assert set(shares) == {"Cl-Na-Cl", "Na-Cl-Na", "Cl-Na-Na", "Na-Na-Na"}
    assert shares["Cl-Na-Cl"][int(90 / width)] == pytest.approx(0.8)
    assert shares["Cl-Na-Cl"][-1] == pytest.approx(0.2)
    assert {round(float(a)) for a in found.angles[shares["Cl-Na-Na"] > 0]} == {46, 90, 134}
