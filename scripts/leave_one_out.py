#!/usr/bin/env python3
"""Leave a temperature out: u(r) fitted at 943 and 1323 K, tried at 1023 K against the measured g(r).

    scripts/leave_one_out.py DIRECTORY [--iterations N] [--production FS] [--processes N] [--json FILE]

Settings, start configurations and targets are those of settings/al_multistate (shipped HIP-NN, 500 atoms).
Fits by `votca-mlp inverse`: each temperature for itself; one u(r) for 943 and 1323 K; u(r; T) linear in T
for all three. Every correction is that of the last iteration's simulations; where the fit has none at 1023 K,
one more run is made. Started again in the same directory it goes on.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from results_file import add_json, machine_line, number, rounded, write_result
from run_result import UNITS, iterations, tables_of

from votca_mlp.engines.shared.result import SUMMARY
from votca_mlp.settings import load_settings
from votca_mlp.settings.states import state_named, states_of, write_state_settings
from votca_mlp.tables import Table, read_table, write_table
from votca_mlp.targets.agreement import compare_tables

ROOT = Path(__file__).resolve().parent.parent
CASE = ROOT / "settings" / "al_multistate"
Tables = dict[str, dict[str, dict[str, Any]]]
PAIR, LEFT_OUT = "Al-Al", "1023K"
KBTS = {"943K": 7.84054, "1023K": 8.50570, "1323K": 11.00003}
# several states: their names and the number of terms of u(r; T)
FITS = {
    "shared": (("943K", "1323K"), 1),
    "linear_all": (("943K", "1023K", "1323K"), 2),
}
# what is compared at the temperature left out: in words, the fits that it needs, and the step with its g(r)
RESULTS = {
    "none": ("no correction", ("1023K",), "fit_1023K/step_001"),
    "own": ("u fitted at 1023 K itself", ("1023K",), "fit_1023K/step_{last:03d}"),
    "shared": ("one u, fitted at 943 and 1323 K", ("shared", "1023K"), "trial_shared/step_001"),
    "joined": (
        "u(943 K) and u(1323 K), fitted separately, linear in T between",
        ("943K", "1323K", "1023K"),
        "trial_joined/step_001",
    ),
    "linear_all": (
        "u linear in T, fitted at all three",
        ("linear_all",),
        "fit_linear_all/step_{last:03d}/1023K",
    ),
}


def main() -> None:
    """Fit, try, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--iterations", type=int, default=5, help="of each fit; default 5")
    parser.add_argument("--production", type=float, default=4000, help="fs an iteration; default 4000")
    parser.add_argument("--processes", type=int, default=2, help="at the same time; default 2")
    parser.add_argument("--without", nargs="*", default=[], choices=RESULTS, help="what to leave out")
    add_json(parser)
    options = parser.parse_args()
    main = options.directory.resolve()
    results = {name: RESULTS[name] for name in RESULTS if name not in options.without}
    with ThreadPoolExecutor(options.processes) as pool:
        done: dict[str, Future[None]] = {}
        waiting = []
        for name, (_, fits, where) in results.items():
            for fit in fits:
                if fit not in done:
                    prepare_fit(main / f"fit_{fit}", fit, options)
                    done[fit] = pool.submit(run, main / f"fit_{fit}")
            if where.startswith("trial"):
                waiting.append(pool.submit(attempt, main, name, [done[fit] for fit in fits], options))
        for job in (*done.values(), *waiting):
            job.result()
    tables = print_table(main, results, options.iterations)
    if results.keys() == RESULTS.keys():
        tables |= compared(main, tables["corrections"])
    write_result(options.json, tables, units=UNITS, seeds="those of the case; 7 for the trials")


def attempt(main: Path, name: str, fits: list["Future[None]"], options: argparse.Namespace) -> None:
    """Try a correction at the temperature left out, when what it needs is fitted."""
    for fit in fits:
        fit.result()
    prepare_trial(main, name, options)
    run(main / f"trial_{name}")


def prepare_fit(run: Path, name: str, options: argparse.Namespace) -> None:
    """Make the folder of a fit: one state for itself, or several."""
    if (run / "settings.xml").exists():
        return
    if name in KBTS:
        one_state(run, name)
        several = {}
    else:
        states, terms = FITS[name]
        run.mkdir(parents=True, exist_ok=True)
        for state in states:
            shutil.copytree(CASE / state, run / state, dirs_exist_ok=True)
        shutil.copy(CASE / "topol.xml", run)
        shutil.copy(CASE / "settings.xml", run / "settings.xml.part")
        several = {
            "state_names": " ".join(states),
            "state_weights": " ".join("1" for _ in states),
            "state_kBTs": " ".join(f"{KBTS[state]:.5f}" for state in states),
            "temperature_terms": terms,
            "tasks": 1,
        }
    edit(run, {"iterations_max": options.iterations, **length(options.production), **several})


def length(production: float) -> dict[str, object]:
    """Return the tags for a length of production, fs: eight blocks of frames."""
    return {"production": production, "block_length": round(production / 50 / 8)}


def one_state(run: Path, state: str) -> None:
    """Copy a state of the case into a folder where it runs alone."""
    shutil.copytree(CASE / state, run, dirs_exist_ok=True)
    shutil.copy(CASE / "topol.xml", run)
    write_state_settings(state_named(load_settings(CASE / "settings.xml"), state), run / "settings.xml.part")


def edit(run: Path, changes: dict[str, object]) -> None:
    """Replace the text of simple tags; settings.xml appears when the folder is complete."""
    part = run / "settings.xml.part"
    text = part.read_text()
    for tag, value in changes.items():
        text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text)
    part.write_text(text)
    part.rename(run / "settings.xml")


def prepare_trial(main: Path, name: str, options: argparse.Namespace) -> None:
    """Make the folder of one run at the temperature left out, with the correction as NAME.pot.in."""
    run = main / f"trial_{name}"
    if (run / "settings.xml").exists():
        return
    one_state(run, LEFT_OUT)
    # nearer to equilibrium than the start of the case
    last = f"step_{options.iterations:03d}"
    shutil.copy(main / f"fit_{LEFT_OUT}" / last / "confout.extxyz", run / "conf.extxyz")
    write_table(run / f"{PAIR}.pot.in", correction(main, name, last))
    edit(run, {"iterations_max": 1, "first_equilibration": 1000, **length(options.production), "seed": 7})


def correction(main: Path, name: str, last: str) -> Table:
    """Return the u(r) of a trial: that of the last simulations of its fits."""
    if name == "shared":
        return read_table(main / "fit_shared" / last / f"{PAIR}.pot.cur")
    temperatures = {s.name: s.temperature for s in states_of(load_settings(CASE / "settings.xml"))}
    cold, hot = (read_table(main / f"fit_{state}" / last / f"{PAIR}.pot.cur") for state in ("943K", "1323K"))
    part = (temperatures[LEFT_OUT] - temperatures["943K"]) / (temperatures["1323K"] - temperatures["943K"])
    return cold.with_y((1.0 - part) * cold.y + part * hot.y)


def run(directory: Path) -> None:
    """Run `votca-mlp inverse` in a folder; one that is done ends at once."""
    command = [sys.executable, "-m", "votca_mlp", "inverse", "--options", "settings.xml"]
    done = subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{directory}:\n{done.stderr or done.stdout}")
    print(f"{directory.name} is done", flush=True)


def print_table(main: Path, results: Mapping[str, tuple[str, tuple[str, ...], str]], last: int) -> Tables:
    """Print and return what each correction does at the temperature left out."""
    print(f"\n{machine_line()}\n")
    rows: dict[str, dict[str, Any]] = {}
    print(f"{'correction':<64} {'rms of g - g_E':>16} {'largest':>8} {'peak':>6} {'density [kg/m3]':>16}")
    for name, (words, _, where) in results.items():
        step = main / where.format(last=last)
        target = step / f"{PAIR}.dist.tgt"
        found = compare_tables(read_table(step / f"{PAIR}.dist.new"), read_table(target))
        density = json.loads((step / SUMMARY).read_text())["production"]["density[kg/m3]"]
        print(
            f"{words:<64} {found.rms:.4f} +- {found.rms_error:.4f} {found.largest:8.4f}"
            f" {found.peak.height:6.3f} {density['mean']:9.1f} +- {density['error']:.1f}"
        )
        rows[name] = {
            "correction": words,
            "rms": number(found.rms, found.rms_error),
            "largest": rounded(found.largest),
            "peak": rounded(found.peak.height),
            "density": number(density["mean"], density["error"]),
        }
    peak = found.target_peak.height
    print(f"measured g(r): peak {peak:.3f}")
    return {"corrections": rows, "measured": {LEFT_OUT: {"peak": rounded(peak)}}}


def compared(main: Path, corrections: Mapping[str, Any]) -> Tables:
    """Return what else the fits say: at the ends, of a common part, of the model's error by temperature."""
    ends: dict[str, dict[str, Any]] = {}
    shared, linear = (tables_of(main / f"fit_{name}") for name in ("shared", "linear_all"))
    own = {state: iterations(main / f"fit_{state}") for state in KBTS}
    for state in ("943K", "1323K"):
        label = f"{state} {PAIR}"
        rows = {"own": own[state][-1], "shared": shared["last"][label], "linear_all": linear["last"][label]}
        ends[state] = {name: row["rms"] for name, row in rows.items()}
    # of the model alone
    peaks = {state: rows[0]["peak"]["value"] - rows[0]["peak_target"] for state, rows in own.items()}
    too_high = {state: {"peak": number(peaks[state], own[state][0]["peak"]["error"])} for state in KBTS}
    cold, middle, hot = KBTS.values()
    line = float(np.interp(middle, [cold, hot], [peaks["943K"], peaks["1323K"]]))
    one, two = corrections["shared"]["rms"], corrections["joined"]["rms"]
    gain = number(two["value"] - one["value"], float(np.hypot(one["error"], two["error"])))
    none = corrections["none"]["density"]["value"]
    moves = {name: corrections[name]["density"]["value"] - none for name in ("shared", "joined")}
    return {
        "ends": ends,
        "rest": {"shared": shared["together"][PAIR], "linear_all": linear["together"][PAIR]},
        "peak_too_high": {**too_high, "line": {"peak": rounded(line)}},
        "last_change": {"1323K": {"du": own["1323K"][-1]["du"]}},
        "gain": {"shared over joined": {"rms": gain}},
        "density_moves": {name: {"density": rounded(value)} for name, value in moves.items()},
    }


if __name__ == "__main__":
    main()
