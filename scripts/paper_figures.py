#!/usr/bin/env python3
"""The runs behind the figures of Matin et al. 2023, at the paper's size or shorter, in pieces that go on.

    scripts/paper_figures.py DIRECTORY [--short] [--minutes M] [--models hipnn ani]
                             [--temperature 943 1023 1323] [--rules wibi ibi gauss_newton] [--json FILE]

For each model, temperature and rule a run of our own loop with all <checks>: 2048 atoms of a melted crystal,
1 fs, NPT at 1 bar, 20 + 180 ps of melt, 15 iterations of 10 ps (100 frames), 30 trajectories of 1 ps for the
diffusion. --short: 500 atoms, 2 fs, 4 + 4 ps, 8 iterations of 8 ps. ani needs ANI_AL=/path/to/model-Al-75.
Another temperature needs --table, a target of g(r) on the paper's grid (0.05 Angstrom).

Started again, it goes on with what is not done; after --minutes it stops at a checkpoint. What is done is
printed beside the paper's statement, written with --json, and each run has its report.html.
"""

import argparse
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results_file import add_json, number, write_result

from votca_mlp.inverse.final_checks import estimate_of, read_checks
from votca_mlp.inverse.from_settings import inverse_plan
from votca_mlp.inverse.start import run_plan
from votca_mlp.report.page.page import report_page
from votca_mlp.report.summary import StepSummary, summarise_run
from votca_mlp.settings import load_settings
from votca_mlp.units import kbt_kjmol

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
CHECKS = "<checks><observables>diffusion density angles coordination</observables></checks>"
DENSITY = (2377.23, 0.311, 933.47, 0.004)
"""Of liquid aluminium, kg/m^3: a - b (T - T0), Assael et al. 2006; relative error (0.7 % at 95 %)."""
STATEMENTS = {
    "rdf": "Fig. 1: both architectures are over-structured; corrected they follow the experiment.",
    "weights": "Fig. 2: the weight w = g_E converges faster and more smoothly than w = 1.",
    "diffusion": "Fig. 4: the correction brings the diffusion coefficient nearer to the experiment.",
    "density": "Fig. 5: the correction brings the density nearer to the experiment; ANI-Al is too dense.",
}
UNITS = {"density_before": "kg/m3", "density_after": "kg/m3", "measured": "kg/m3"}
UNITS |= {"diffusion_before": "1e-9 m2/s", "diffusion_after": "1e-9 m2/s"}


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


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """Yield the runs; w = 1 only where the paper compares it, with HIP-NN at 1023 K."""
    for model in options.models:
        for temperature in options.temperature:
            for rule in options.rules:
                if rule != "ibi" or (model, temperature) == ("hipnn", "1023"):
                    yield Case(model, temperature, rule)


def prepare(case: Case, run: Path, *, short: bool, table: Path | None = None) -> None:
    """Write a run's directory: the ready case of the temperature with model, rule, density and checks."""
    known = ROOT / "settings" / f"al_{case.temperature}K"
    shutil.copytree(known if known.is_dir() else ROOT / "settings" / "al_1023K", run, dirs_exist_ok=True)
    if table is not None:
        shutil.copy(table, run / "Al-Al.dist.tgt")
    elif not known.is_dir():
        sys.exit(f"no measured g(r) at {case.temperature} K is here: give one by --table")
    temperature = float(case.temperature)
    a, b, reference, relative = DENSITY
    density = a - b * (temperature - reference)
    measured = f"<value>{density:.2f}</value> <sigma>{relative * density:.2f}</sigma>"
    text = (run / "settings.xml").read_text()
    replaced = {"temperature": f"{temperature:g}", "kBT": f"{kbt_kjmol(temperature):.5f}"}
    for tag, value in (replaced | (SHORT if short else {})).items():
        text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text)
    text = re.sub(r"<wibi>.*?</wibi>", RULES[case.rule], text, flags=re.DOTALL)
    if case.rule == "gauss_newton":
        text = text.replace("<method>ibi</method>", "<method>imc</method>")
    wanted = f"<target_density>{measured}</target_density>\n    {CHECKS}"
    added = f"{wanted}\n    <mlp>\n      {MODELS[case.model]}\n    </mlp>"
    text = re.sub(r"<mlp>.*?</mlp>", lambda _: added, text, flags=re.DOTALL)
    (run / "settings.xml").write_text(text)
    if short:
        topology = run / "topol.xml"
        topology.write_text(topology.read_text().replace('nmols="2048"', 'nmols="500"'))


def run_until(run: Path, until: float | None) -> str:
    """Run or go on with a run until a moment of the steady clock; draw its page; return why it stopped."""
    plan = inverse_plan(load_settings(run / "settings.xml"))
    why = run_plan(plan, time_left=lambda: None if until is None else until - time.monotonic())
    (run / "report.html").write_text(report_page(run, running=False), encoding="utf-8")
    return why


def row_of(run: Path, name: str) -> dict[str, Any] | None:
    """Return the numbers of a run, None before its first g(r)."""
    done = [summary for summary in summarise_run(run) if summary.agreement is not None]
    if not done:
        return None
    first, last = done[0], done[-1]
    assert first.agreement is not None
    assert last.agreement is not None
    row: dict[str, Any] = {"run": name, "iterations": last.step}
    for label, summary in (("before", first), ("after", last)):
        row |= _of_step(summary, label)
    row["rms"] = [round(item.agreement.rms, 5) for item in done if item.agreement is not None]
    for label, key in (("before", "uncorrected"), ("after", "corrected")):
        found = estimate_of(read_checks(run).get("", {}).get(key, {}), "diffusion")
        if found is not None:
            row[f"diffusion_{label}"] = number(1e9 * found.mean, 1e9 * found.error)
    return row


def _of_step(summary: StepSummary, label: str) -> dict[str, Any]:
    agreement, density = summary.agreement, summary.simulation.density
    assert agreement is not None
    found = {
        f"rms_{label}": number(agreement.rms, agreement.rms_error),
        f"peak_{label}": number(agreement.peak.height, agreement.peak.height_error),
    }
    return found if density is None else {**found, f"density_{label}": number(density.mean, density.error)}


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
    add_json(parser)
    options = parser.parse_args()
    if "ani" in options.models and "ANI_AL" not in os.environ:
        sys.exit("set ANI_AL to the folder of the ANI-Al ensemble")
    until = None if options.minutes is None else time.monotonic() + 60.0 * options.minutes
    rows = []
    for case in cases(options):
        run = options.directory / case.name
        if not (run / "settings.xml").is_file():
            prepare(case, run, short=options.short, table=options.table)
        if until is None or time.monotonic() < until:
            print(f"{case.name}: {run_until(run, until)}", flush=True)
        rows += [row] if any(run.glob("step_*/*.dist.new")) and (row := row_of(run, case.name)) else []
    for statement in STATEMENTS.values():
        print(statement)
    for row in rows:
        print(", ".join(f"{key} {value}" for key, value in row.items()))
    write_result(options.json, {"runs": {row["run"]: row for row in rows}}, units=UNITS, seeds=[1])


if __name__ == "__main__":
    main()
