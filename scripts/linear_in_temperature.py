#!/usr/bin/env python3
"""A known answer that is linear in T: u*(r; T) = (1 + c(T)/2) u*(r), found from three temperatures.

    scripts/linear_in_temperature.py DIRECTORY [--seeds 1 2 3] [--iterations N] [--json FILE]

Supercritical argon of one density at 240, 260 and 280 K (scripts/known_states.py), c = -1, 0 and 1. To
targets made with model + u*(r; T) u(r; T) is fitted by Gauss-Newton with one u(r) and with u linear in T, and
with the latter by wIBI (alpha 1, uniform weight: that of a dilute fluid). Printed: distance of u_0 and u_1
from what they should be, meV, RMS without the mean where pairs are, and the RMS of g - g* over the states, by
iteration. Started again in the same directory it goes on.
"""

import argparse
import re
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from known_states import ARGON, EQUAL, edited, make_targets, prepare
from known_tables import seen
from results_file import add_json, rounded, write_result
from second_order import _mean

from votca_mlp.inverse.start import run_inverse
from votca_mlp.settings import load_settings
from votca_mlp.tables import read_table
from votca_mlp.targets.agreement import compare_tables
from votca_mlp.units import KJMOL_PER_EV

SLOPE = 0.5
SHARES = {name: 1.0 + SLOPE * c for name, c in zip(EQUAL, (-1.0, 0.0, 1.0), strict=True)}
FITS = {"gauss_newton, one u": 1, "gauss_newton, linear in T": 2, "wibi, linear in T": 2}
(PAIR,) = ARGON
MEV = 1e3 / KJMOL_PER_EV


def main() -> None:
    """Make the targets, fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--iterations", type=int, default=6, help="default 6")
    add_json(parser)
    options = parser.parse_args()
    found: dict[str, list[list[dict[str, float]]]] = {label: [] for label in FITS}
    for seed in options.seeds:
        case = options.directory.resolve() / str(seed)
        prepare(case, EQUAL, ARGON, iterations=options.iterations, production=4000, replica=seed)
        make_targets(load_settings(case / "settings.xml"), case, ARGON, longer=5.0, signs=SHARES)
        for label, terms in FITS.items():
            run = fit(case, label, terms, options.iterations)
            steps = sorted(path for path in run.glob("step_*") if (path / "done").is_file())[1:]
            found[label].append([facts(case, step, terms) for step in steps])
            print(f"seed {seed}, {label}: {found[label][-1][-1]}", flush=True)
    table: dict[str, dict[str, Any]] = {}
    for label, runs in found.items():
        for number in (2, 4, options.iterations):
            at = [run[number - 1] for run in runs]
            means = {key: _mean([row[key] for row in at]) for key in at[0]}
            table[f"{label} {number}"] = {"seeds": len(at), **means}
            print(label, number, means)
    known = read_table(options.directory / str(options.seeds[0]) / f"{PAIR}.pot.known").y * MEV
    inside = seen(options.directory / str(options.seeds[0]), EQUAL)[PAIR]
    size = float(np.std(known[inside]))
    tables = {"fits": table, "size": {"u*": {"u_0": rounded(size), "u_1": rounded(SLOPE * size)}}}
    write_result(options.json, tables, units={"u_0": "meV", "u_1": "meV"}, seeds=options.seeds)


def fit(case: Path, label: str, terms: int, iterations: int) -> Path:
    """Fit u(r; T), or go on; return the run's folder."""
    run = case / f"fit_{re.sub('[ ,]+', '_', label)}"
    if not (run / "settings.xml").exists():
        shutil.copytree(case, run, ignore=shutil.ignore_patterns("fit_*", "target", "*.known"))
        text = edited((case / "settings.xml").read_text(), {"iterations_max": iterations})
        states = f"<temperature_terms>{terms}</temperature_terms></multistate>"
        text = text.replace("</multistate>", states)
        if label.startswith("gauss_newton"):
            text = re.sub(r"<wibi>.*?</wibi>", "", text, flags=re.DOTALL).replace(">ibi<", ">imc<")
        (run / "settings.xml").write_text(text)
    with open(run / "terminal.log", "a") as terminal, redirect_stdout(terminal), redirect_stderr(terminal):
        run_inverse(run / "settings.xml")
    return run


def facts(case: Path, step: Path, terms: int) -> dict[str, float]:
    """Return how far a step's u_0 and u_1 are from the known ones, and g(r) from its targets."""
    inside = seen(case, EQUAL)[PAIR]
    known = read_table(case / f"{PAIR}.pot.known").y
    u = [read_table(step / f"{PAIR}{term}.pot.new").y for term in ("", ".term1")[:terms]]
    u += [np.zeros(len(known))] * (2 - terms)
    off = [np.std((ours - share * known)[inside]) * MEV for ours, share in zip(u, (1.0, SLOPE), strict=True)]
    squares = []
    for state in EQUAL:
        tables = [
            read_table(folder / f"{PAIR}.dist.{end}")
            for folder, end in ((step / state, "new"), (case / state, "tgt"))
        ]
        squares.append(compare_tables(*tables).rms ** 2)
    return {"u_0": float(off[0]), "u_1": float(off[1]), "rms": float(np.sqrt(np.mean(squares)))}


if __name__ == "__main__":
    main()
