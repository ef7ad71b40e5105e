#!/usr/bin/env python3
"""Write a run of the loop as JSON: agreement, change of u, averages by iteration, and its curves.

    scripts/run_result.py RUN FILE.json [--curves] [--command "..."]

RUN is a directory of csg_inverse or `votca-mlp inverse`. With ``--curves`` also g(r) of the first and the
last iteration, the target and all u(r), for the figures of docs/results.md; ``--command`` made the run.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from results_file import number, write_result

from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.report.summary import StepSummary, summarise_run
from votca_mlp.runs.reading import interaction_names, read_runs
from votca_mlp.tables import Table
from votca_mlp.units import ANGSTROM_PER_NM, KJMOL_PER_EV

UNITS = {
    "du": "meV",
    "density": "kg/m3",
    "temperature": "K",
    "pressure": "bar",
    "speed": "steps/s",
    "r": "Angstrom",
    "u": "meV",
}


def main() -> None:
    """Read the run, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("json", type=Path)
    parser.add_argument("--curves", action="store_true")
    parser.add_argument("--command", default="votca-mlp inverse --options settings.xml")
    options = parser.parse_args()
    tables = tables_of(options.run)
    if options.curves:
        tables["curves"] = curves(options.run)
    write_result(options.json, tables, units=UNITS, seeds="those of the case", made_by=options.command)


def tables_of(run: Path) -> dict[str, Any]:
    """Return the iterations; of several states also the first and the last of each, and their common part."""
    rows = iterations(run)
    tables: dict[str, Any] = {"iterations": rows}
    if any("state" in row for row in rows):
        named = [(f"{row.get('state', '')} {row['interaction']}".strip(), row) for row in rows]
        tables["first"] = dict(reversed(named))
        tables["last"] = dict(named)
        tables["together"] = together(run, min(row["step"] for row in tables["last"].values()))
    return {name: table for name, table in tables.items() if table}


def together(run: Path, step: int) -> dict[str, dict[str, Any]]:
    """Return what the states of a step ask for in common and beyond, in units of noise, by interaction."""
    from votca_mlp.inverse.from_settings import plan_of
    from votca_mlp.inverse.history import misfits
    from votca_mlp.settings import load_settings

    found = misfits(plan_of(load_settings(run / "settings.xml")), step)
    return {
        name: {"step": step, "shared": number(misfit.shared), "rest": number(misfit.rest)}
        for name, misfit in found.items()
    }


def iterations(run: Path) -> list[dict[str, Any]]:
    """Return one row an iteration, state and interaction whose g(r) is there."""
    return [row(summary) for summary in summarise_run(run) if summary.agreement is not None]


def row(summary: StepSummary) -> dict[str, Any]:
    """Return the numbers of an iteration; what is not known is left out."""
    agreement, simulation = summary.agreement, summary.simulation
    assert agreement is not None
    peak = agreement.peak
    known: dict[str, Any] = {
        "step": summary.step,
        "state": summary.state or None,
        "interaction": summary.interaction,
        "rms": number(agreement.rms, agreement.rms_error),
        "largest": agreement.largest,
        "chi2": agreement.chi2,
        "peak": number(peak.height, peak.height_error),
        "peak_target": agreement.target_peak.height,
        "peak_position": number(peak.position, peak.position_error),
        "peak_position_target": agreement.target_peak.position,
        "du": None if summary.change is None else 1e3 * summary.change,
        "density": estimate(simulation.density),
        "temperature": estimate(simulation.temperature),
        "pressure": estimate(simulation.pressure),
        "speed": simulation.steps_per_second,
    }
    return {name: value for name, value in known.items() if value is not None}


def estimate(value: Estimate | None) -> Any:
    """Return a mean with its error."""
    return None if value is None else number(value.mean, value.error)


def curves(run: Path) -> dict[str, dict[str, Any]]:
    """Return g(r) and u(r) of the first and the last iteration and the target, by interaction and what."""
    found: dict[str, dict[str, Any]] = {}
    for name in interaction_names(run):
        for one in read_runs(run, name):
            label = f"{one.state} {name}".strip()
            steps = [step for step in one.steps if step.distribution is not None]
            found[f"{label} target"] = curve(one.target, "g", 1.0)
            for step in (steps[0], steps[-1]):
                assert step.distribution is not None
                found[f"{label} g {step.number}"] = curve(step.distribution, "g", 1.0)
            for step in steps:
                if step.after is not None:
                    found[f"{label} u {step.number}"] = curve(step.after, "u", 1e3 / KJMOL_PER_EV)
    return found


def curve(table: Table, name: str, factor: float, *, error: bool = False) -> dict[str, Any]:
    """Return a table's points, r in Angstrom, to five digits, on request with standard errors it may have."""
    found = {"r": [float(f"{ANGSTROM_PER_NM * r:.5g}") for r in table.x]}
    found[name] = [float(f"{factor * y:.5g}") for y in table.y]
    if error and table.yerr is not None and table.yerr.any():
        found["error"] = [float(f"{factor * y:.3g}") for y in np.nan_to_num(table.yerr)]
    return found


if __name__ == "__main__":
    main()
