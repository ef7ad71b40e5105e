#!/usr/bin/env python3
"""The runs behind the figures of Matin et al. 2023, at the paper's size or shorter, in pieces that go on.

    scripts/paper_figures.py DIRECTORY [--short] [--minutes M] [--models hipnn ani]
                             [--temperature 943 1023 1323] [--rules wibi ibi gauss_newton] [--speed]
                             [--finished] [--seed 1] [--json FILE]

For each model, temperature and rule a run of our own loop with all <checks>: 2048 atoms of a melted crystal,
1 fs, NPT at 1 bar, 20 + 180 ps of melt, 15 iterations of 10 ps (100 frames), 30 trajectories of 1 ps for the
diffusion. --short: 500 atoms, 2 fs, 4 + 4 ps, 8 iterations of 8 ps; of ani, whose steps take some 15 times
as long, 2 + 2 ps, 3 iterations of 6 ps and no <checks>. ani needs ANI_AL=/path/to/model-Al-75.
Another temperature needs --table, a target of g(r) on the paper's grid (0.05 Angstrom).

Started again, it goes on with what is not done; after --minutes it stops at a checkpoint. What is done is
judged by the paper's statements (scripts/paper_statements.py), written with --json, from which
scripts/render_results.py draws the figures, and each run has its report.html. --finished leaves out runs that
are not at their end; with --minutes 0 nothing is run, only judged. --speed times steps of 2000
atoms and says how long the whole form takes.
"""

import argparse
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from paper_statements import judged
from results_file import add_json, command, number, rounded, write_result
from run_result import curve

from votca_mlp.engines.shared.result import production_mean, read_facts
from votca_mlp.errors import UserError
from votca_mlp.inverse.final_checks import AFTER, BEFORE, estimate_of, read_checks
from votca_mlp.inverse.final_checks import NAME as CHECKS_FILE
from votca_mlp.inverse.from_settings import inverse_plan
from votca_mlp.inverse.start import run_plan
from votca_mlp.observables.diffusion import infinite_box
from votca_mlp.report.page.page import report_page
from votca_mlp.report.summary import StepSummary, summarise_run
from votca_mlp.runs.reading import read_run
from votca_mlp.settings import load_settings
from votca_mlp.units import ANGSTROM_PER_NM, KB_EV_PER_K, KJMOL_PER_EV, kbt_kjmol

ROOT = Path(__file__).resolve().parent.parent
MODELS = {
    "hipnn": "<kind>hippynn</kind>\n      <model>builtin:al-hipnn</model>",
    "ani": "<kind>ani</kind>\n      <model>$ANI_AL</model>",
}
RULES = {
    "wibi": "<wibi><alpha>0.2</alpha><weight>target</weight></wibi>",
    "ibi": "<wibi><alpha>0.2</alpha><weight>uniform</weight></wibi>",
    "gauss_newton": "",
}
SHORT = {
    "repeat": "5 5 5",
    "timestep": "2",
    "melt_time": "4000",
    "first_equilibration": "4000",
    "equilibration": "1500",
    "production": "8000",
    "sample_every": "50",
    "block_length": "20",
    "iterations_max": "8",
}
SHORTER = {
    "melt_time": "2000",
    "first_equilibration": "2000",
    "equilibration": "1000",
    "production": "6000",
    "iterations_max": "3",
}
"""Of ANI-Al in the short form: as few simulations as Gauss-Newton needs (results/gauss_newton_ani.json)."""
CHECKS = "<checks><observables>diffusion density angles coordination</observables></checks>"
DENSITY = (2377.23, 0.311, 933.47, 0.004)
"""Of liquid aluminium, kg/m^3: a - b (T - T0), Assael et al. 2006; relative error (0.7 % at 95 %)."""
VISCOSITY = (0.7324, 803.49)
"""Of liquid aluminium, mPa s: log10 = -a + b/T, Assael et al. 2006 (https://doi.org/10.1063/1.2149380, 13.7 %
at 95 %). At 933 K 1.34 mPa s; Dinsdale and Quested, J. Mater. Sci. 39, 7221 (2004), recommend 1.0 to 1.4."""
COMPARED = ("hipnn", "1023")
"""Model and temperature at which both weights are compared (Fig. 2)."""
WORDS = {"hipnn": "HIP-NN", "ani": "ANI-Al"}
BEYOND = 3.0
"""Angstrom: the core's u(r), which few pairs see, is left out of the largest one."""
UNITS = {f"density_{when}": "kg/m3" for when in ("before", "after", "target")}
UNITS |= {
    f"diffusion_{when}": "1e-9 m2/s" for when in ("before", "after", "infinite_before", "infinite_after")
}
UNITS |= {"temperature": "K", "largest_u": "meV", "r": "Angstrom", "u": "meV", "step": "ms", "hours": "h"}
UNITS |= {"rate": "steps/s", "energy": "meV", "reach": "Angstrom", "two_cores": "h"}


@dataclass(frozen=True)
class Case:
    """One run."""

    model: str
    temperature: str
    rule: str

    @property
    def name(self) -> str:
        """Of its folder and its row."""
        return f"{self.model}_{self.temperature}K_{self.rule}"

    @property
    def words(self) -> str:
        """Model and temperature, of its curves."""
        return f"{WORDS[self.model]} {self.temperature} K"


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """Yield the runs; w = 1 only where the paper compares it, with HIP-NN at 1023 K."""
    for model in options.models:
        for temperature in options.temperature:
            for rule in options.rules:
                if rule != "ibi" or (model, temperature) == COMPARED:
                    yield Case(model, temperature, rule)


def prepare(case: Case, run: Path, *, short: bool, table: Path | None = None, seed: int = 1) -> None:
    """Write a run's directory: the ready case of the temperature with model, rule, density and checks."""
    known = ROOT / "settings" / f"al_{case.temperature}K"
    shutil.copytree(known if known.is_dir() else ROOT / "settings" / "al_1023K", run, dirs_exist_ok=True)
    if table is not None:
        shutil.copy(table, run / "Al-Al.dist.tgt")
    elif not known.is_dir():
        sys.exit(f"no measured g(r) at {case.temperature} K is here: give one by --table")
    temperature = float(case.temperature)
    density = measured_density(temperature)
    measured = f"<value>{density:.2f}</value> <sigma>{DENSITY[3] * density:.2f}</sigma>"
    text = (run / "settings.xml").read_text()
    replaced = {"temperature": f"{temperature:g}", "kBT": f"{kbt_kjmol(temperature):.5f}"}
    replaced |= {"seed": str(seed)}
    shorter = short and case.model == "ani"
    replaced |= (SHORT if short else {}) | (SHORTER if shorter else {})
    for tag, value in replaced.items():
        text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text)
    text = re.sub(r"<wibi>.*?</wibi>", RULES[case.rule], text, flags=re.DOTALL)
    if case.rule == "gauss_newton":
        text = text.replace("<method>ibi</method>", "<method>imc</method>")
    wanted = f"<target_density>{measured}</target_density>\n    {'' if shorter else CHECKS}"
    added = f"{wanted}\n    <mlp>\n      {MODELS[case.model]}\n    </mlp>"
    text = re.sub(r"<mlp>.*?</mlp>", lambda _: added, text, flags=re.DOTALL)
    (run / "settings.xml").write_text(text)
    if short:
        topology = run / "topol.xml"
        topology.write_text(topology.read_text().replace('nmols="2048"', 'nmols="500"'))


def share_checks(run: Path, case: Case) -> None:
    """Give a run the checks of the model alone from another rule's: the first simulation is the same.

    Where it is not, for whatever reason, the loop sees that they belong to another and makes its own.
    """
    if (run / CHECKS_FILE).exists():
        return
    for other in RULES:
        done = run.parent / Case(case.model, case.temperature, other).name
        found = read_checks(done).get("", {}).get(BEFORE)
        if found is not None:
            shutil.copytree(done / "checks", run / "checks", ignore=shutil.ignore_patterns(f"{AFTER}_*"))
            (run / CHECKS_FILE).write_text(json.dumps({"": {BEFORE: found}}))
            return


def run_until(run: Path, until: float | None) -> str:
    """Run or go on with a run until a moment of the steady clock; draw its page; return why it stopped."""
    plan = inverse_plan(load_settings(run / "settings.xml"))
    why = run_plan(plan, time_left=lambda: None if until is None else until - time.monotonic())
    (run / "report.html").write_text(report_page(run, running=False), encoding="utf-8")
    return why


def at_its_end(run: Path) -> bool:
    """Return whether all iterations are done, and the <checks> with the correction, which come last."""
    after = read_checks(run).get("", {}).get(AFTER, {})
    return (run / "done").is_file() and {"diffusion", "angles", "coordination"} <= after.keys()


def row_of(run: Path, case: Case) -> dict[str, Any] | None:
    """Return the numbers of a run, None before its first g(r)."""
    done = [summary for summary in summarise_run(run) if summary.agreement is not None]
    if not done:
        return None
    first, last, temperature = done[0], done[-1], float(case.temperature)
    assert last.agreement is not None
    row: dict[str, Any] = {"model": WORDS[case.model], "temperature": temperature, "rule": case.rule}
    row |= {"iterations": last.step, "peak_target": round(last.agreement.target_peak.height, 3)}
    density = measured_density(temperature)
    row["density_target"] = number(density, DENSITY[3] * density)
    for label, summary in (("before", first), ("after", last)):
        row |= _of_step(summary, label)
    row["rate"] = number(max(item.simulation.steps_per_second or 0.0 for item in done))
    row["rms"] = [round(item.agreement.rms, 5) for item in done if item.agreement is not None]
    u = read_run(run).measured[-1].before
    if u is not None:
        row["largest_u"] = round(
            1e3 / KJMOL_PER_EV * float(abs(u.y[u.x * ANGSTROM_PER_NM > BEYOND]).max()), 2
        )
    a, b = VISCOSITY
    for label, key, step in (("before", "uncorrected", first.step), ("after", "corrected", last.step)):
        checks = read_checks(run).get("", {}).get(key, {})
        if (neighbours := estimate_of(checks, "coordination")) is not None:
            row |= {
                f"neighbours_{label}": number(neighbours.mean, neighbours.error),
                "reach": checks["reach"],
            }
        found = estimate_of(checks, "diffusion")
        volume = production_mean(read_facts(run / f"step_{step:03d}"), "volume[A3]")
        if found is not None and volume is not None:
            infinite = infinite_box(found, temperature, 10.0 ** (b / temperature - a), volume.mean ** (1 / 3))
            row[f"diffusion_{label}"] = number(1e9 * found.mean, 1e9 * found.error)
            row[f"diffusion_infinite_{label}"] = number(1e9 * infinite.mean, 1e9 * infinite.error)
    return row


def _of_step(summary: StepSummary, label: str) -> dict[str, Any]:
    agreement, density = summary.agreement, summary.simulation.density
    assert agreement is not None
    found = {
        f"rms_{label}": number(agreement.rms, agreement.rms_error),
        f"peak_{label}": number(agreement.peak.height, agreement.peak.height_error),
    }
    return found if density is None else {**found, f"density_{label}": number(density.mean, density.error)}


def curves_of(run: Path, case: Case) -> dict[str, Any]:
    """Return target, g(r) before and after, u(r) of the last g(r); of Fig. 2 those of every simulation."""
    read = read_run(run)
    steps = [step for step in read.measured if step.distribution is not None and step.before is not None]
    if not steps:
        return {}
    start, meV = f"{case.words} {case.rule}", 1e3 / KJMOL_PER_EV
    found = {f"{case.words} target": curve(read.target, "g", 1.0)}
    for name, step in (("before", steps[0]), ("after", steps[-1])):
        assert step.distribution is not None
        found[f"{start} g {name}"] = curve(step.distribution, "g", 1.0, error=True)
    assert steps[-1].before is not None
    found[f"{start} u"] = curve(steps[-1].before, "u", meV, error=True)
    for key, name in ((BEFORE, "before"), (AFTER, "after")):
        angles = read_checks(run).get("", {}).get(key, {}).get("angles")
        if angles:
            found[f"{start} angles {name}"] = {
                "degrees": angles["degrees"],
                **{kind: [rounded(value) for value in angles[kind]] for kind in ("density", "error")},
            }
    if case.rule != "gauss_newton" and (case.model, case.temperature) == COMPARED:
        for step in steps:
            assert step.distribution is not None
            assert step.before is not None
            found[f"{start} g {step.number}"] = curve(step.distribution, "g", 1.0)
            found[f"{start} u {step.number}"] = curve(step.before, "u", meV)
    return found


def activation(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the activation energy of HIP-NN's diffusion, meV, by rule: slope of ln D against 1/T."""
    found = {}
    for label, rules, when in (
        # the model alone is the same with every rule
        ("alone", ("gauss_newton", "wibi"), "before"),
        ("wibi", ("wibi",), "after"),
        ("gauss_newton", ("gauss_newton",), "after"),
    ):
        column = f"diffusion_infinite_{when}"
        by_temperature = {
            row["temperature"]: (row["temperature"], row[column]["value"], row[column]["error"])
            for rule in rules
            for row in rows.values()
            if row["model"] == WORDS["hipnn"] and row["rule"] == rule and column in row
        }
        points = list(by_temperature.values())
        if len(points) > 2:
            t, d, error = np.array(points).T
            # the errors are those of D, not of the residuals
            line, covariance = np.polyfit(1.0 / t, np.log(d), 1, w=d / error, cov="unscaled")
            scale = 1e3 * KB_EV_PER_K
            found[label] = {"energy": number(-scale * line[0], scale * float(np.sqrt(covariance[0, 0])))}
    return found


def measured_density(temperature: float) -> float:
    """Return the measured density at a temperature (K), kg/m^3."""
    a, b, reference, _ = DENSITY
    return a - b * (temperature - reference)


def whole_form(run: Path, steps: int = 500) -> dict[str, Any]:
    """Return the time of a step of 2000 atoms at constant pressure, and from it that of the whole form."""
    from votca_mlp.api.model import load_model
    from votca_mlp.api.simulate import simulate
    from votca_mlp.engines.plan import MDPlan
    from votca_mlp.engines.shared.start import read_configuration
    from votca_mlp.potentials.correction import read_correction

    atoms = read_configuration(run / "step_001" / "confout.extxyz")
    model = load_model("builtin:al-hipnn", threads=1)
    correction = read_correction({("Al", "Al"): read_run(run).measured[-1].directory / "Al-Al.pot.cur"})
    seconds = []
    # the first compiles and warms up; start and end are in both others
    for length in (100, 100, 100 + steps):
        md = MDPlan(1023.0, timestep=1.0, first_equilibration=0.0, production=float(length))
        begin = time.process_time()
        simulate(model, atoms.repeat((2, 2, 1)), md, correction=correction)
        seconds.append(time.process_time() - begin)
    step = (seconds[2] - seconds[1]) / steps
    iterations = 20_000 + 180_000 + 10_000 + 14 * (5_000 + 10_000)
    total = iterations + 2 * 31_000
    hours = step * (2048 / (4 * len(atoms))) * total / 3600
    facts = {"atoms": 4 * len(atoms), "step": 1e3 * step, "steps": total, "hours": hours}
    # three temperatures and two rules
    facts["two_cores"] = 6 * hours / 2
    return {name: number(value) for name, value in facts.items()}


def main() -> None:
    """Run what is not done, then print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=["hipnn"])
    parser.add_argument("--temperature", nargs="+", default=["943", "1023", "1323"])
    parser.add_argument("--rules", nargs="+", choices=list(RULES), default=["wibi", "ibi", "gauss_newton"])
    parser.add_argument("--table", type=Path)
    parser.add_argument(
        "--again", nargs="+", default=[], metavar="CASE=RUN", help="a case's run of another seed"
    )
    parser.add_argument("--seed", type=int, default=1, help="another one in a directory of its own")
    parser.add_argument(
        "--speed", action="store_true", help="time the whole form's steps, HIP-NN, one thread"
    )
    parser.add_argument("--finished", action="store_true", help="judge only runs that are at their end")
    add_json(parser)
    options = parser.parse_args()
    if "ani" in options.models and "ANI_AL" not in os.environ:
        sys.exit("set ANI_AL to the folder of the ANI-Al ensemble")
    until = None if options.minutes is None else time.monotonic() + 60.0 * options.minutes
    rows: dict[str, Any] = {}
    curves: dict[str, Any] = {}
    for case in cases(options):
        run = options.directory / case.name
        if until is None or time.monotonic() < until:
            if not (run / "settings.xml").is_file():
                prepare(case, run, short=options.short, table=options.table, seed=options.seed)
            share_checks(run, case)
            print(f"{case.name}: {run_until(run, until)}", flush=True)
        if options.finished and not at_its_end(run):
            print(f"{case.name}: not at its end, left out")
            continue
        if any(run.glob("step_*/*.dist.new")) and (row := row_of(run, case)):
            rows[case.name] = row
            curves |= curves_of(run, case)
    if not rows:
        sys.exit(f"{options.directory}: no run {'at its end' if options.finished else 'has a g(r)'}")
    for text in options.again:
        name, _, folder = text.partition("=")
        again = next(case for case in cases(options) if case.name == name)
        start = f"{again.words} {again.rule} u"
        curves[f"{start} again"] = curves_of(Path(folder), again)[start]
    statements = judged(rows, curves)
    tables: dict[str, Any] = {"runs": rows, "statements": statements, "curves": curves}
    if energies := activation(rows):
        tables["activation"] = energies
        print(energies)
    for row in rows.values():
        print(", ".join(f"{key} {value}" for key, value in row.items()))
    for found in statements.values():
        why = f" ({found['why']})" if found["why"] else ""
        print(f"{found['paper']}: {found['verdict']}. {found['found']}{why}")
    if options.speed:
        tables["whole form"] = {"HIP-NN": whole_form(options.directory / next(iter(rows)))}
        print(tables["whole form"])
    # how often it was stopped says nothing of the numbers
    made_by = re.sub(r" --minutes \S+", "", command())
    write_result(options.json, tables, units=UNITS, seeds=[options.seed], made_by=made_by)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
