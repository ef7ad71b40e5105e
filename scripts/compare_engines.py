#!/usr/bin/env python3
"""The same liquid aluminium from each engine: density and g(r) with statistical errors, side by side.

    scripts/compare_engines.py [--engines ase lammps gromacs] [--repeats 4] [--equilibration 1000]
                            [--production 6000] [--folder FOLDER] [--json FILE]

500 atoms, 1023 K, 1 bar, the shipped HIP-NN (float32) with a correction, time step 2 fs, a frame every 25
steps; runs that differ in their velocities. First how far the engine's energy, forces and virial of the start
are from the package's own evaluator (the check of step 0 that every run makes); then means over the
production of all runs, with errors from the scatter of the runs, at least those that the runs tell of
themselves. z is a difference from the first engine in units of its standard error. The chi^2 of g(r) is the
mean over the bins beyond 2 Angstrom of z^2, with errors from blocks, divided by what errors from few blocks
make of it; about 1 within noise. With --folder the runs are kept and go on.
"""

import argparse
import platform
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from engine_cases import CASES, ROOT, make_case, missing, run_case, versions_of
from results_file import add_json, number, rounded, write_result

BLOCKS = 10
UNITS = {
    "density": "kg/m3",
    "temperature": "K",
    "pressure": "bar",
    "potential": "eV",
    "energy": "eV/atom",
    "forces": "eV/Angstrom",
}
Rows = dict[str, dict[str, Any]]
QUANTITIES = ("density[kg/m3]", "temperature[K]", "pressure[bar]", "potential[eV]")


def main() -> None:
    """Run the engines one after the other and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--engines", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--equilibration", type=int, default=1000, help="MD steps")
    parser.add_argument("--production", type=int, default=6000, help="MD steps")
    parser.add_argument("--folder", type=Path)
    add_json(parser)
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        where = options.folder or Path(folder)
        where.mkdir(exist_ok=True)
        found: dict[str, list[tuple[Any, Any]]] = {}
        for engine in options.engines:
            if (why := missing(engine)) is not None:
                print(f"{engine}: not run: {why}")
            else:
                found[engine] = []
        for seed in range(1, options.repeats + 1):
            for engine in found:
                run = where / f"{engine}_{seed}"
                found[engine].append(simulate(engine, run, options.equilibration, options.production, seed))
    tables: dict[str, Rows] = {}
    for engine, runs in found.items():
        print(f"{engine}: {versions_of(runs[0][0])}")
        if "step_0_differs_by" in runs[0][0].summary:
            off = runs[0][0].summary["step_0_differs_by"]
            print(f"{engine}: step 0 differs by " + ", ".join(f"{off[name]:.1e} {name}" for name in off))
            row = {name.split("[")[0]: rounded(value) for name, value in off.items()}
            tables.setdefault("step_0", {})[engine] = row
    productions = {
        engine: [result.summary["production"] for result, _ in runs] for engine, runs in found.items()
    }
    tables["means"] = means(productions)
    tables["g"] = distributions({engine: [counts for _, counts in runs] for engine, runs in found.items()})
    write_result(options.json, tables, units=UNITS, seeds=f"1 to {options.repeats}, by run")


def simulate(engine: str, folder: Path, equilibration: int, production: int, seed: int) -> tuple[Any, Any]:
    """Return the result of a run and the pair histograms of its frames."""
    from ase.io import read
    from benchmark_systems import correction

    from votca_mlp.observables.rdf import pair_histograms
    from votca_mlp.settings import load_settings

    if folder.exists():
        settings = load_settings(folder / "settings.xml")
    else:
        atoms = read(ROOT / "settings/al_quickstart/conf.extxyz")
        lengths = {"equilibration": equilibration, "production": production}
        settings = make_case(engine, folder, atoms, **lengths, seed=seed)
    result = run_case(settings, correction(), told=sys.stderr)
    grid = np.arange(0.0, 10.0 + 1e-9, 0.05)
    return result, pair_histograms(frames(settings), [("Al", "Al")], grid)


def frames(settings: Any) -> Iterable[Any]:
    """Return the frames of the production."""
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.settings.plans import md_plan

    plan = md_plan(settings)
    return engine_named(plan.engine).frames(plan, settings.main_directory / "step_001")


def means(production: dict[str, list[dict[str, Any]]]) -> Rows:
    """Print and return the means with errors, and how far they are from the first engine's."""
    first = next(iter(production))
    rows: Rows = {engine: {} for engine in production}
    print(f"\n{'':16s}" + "".join(f"{engine:>24s}" for engine in production) + "   z")
    for name in QUANTITIES:
        if any(name not in found for runs in production.values() for found in runs):
            continue
        known = {engine: combined([found[name] for found in runs]) for engine, runs in production.items()}
        line = f"{name:16s}" + "".join(f"{mean:14.2f} +- {error:6.2f}" for mean, error in known.values())
        z = {
            engine: (mean - known[first][0]) / np.hypot(error, known[first][1])
            for engine, (mean, error) in known.items()
            if engine != first
        }
        print(line + "   " + " ".join(f"{value:+.1f}" for value in z.values()))
        quantity = name.split("[")[0]
        for engine, (mean, error) in known.items():
            rows[engine][quantity] = number(mean, error)
            if engine in z:
                rows[engine][f"z_{quantity}"] = round(float(z[engine]), 1)
    return rows


def combined(runs: list[dict[str, float]]) -> tuple[float, float]:
    """Return mean and standard error of independent runs."""
    values = np.array([run["mean"] for run in runs])
    own = np.sqrt(sum(run["error"] ** 2 for run in runs)) / len(runs)
    scatter = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    return float(values.mean()), float(max(own, scatter))


def distributions(histograms: dict[str, list[Any]]) -> Rows:
    """Print and return the main peak of g(r) and chi^2 against the first engine."""
    rows: Rows = {}
    first = next(iter(histograms))
    pair = ("Al", "Al")
    g: dict[str, tuple[Any, Any]] = {}
    for engine, runs in histograms.items():
        blocks = np.concatenate([found.block_g(pair, found.n_frames // BLOCKS) for found in runs])
        g[engine] = blocks.mean(0), blocks.std(0, ddof=1) / np.sqrt(len(blocks))
    r = histograms[first][0].r
    beyond = r > 2.0
    # <t^2> of a difference of two means, each with its error from n blocks, is about d/(d - 2), d = 2(n - 1)
    degrees = 2 * (BLOCKS * len(histograms[first]) - 1)
    inflation = degrees / (degrees - 2)
    print(f"\n{'g(r)':10s}  frames              peak{'RMS from ' + first:>18s}  expected   chi^2")
    for engine, (mean, error) in g.items():
        top = int(np.argmax(mean))
        frames_of_all = sum(found.n_frames for found in histograms[engine])
        rows[engine] = {"frames": frames_of_all, "peak": number(mean[top], error[top])}
        line = f"{engine:10s}{frames_of_all:8d}{mean[top]:10.3f} +- {error[top]:.3f}"
        if engine != first:
            difference = (mean - g[first][0])[beyond]
            variance = (error**2 + g[first][1] ** 2)[beyond]
            used = variance > 0
            chi2 = float(np.mean(difference[used] ** 2 / variance[used])) / inflation
            rms, expected = np.sqrt(np.mean(difference**2)), np.sqrt(np.mean(variance))
            line += f"{rms:18.4f}{expected:10.4f}{chi2:8.2f}"
            against = {"rms": rounded(rms), "rms_expected": rounded(expected), "chi2": rounded(chi2)}
            rows[engine] |= against
        print(line)
    return rows


if __name__ == "__main__":
    main()
