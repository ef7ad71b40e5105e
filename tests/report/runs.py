"""A run directory as csg_inverse leaves it, made without MD."""

import json
from pathlib import Path

import numpy as np

from votca_mlp.tables import Table, grid_points, make_table, read_table, write_table
from votca_mlp.units import KJMOL_PER_EV

GRID = grid_points(0.0, 1.0, 0.005)
NOISE = 0.012


def liquid_target() -> Table:
    """Return the measured g(r) of liquid aluminium that ships with the 1023 K case (nm)."""
    return read_table(Path(__file__).parents[2] / "settings" / "al_1023K" / "Al-Al.dist.tgt")


def make_run(directory: Path, steps: int = 6, *, errors: bool = True, name: str = "Al-Al") -> Path:
    """Write a run whose overstructured g(r) relaxes to the target; the last step has no pot.new yet."""
    rng = np.random.default_rng(7)
    target = liquid_target()
    kbt = 8.506
    u = np.zeros(len(GRID))
    (directory / "step_000").mkdir(parents=True, exist_ok=True)
    write_table(directory / f"{name}.dist.tgt", target)
    write_table(directory / "step_000" / f"{name}.pot.new", make_table(GRID, u))
    for number in range(1, steps + 1):
        step = directory / f"step_{number:03d}"
        step.mkdir(exist_ok=True)
        excess = 0.22 * 0.6 ** (number - 1)
        error = NOISE * np.sqrt(np.maximum(target.y, 0.0)) / np.maximum(10 * GRID / 2.8, 0.3)
        g = np.maximum(target.y + excess * (target.y - 1) * (target.y > 0), 0.0)
        g = np.maximum(g + error * rng.standard_normal(len(g)), 0.0)
        write_table(step / f"{name}.dist.tgt", target)
        write_table(step / f"{name}.dist.new", make_table(GRID, g, yerr=error if errors else None))
        write_table(step / f"{name}.pot.cur", make_table(GRID, u))
        valid = (g > 0) & (target.y > 0)
        change = np.zeros(len(GRID))
        change[valid] = 0.2 * kbt * target.y[valid] * np.log(g[valid] / target.y[valid])
        u = u + change - change[-1]
        if number < steps:
            write_table(step / f"{name}.pot.new", make_table(GRID, u))
        production = {
            "temperature[K]": {"mean": 1022.7, "error": 1.4, "samples": 100},
            "pressure[bar]": {"mean": -120.0 + number, "error": 61.0, "samples": 100},
            "density[kg/m3]": {"mean": 2355.1 - 3 * number, "error": 2.21, "samples": 100},
        }
        summary = {"step": number, "steps_per_second": 61.25, "production": production}
        (step / "md_step.json").write_text(json.dumps(summary))
    return directory


def change_mev(directory: Path, number: int, name: str = "Al-Al") -> float:
    """Return the largest |pot.new - pot.cur| of a step in meV where the target is not zero, by hand."""
    step = directory / f"step_{number:03d}"
    before, after = (np.loadtxt(step / f"{name}.pot.{end}", usecols=1) for end in ("cur", "new"))
    difference = (after - after[-1]) - (before - before[-1])
    return float(1000 / KJMOL_PER_EV * np.abs(difference[liquid_target().y > 0]).max())
