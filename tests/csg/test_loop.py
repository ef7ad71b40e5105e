"""csg_inverse, unmodified, with real MD of a Lennard-Jones liquid."""

from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import GRID
from votca_mlp.potentials.correction import read_correction
from votca_mlp.tables import grid_points, read_table


def expected_update(step: Path, name: str, kbt: float, alpha: float) -> np.ndarray:
    """Return alpha kBT g_E ln(g/g_E) where both are non-zero, nan elsewhere."""
    rdf, target = (read_table(step / f"{name}.dist.{kind}").y for kind in ("new", "tgt"))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((rdf > 1e-10) & (target > 1e-10), alpha * kbt * target * np.log(rdf / target), np.nan)


def target_of(step: Path) -> np.ndarray:
    return read_table(step / "Ar-Ar.dist.tgt").y


def test_two_iterations_with_stock_hooks(two_steps: tuple[Path, str]) -> None:
    main, output = two_steps
    assert (main / "done").is_file()
    grid = grid_points(*GRID)
    first = read_table(main / "step_000/Ar-Ar.pot.new")
    assert np.array_equal(first.x, grid)
    assert not first.y.any()
    for number in (1, 2):
        step = main / f"step_{number:03d}"
        pure = read_table(step / "Ar-Ar.dpot.pure_ibi")
        wanted = expected_update(step, "Ar-Ar", 0.99774, 0.5)
        known = ~np.isnan(wanted)
        assert known.sum() > 30
        assert pure.y[known] == pytest.approx(wanted[known], abs=1e-12)
        assert (pure.flags == np.where(known, "i", "o")).all()
        # VOTCA's scale halves the shifted update; smoothing then leaves a straight part as it is
        shifted = pure.y - pure.y[-1]
        scaled = read_table(step / "Ar-Ar.dpot.2")
        assert scaled.y == pytest.approx(0.5 * shifted, rel=1e-5, abs=1e-9)
        old, new = (read_table(step / f"Ar-Ar.pot.{kind}") for kind in ("cur", "new"))
        last = read_table(step / "Ar-Ar.dpot.new")
        assert new.y == pytest.approx(old.y + last.y - (old.y + last.y)[-1], abs=1e-9)
        assert (new.flags == "i").all()
        assert new.y[-1] == 0.0
        # where nothing is sampled u is a constant: no force
        spline = read_correction({("Ar", "Ar"): step / "Ar-Ar.pot.new"}).pairs[18, 18]
        _, slope = spline.evaluate(np.linspace(0.5, 2.6, 40))
        assert np.abs(slope).max() < 1e-12
        assert (step / "Ar-Ar.conv").is_file()
        rms = np.sqrt(np.mean((read_table(step / "Ar-Ar.dist.new").y - target_of(step))[20:] ** 2))
        assert f"Ar-Ar: g(r) is {rms:.4f} (rms) from its target" in output
    cur = [read_table(main / f"step_{n:03d}/Ar-Ar.pot.cur").y for n in (1, 2)]
    assert read_table(main / "step_002/Ar-Ar.pot.avg").y == pytest.approx(np.mean(cur, axis=0), abs=1e-5)
    assert (main / "Ar-Ar.dist.new").read_bytes() == (main / "step_002/Ar-Ar.dist.new").read_bytes()
    assert "Convergence sum" in (main / "inverse.log").read_text()
    assert "Iterations are not converged" in output
    # the next step begins where the last one ended
    assert (main / "step_002/conf.extxyz").read_bytes() == (main / "step_001/confout.extxyz").read_bytes()
