"""A run directory as csg_inverse leaves it, made without MD."""

import json
import shutil
from pathlib import Path

import numpy as np

from votca_mlp.tables import Table, grid_points, make_table, read_table, write_table
from votca_mlp.units import KJMOL_PER_EV

ROOT = Path(__file__).parents[2]
GRID = grid_points(0.0, 1.0, 0.005)
NOISE = 0.012


def liquid_target() -> Table:
    """Return the measured g(r) of liquid aluminium that ships with the 1023 K case (nm)."""
    return read_table(ROOT / "settings" / "al_1023K" / "Al-Al.dist.tgt")


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


def quickstart_run(directory: Path, steps: int = 4) -> Path:
    """Write such a run with the settings of the quickstart, and tables of its MD."""
    shutil.copytree(ROOT / "settings" / "al_quickstart", directory)
    make_run(directory, steps)
    rng = np.random.default_rng(3)
    for number in range(1, steps + 1):
        lines = ["#step time[fs] temperature[K] pressure[bar] density[kg/m3] stage"]
        for k in range(40):
            values = (
                1023 + 30 * rng.standard_normal(),
                2000 * rng.standard_normal(),
                2350 + 20 * rng.standard_normal(),
            )
            lines.append(
                f"{25 * k} {50 * k} {values[0]:.6g} {values[1]:.6g} {values[2]:.6g} {1 if k < 10 else 2}"
            )
        (directory / f"step_{number:03d}" / "thermo.dat").write_text("\n".join(lines) + "\n")
    return directory


def change_mev(directory: Path, number: int, name: str = "Al-Al") -> float:
    """Return the largest |pot.new - pot.cur| of a step in meV where the target is not zero, by hand."""
    step = directory / f"step_{number:03d}"
    before, after = (np.loadtxt(step / f"{name}.pot.{end}", usecols=1) for end in ("cur", "new"))
    difference = (after - after[-1]) - (before - before[-1])
    return float(1000 / KJMOL_PER_EV * np.abs(difference[liquid_target().y > 0]).max())
