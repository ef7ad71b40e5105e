#!/usr/bin/env python3
"""Gauss-Newton beside wIBI, with the same MD a run: known answers (twins) and measured liquids.

    scripts/second_order.py DIRECTORY CASE... [--rules gauss_newton wibi:0.5] [--seeds 1 2 3] [--iterations N]
                            [--json FILE]

CASE is one of al_twin, lj_mixture (twins: a target and a density made with model + u*), al_1023K, al_943K,
al_1323K, ani_1023K (measured), al_states and al_states_linear (measured at 943, 1023 and 1323 K at once, one
u(r), and u linear in T), al_flawed and al_twin_flawed (measured at 1023 K, and the twin, with a plateau put
below the first peak). A rule is gauss_newton, gauss_newton:simulated (targets with errors of a simulation:
for twins), gauss_newton:LIMIT:ERROR (u within LIMIT eV, and a standard error of the target), wibi:ALPHA, or
ibi:ALPHA (plain IBI, w = 1; VOTCA's own update has alpha 1).
Every run has its folder DIRECTORY/CASE/RULE/SEED; started again, what is there goes on. Needs no data but
those of settings/; ani_1023K needs VOTCA_MLP_DATA.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results_file import ROOT, add_json, number, rounded, write_result

from votca_mlp.inverse.from_settings import state_plan
from votca_mlp.inverse.twin import known_correction, simulate_targets
from votca_mlp.observables.store import read_observables
from votca_mlp.runs.reading import interaction_names
from votca_mlp.settings import load_settings
from votca_mlp.settings.plans import md_plan
from votca_mlp.tables import Table, grid_points, read_table, write_table
from votca_mlp.targets.agreement import compare_tables
from votca_mlp.trajectories.recorded import read_recorded
from votca_mlp.units import KJMOL_PER_EV, kbt_kjmol

Array = NDArray[np.float64]
Bumps = tuple[tuple[float, float, float], ...]
LONGER = 4.0
"""Times as long as one iteration is the simulation that a twin's target comes from."""
SPREAD = 0.004
"""Relative standard error of a measured density (Assael et al. 2006 say 0.7 % at the 95 % level)."""


@dataclass(frozen=True)
class Case:
    """A case.

    Attributes
    ----------
    settings
        Folder of settings/ that it is made of.
    known
        u* of each interaction: height in eV, centre and width in nm of Gaussians; empty for measured data.
    density
        Measured, kg/m3; of a twin, that of its target's simulation.
    flaw
        Whether a plateau of 0.2 to 0.27 is put into the target from 2.15 to 2.3 Angstrom.
    temperature
        K; the settings and their start are at 1023 K. The target is then that of settings/al_<T>K.
    model
        Kind and file in the place of those of the settings.
    states
        Temperatures of several states, K, by their folders in the settings.
    terms
        Of u(r; T).
    """

    settings: str
    known: dict[str, Bumps] | None = None
    density: float | None = None
    flaw: bool = False
    temperature: float | None = None
    model: tuple[str, str] | None = None
    states: Mapping[str, float] = field(default_factory=dict)
    terms: int = 1


def assael(temperature: float) -> float:
    """Return the density of liquid Al, kg/m3 (M. J. Assael et al., J. Phys. Chem. Ref. Data 35, 285)."""
    return 2377.23 - 0.311 * (temperature - 933.47)


STATES = {f"{t}K": float(t) for t in (943, 1023, 1323)}
ALUMINIUM: dict[str, Bumps] = {"Al-Al": ((0.018, 0.27, 0.03), (-0.014, 0.36, 0.05), (0.007, 0.50, 0.06))}
CASES = {
    "al_twin": Case("al_quickstart", ALUMINIUM),
    "al_twin_flawed": Case("al_quickstart", ALUMINIUM, flaw=True),
    "lj_mixture": Case("lj_mixture", {"Ar-Kr": ((0.0025, 0.37, 0.04), (-0.0012, 0.50, 0.06))}),
    "al_1023K": Case("al_quickstart", density=assael(1023.0)),
    "al_943K": Case("al_quickstart", density=assael(943.0), temperature=943.0),
    "al_1323K": Case("al_quickstart", density=assael(1323.0), temperature=1323.0),
    "al_states": Case("al_multistate", states=STATES),
    "al_states_linear": Case("al_multistate", states=STATES, terms=2),
    "al_flawed": Case("al_quickstart", density=assael(1023.0), flaw=True),
    "ani_1023K": Case(
        "al_quickstart", density=assael(1023.0), model=("ani", "$VOTCA_MLP_DATA/ani-al/model-Al-75")
    ),
}


def main() -> None:
    """Run every case with every rule and seed, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("cases", nargs="+", choices=CASES)
    parser.add_argument("--rules", nargs="+", default=["gauss_newton", "wibi:0.5"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--iterations", type=int, default=5, help="of gauss_newton; default 5")
    parser.add_argument("--wibi-iterations", type=int, default=15, help="of wibi and ibi; default 15")
    add_json(parser)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    ended: dict[str, dict[str, Any]] = {}
    for name in options.cases:
        for rule in options.rules:
            second = rule.startswith("gauss_newton")
            iterations = options.iterations if second else options.wibi_iterations
            for seed in options.seeds:
                run = options.directory / name / rule.replace(":", "_") / str(seed)
                stopped = make(run, CASES[name], rule, seed, iterations, options.directory / name)
                found = report(run, CASES[name])
                if stopped:
                    # the folder is this machine's
                    text = re.sub(r"^votca-mlp: (\S*/(step_\d+): (?=\2:))?", "", stopped)
                    ended[f"{name} {rule} {seed}"] = {"simulations": len(found), "text": text}
                for row in found:
                    rows.append({"case": name, "rule": rule, "seed": seed} | row)
                show(name, rule, seed, found, stopped)
    units = {"density": "kg/m3", "density_off": "%"}
    units |= {f"density_off {state}": "%" for state in STATES}
    units |= dict.fromkeys(("distance", "size", "largest_u"), "meV")
    tables: dict[str, Any] = {"iterations": rows, "summary": summary(rows)}
    tables |= {"ended": ended} if ended else {}
    write_result(options.json, tables, units=units, seeds=options.seeds)


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return means over the seeds, with their errors, after the 2nd, 3rd ... iteration of each case and rule.

    ``first`` is the mean number of simulations until every RMS was below 0.02 (those that never were are
    counted as one more than were made).
    """
    found: dict[str, dict[str, Any]] = {}
    for case, rule in dict.fromkeys((row["case"], row["rule"]) for row in rows):
        runs: dict[int, list[Any]] = {row["seed"]: [] for row in rows}
        for row in rows:
            if (row["case"], row["rule"]) == (case, rule):
                runs[row["seed"]].append(row)
        runs = {seed: made for seed, made in runs.items() if made}
        label = f"{case} {rule}"
        first = [_first_below(made, 0.02) for made in runs.values()]
        found[label] = {"seeds": len(runs), "first": _mean(first)}
        for number_of in sorted({2, 3, 4, 6, min(map(len, runs.values()))}):
            at = [made[number_of - 1] for made in runs.values() if len(made) >= number_of]
            if len(at) == len(runs):
                found[f"{label} {number_of}"] = _means(at, case)
        found[f"{label} last"] = _means([made[-1] for made in runs.values()], case)
    return found


def _first_below(made: list[dict[str, Any]], limit: float) -> float:
    for count, row in enumerate(made, start=1):
        if all(_plain(value) < limit for key, value in row.items() if key.startswith("rms")):
            return float(count)
    return len(made) + 1.0


def _means(rows: list[dict[str, Any]], case: str) -> dict[str, Any]:
    columns = [key for key in rows[0] if key not in ("case", "rule", "seed", "step")]
    means = {key: _mean([_plain(row[key]) for row in rows if key in row]) for key in columns}
    density = CASES[case].density
    if density is not None:
        means["density_off"] = _mean([100.0 * (_plain(row["density"]) / density - 1.0) for row in rows])
    return {"simulations": rows[0]["step"], **means}


def _mean(values: list[float]) -> Any:
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return number(float(np.mean(values)), error)


def _plain(value: Any) -> float:
    return float(value["value"] if isinstance(value, dict) else value)


def make(run: Path, case: Case, rule: str, seed: int, iterations: int, folder: Path) -> str:
    """Make a run, or go on with it; return why it stopped before its end, if it did."""
    target = folder / "target" / str(seed)
    density: float | None
    sigma: float | None
    if not (run / "settings.xml").exists():
        shutil.copytree(ROOT / "settings" / case.settings, run)
        if case.known is not None:
            density, sigma = twin(run, case, target, seed)
            for table in target.glob("*.dist.tgt"):
                shutil.copy(table, run)
        elif case.states:
            density, sigma = None, None
        else:
            assert case.density is not None
            density, sigma = case.density, SPREAD * case.density
            if case.temperature is not None:
                shutil.copy(ROOT / f"settings/al_{case.temperature:g}K/Al-Al.dist.tgt", run)
        if case.flaw:
            flaw(run / "Al-Al.dist.tgt")
        change(run / "settings.xml", case, rule, seed, iterations, density, sigma)
    command = [sys.executable, "-m", "votca_mlp", "inverse", "--options", "settings.xml"]
    done = subprocess.run(command, cwd=run, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    return next(iter(done.stderr.splitlines()), f"status {done.returncode}") if done.returncode else ""


def twin(run: Path, case: Case, target: Path, seed: int) -> tuple[float, float]:
    """Simulate the target of a twin once; return its density and its error, kg/m3."""
    settings = load_settings(run / "settings.xml")
    state = state_plan(settings)
    state = replace(state, md=replace(state.md, seed=1000 + seed))
    assert case.known is not None
    grid = {pair.name: grid_points(pair.min, pair.max, pair.step) for pair in settings.interactions}
    known = {name: known_correction(grid[name], bumps) for name, bumps in case.known.items()}
    if not (target / "done").exists():
        length = LONGER * md_plan(settings).production
        for name, table in simulate_targets(state, known, target / "run", production=length).items():
            write_table(target / f"{name}.dist.tgt", table)
        for name, table in known.items():
            write_table(target / f"{name}.known", table)
        (target / "done").touch()
    rows = [row["density[kg/m3]"] for row in read_recorded(target / "run").values()]
    values = np.array(rows[-int(len(rows) * 0.8) :])
    from votca_mlp.ensemble.blocks import block_error

    return float(values.mean()), float(block_error(values) or values.std())


def flaw(path: Path) -> None:
    """Put a plateau of 0.2 to 0.27 into a target from 2.15 to 2.3 Angstrom."""
    table = read_table(path)
    y = table.y.copy()
    inside = (table.x > 0.2149) & (table.x < 0.2301)
    y[inside] = np.maximum(y[inside], np.linspace(0.20, 0.27, int(inside.sum())))
    write_table(path, replace(table, y=y))


def change(
    path: Path, case: Case, rule: str, seed: int, iterations: int, density: float | None, sigma: float | None
) -> None:
    """Set rule, seed, length, density and model in a settings.xml; of several states each has its density."""
    name, _, alpha = rule.partition(":")
    text = path.read_text()
    for tag, value in {"iterations_max": iterations, "seed": seed, "alpha": alpha or None}.items():
        if value is not None:
            text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text)
    if "<seed>" not in text:
        text = text.replace("<production>", f"<seed>{seed}</seed> <production>")
    if name == "ibi":
        text = text.replace("<weight>target</weight>", "<weight>uniform</weight>")
    text = re.sub(r"<target_density>.*?</target_density>", "", text, flags=re.DOTALL)
    if density is not None and sigma is not None:
        text = text.replace("<mlp>", f"{measured(density, sigma)}\n    <mlp>", 1)
    for state, temperature in case.states.items():
        own = measured(assael(temperature), SPREAD * assael(temperature))
        (path.parent / state / "settings.xml").write_text(f"<cg><inverse>{own}</inverse></cg>\n")
    text = re.sub(r"(<temperature_terms>)[^<]*", rf"\g<1>{case.terms}", text)
    # one after another, on the cores that a single state has
    text = text.replace("<tasks>auto</tasks>", "<tasks>1</tasks>") if case.states else text
    if name == "gauss_newton":
        text = re.sub(r"<wibi>.*?</wibi>", "", text, flags=re.DOTALL).replace(">ibi<", ">imc<")
        limit, _, error = alpha.partition(":")
        of_run = f"<largest_u>{limit}</largest_u>" if error else f"<errors>{alpha}</errors>"
        text = (
            text.replace("<mlp>", f"<gauss_newton>{of_run}</gauss_newton>\n    <mlp>", 1) if alpha else text
        )
        of_pair = f"<gauss_newton><error>{error}</error></gauss_newton>"
        text = text.replace("<target>", f"{of_pair}\n      <target>") if error else text
    if case.temperature is not None:
        values = {"kBT": f"{kbt_kjmol(case.temperature):.8g}", "temperature": f"{case.temperature:g}"}
        for tag, given_value in values.items():
            text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{given_value}</{tag}>", text)
    if case.model is not None:
        kind, model = case.model[0], os.path.expandvars(case.model[1])
        text = re.sub(r"<kind>[^<]*</kind>", f"<kind>{kind}</kind>", text)
        text = re.sub(r"<model>[^<]*</model>", f"<model>{model}</model>", text)
    path.write_text(text)


def measured(density: float, sigma: float) -> str:
    """Return the tag of a measured density, kg/m3."""
    return f"<target_density> <value>{density:.6g}</value> <sigma>{sigma:.3g}</sigma> </target_density>"


def report(run: Path, case: Case) -> list[dict[str, Any]]:
    """Return agreement, density, distance from u* and the share of it inside the band, by iteration."""
    rows = []
    for step in sorted(run.glob("step_*"))[1:]:
        folders = [step / state for state in case.states] or [step]
        # the step that ends a run has no g(r) any more
        files = ("observables.npz", *(f"{name}.dist.new" for name in interaction_names(run)))
        if not all((folder / file).exists() for folder in folders for file in files):
            continue
        row: dict[str, Any] = {"step": int(step.name.removeprefix("step_"))}
        if case.states:
            rows.append(row | of_states(run, step, case))
            continue
        density = read_observables(step).series["density"]
        row["density"] = number(float(density.mean()), float(density.error()))
        names = interaction_names(run)
        for name in names:
            after = f" {name}" if len(names) > 1 else ""
            row |= {f"{key}{after}": value for key, value in of_pair(run, step, name, case).items()}
        rows.append(row)
    return rows


def of_states(run: Path, step: Path, case: Case) -> dict[str, Any]:
    """Return RMS and difference of the density, in %, of each state in one step."""
    facts: dict[str, Any] = {}
    for state, temperature in case.states.items():
        density = read_observables(step / state).series["density"]
        relative = 100.0 / assael(temperature)
        off = relative * float(density.mean()) - 100.0
        facts[f"density_off {state}"] = number(off, relative * float(density.error()))
        target = read_table(run / state / "Al-Al.dist.tgt")
        found = compare_tables(read_table(step / state / "Al-Al.dist.new"), target)
        facts[f"rms {state}"] = number(found.rms, found.rms_error)
    return facts


def of_pair(run: Path, step: Path, name: str, case: Case) -> dict[str, Any]:
    """Return the facts of one interaction in one step."""
    target = read_table(run / f"{name}.dist.tgt")
    found = compare_tables(read_table(step / f"{name}.dist.new"), target)
    facts: dict[str, Any] = {"rms": number(found.rms, found.rms_error)}
    after = read_table(step / f"{name}.pot.new") if (step / f"{name}.pot.new").exists() else None
    if after is None:
        return facts
    seen = (target.y > 0.3) & (target.x < target.x[-1] - 0.05)
    facts["largest_u"] = rounded(1e3 * float(np.abs(after.y[seen]).max()) / KJMOL_PER_EV)
    if case.known is None:
        return facts
    star = known_of(run, name, target)
    off = (after.y - star)[seen] * 1e3 / KJMOL_PER_EV
    facts["size"] = rounded(float(np.std(star[seen]) * 1e3 / KJMOL_PER_EV))
    facts["distance"] = rounded(float(np.std(off)))
    if after.yerr is not None:
        band = after.yerr[seen] * 1e3 / KJMOL_PER_EV
        facts["inside"] = rounded(float(np.mean(np.abs(off) < band)))
        facts["inside_two"] = rounded(float(np.mean(np.abs(off) < 2 * band)))
    return facts


def known_of(run: Path, name: str, target: Table) -> Array:
    """Return u* of an interaction (kJ/mol), zero where none was put in."""
    path = run.parents[1] / "target" / run.name / f"{name}.known"
    return read_table(path).y if path.exists() else np.zeros(len(target.x))


def show(case: str, rule: str, seed: int, rows: list[dict[str, Any]], stopped: str) -> None:
    """Print a run."""
    print(f"\n{case}, {rule}, seed {seed}{': ' + stopped if stopped else ''}")
    for row in rows:
        words = [
            f"{key} {value['value'] if isinstance(value, dict) else value:.5g}" for key, value in row.items()
        ]
        print("  " + ", ".join(words), flush=True)


if __name__ == "__main__":
    main()
