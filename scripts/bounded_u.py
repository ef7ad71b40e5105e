#!/usr/bin/env python3
"""Whether a u(r) within limits would meet a measured g(r) and its density: predicted, and simulated.

    scripts/bounded_u.py RUNS DIRECTORY [--limits 70 50] [--seeds 1 2 3] [--json FILE]

RUNS is the directory of scripts/second_order.py with runs of gauss_newton in al_1023K and al_flawed. All
simulations of the first one of each say what u(r) is likely. Tables, with the largest u where g* > 0.3 (meV),
RMS from the target and distance of the density from the measured one (%):

held
    Predicted, with the amplitude of u chosen by the data and held at so many meV.
predicted
    Of the u(r) with at most LIMIT meV where g* > 0.3 and a density that is predicted to be within 0.7 %,
    the likeliest, and what the limits cost in chi2.
found
    Those, simulated once a seed in DIRECTORY/CASE/LIMIT/SEED.
"""

import argparse
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from priors import MEV
from results_file import add_json, rounded, write_result
from second_order import CASES, report
from solved_again import Stored, paths, row

from votca_mlp.tables import make_table, read_table, write_table
from votca_mlp.update.gauss_newton.limit import within

Array = NDArray[np.float64]
HELD = (50.0, 20.0, 10.0, 5.0, 2.0)
DENSITY = 0.7
"""%; the error of a measured density at the 95 % level (Assael et al. 2006)."""


def main() -> None:
    """Solve, simulate, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--limits", nargs="+", type=float, default=[70.0, 50.0], help="meV")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    add_json(parser)
    options = parser.parse_args()
    tables: dict[str, dict[str, Any]] = {"held": {}, "predicted": {}, "found": {}}
    for case in ("al_1023K", "al_flawed"):
        run = paths(options.runs, case)[0]
        stored = Stored(run, "independent")
        for held in (None, *HELD):
            label = f"{case} {'chosen' if held is None else f'{held:g}'}"
            made = stored.whole_way(stored.layout.wanted.variances, None if held is None else held / MEV)
            tables["held"][label] = {key: rounded(value) for key, value in made.items()}
            print("amplitude held:", label, tables["held"][label], flush=True)
        for limit in options.limits:
            label = f"{case} {limit:g}"
            coefficients, cost = likeliest(stored, limit)
            predicted = {**stored.predicted(coefficients), "chi2": cost}
            tables["predicted"][label] = {key: rounded(value) for key, value in predicted.items()}
            print(label, tables["predicted"][label], flush=True)
            u = stored.layout.bases[stored.name].values @ coefficients
            found = []
            for seed in options.seeds:
                folder = options.directory / case / f"{limit:g}" / str(seed)
                found.append(simulated(run, folder, stored.name, u, case, seed))
                print(label, seed, found[-1], flush=True)
            tables["found"][label] = {"seeds": len(found), **row(found)}
    units = {"largest_u": "meV", "density_off": "%"}
    write_result(options.json, tables, units=units, seeds=options.seeds)


def likeliest(stored: Stored, limit: float) -> tuple[Array, float]:
    """Return the likeliest coefficients with u and density within limits, and what these cost in chi2.

    Parameters
    ----------
    stored
        The simulations, and the data.
    limit
        Of the size of u where g* > 0.3, meV.
    """
    wanted = replace(stored.layout.wanted, largest=np.full(len(stored.layout.wanted.values), np.inf))
    free = stored.solved(len(stored.responses), wanted).inferred
    values, changes = stored.linear()
    measured, rows = wanted.values[stored.density], stored.layout.bases[stored.name].values[stored.seen]
    unit = 0.01 * DENSITY * measured
    middle = np.append(np.zeros(len(rows)), (measured - values[stored.density]) / unit)
    limits = np.vstack([rows * MEV / limit, changes[stored.density] / unit])
    return within(free.coefficients, free.covariance, limits, middle)


def simulated(run: Path, folder: Path, name: str, u: Array, case: str, seed: int) -> dict[str, float]:
    """Return RMS and density of one simulation with u (kJ/mol), made as those of the run were."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for path in run.iterdir():
            if path.is_file() and path.suffix in (".tgt", ".extxyz"):
                shutil.copy(path, folder)
        shutil.copy(run / "topol.xml", folder)
        text = (run / "settings.xml").read_text()
        for tag, value in {"iterations_max": 1, "seed": seed}.items():
            text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text)
        (folder / "settings.xml").write_text(text)
        grid = read_table(run / f"{name}.dist.tgt").x
        write_table(folder / f"{name}.pot.in", make_table(grid, u, comments=("u within limits",)))
    command = [sys.executable, "-m", "votca_mlp", "inverse", "--options", "settings.xml"]
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
    (step,) = report(folder, CASES[case])
    density = CASES[case].density
    assert density is not None
    return {
        "rms": step["rms"]["value"],
        "density_off": 100.0 * (step["density"]["value"] / density - 1.0),
    }


if __name__ == "__main__":
    main()
