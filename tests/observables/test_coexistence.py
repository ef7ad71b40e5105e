"""Interfaces between crystal and liquid: series made by hand, and a small box of argon."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from typer.testing import CliRunner

from votca_mlp.api import melting
from votca_mlp.api.model import load_model
from votca_mlp.cli.app import app
from votca_mlp.cli.melt import as_plain, in_words
from votca_mlp.engines.plan import MDPlan
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.models.lennard_jones import lennard_jones_mixture
from votca_mlp.observables.coexistence import Moving, interface_motion, melting_point

SOLID, LIQUID, LENGTH, INTERVAL = -3.0, -2.9, 40.0, 100.0


def series(speed: float, samples: int = 400, noise: float = 0.05, seed: int = 1) -> np.ndarray:
    """Return energies of a box whose two interfaces move at a speed (Angstrom/ps) from a half of crystal."""
    fraction = np.clip(0.5 + 2.0 * speed * 1e-3 * INTERVAL * np.arange(samples) / LENGTH, 0.0, 1.0)
    fraction += noise * np.random.default_rng(seed).standard_normal(samples)
    return LIQUID - fraction * (LIQUID - SOLID)


def moved(energies: np.ndarray) -> Moving:
    return interface_motion(energies, SOLID, LIQUID, INTERVAL, LENGTH)


@pytest.mark.parametrize("speed", [0.2, -0.15, 0.6])
def test_speed_until_a_phase_fills_the_box(speed: float) -> None:
    found = moved(series(speed))
    assert found.speed.mean == pytest.approx(speed, abs=4 * found.speed.error + 0.01 * abs(speed))
    assert found.speed.error < 0.15 * abs(speed)
    assert found.direction == np.sign(speed)
    # 0.35 of the box by two interfaces; the average over 5 samples sees it a little late
    end = 0.35 * LENGTH / (2e-3 * abs(speed) * INTERVAL)
    assert found.used.stop == pytest.approx(min(400, end), rel=0.08)


def test_neither_and_at_once() -> None:
    assert moved(series(0.0)).direction == 0
    fast = moved(series(-40.0))
    assert fast.direction == -1
    assert np.isnan(fast.speed.mean)
    with pytest.raises(UserError, match="10 samples after"):
        moved(series(0.0, samples=30))


def test_zero_of_a_straight_line() -> None:
    """The errors are those of many repetitions; what moved at once bounds, and says nothing of the slope."""
    temperatures = [880.0, 900.0, 920.0, 940.0, 960.0]
    random = np.random.default_rng(2)

    def point(first: Moving | None = None):
        speeds = [0.01 * (917.0 - t) + 0.05 * random.standard_normal() for t in temperatures]
        motions = [Moving(np.zeros(1), slice(0), Estimate(v, 0.05), int(np.sign(v))) for v in speeds]
        return melting_point(temperatures, motions if first is None else [first, *motions[1:]])

    found = [point() for _ in range(200)]
    means = [p.temperature.mean for p in found]
    assert np.mean(means) == pytest.approx(917.0, abs=0.6)
    assert np.mean([p.temperature.error for p in found]) == pytest.approx(np.std(means), rel=0.3)
    at_once = Moving(np.zeros(1), slice(0), Estimate(np.nan, np.nan), 1)
    bounded = point(at_once)
    assert bounded.temperature.mean == pytest.approx(917.0, abs=20.0)
    alone = melting_point([900.0], [at_once])
    assert (alone.temperature, alone.bracket) == (None, (900.0, None))


def test_halves_are_joined_with_room() -> None:
    lower = bulk("Ar", "fcc", 5.4, cubic=True).repeat((2, 2, 2))
    upper = lower.copy()
    upper.translate([1.0, 0.5, 0.7])
    upper.rattle(0.2, seed=3)
    both = melting.joined(lower, upper, 5.4, 2.9)
    across = both.get_all_distances(mic=True)[: len(lower), len(lower) :]
    assert 2.9 <= across.min() < 3.2
    assert both.cell[2, 2] < 2 * 10.8 + 2 * 3.0


def test_a_small_box(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Just below where it melts by itself; what is kept is not simulated again."""
    model = load_model(lennard_jones_mixture({"Ar": [0.0104, 3.4]}, 8.5), name="argon", dtype="float64")
    md = MDPlan(40.0, timestep=10.0, equilibration=800.0, production=4000.0, sample_every=50.0)

    def run() -> melting.Melting:
        more = {"cells": (2, 2, 3), "melt_temperature": 250.0, "directory": tmp_path, "name": "argon"}
        return melting.melt(model, "Ar", "fcc", 5.45, [80.0], md, **more)

    # without a simulation nothing is kept that another crystal would not fit
    with pytest.raises(UserError, match="no structure 'hcp'"):
        melting.melt(model, "Ar", "hcp", 3.9, [80.0], md, directory=tmp_path)

    found = run()
    assert found.runs[0].motion.direction == -1
    assert found.runs[0].heat > 0.004
    assert in_words(found) == "melts below 80 K: the crystal melts there"
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("thermo.dat")}
    assert len(times) == 4
    assert as_plain(run()) == as_plain(found)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    json.dumps(as_plain(found), allow_nan=False)
    named = capsys.readouterr().err
    for what in ("crystal", "heating to 250 K", "liquid", "both, seed 1"):
        assert f"argon, 80 K, {what}, step 1: 0 of" in named
    differ = r"of another cells \(\[2, 2, 3\], now \[4, 4, 4\]\), pressure \(1.0, now 500.0\)\n"
    with pytest.raises(UserError, match=differ):
        melting.melt(model, "Ar", "fcc", 5.45, [80.0], replace(md, pressure=500.0), directory=tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--temperatures", "900 x"], "is '900 x'"),
        (["--temperatures", "900", "--cells", "4 4"], "three whole numbers"),
        (["--temperatures", "900", "--length", "400"], "at least 3800 fs"),
        (["--temperatures", "900", "--length", "2900"], "at least 3800 fs, or samples every 50 fs"),
        (["--temperatures", "900", "--seeds", "1.5"], "whole numbers > 0"),
        (["--temperatures", "900", "--structure", "hcp"], "no structure 'hcp'"),
    ],
)
def test_refusals(tmp_path: Path, words: list[str], message: str) -> None:
    fixed = ["melt", "builtin:al-hipnn", "--element", "Al", "--guess", "4.05", "--directory", str(tmp_path)]
    result = CliRunner().invoke(app, [*fixed, *words])
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
    assert not list(tmp_path.rglob("thermo.dat"))
