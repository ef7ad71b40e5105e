#!/usr/bin/env python3
"""A published universal model corrected to a measured g(r): CHGNet, liquid aluminium at 1023 K, csg_inverse.

    scripts/foundation_model.py DIRECTORY [--iterations N] [--wall-time SECONDS] [--json FILE]

108 atoms at the measured density, CHGNet as `<kind>ase</kind>` with the weights of its package (pip install
chgnet); the case's files are in scripts/foundation, the target is that of settings/al_1023K. What is there
goes on; --wall-time ends csg_inverse at a checkpoint within so many seconds.
"""

import argparse
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from ase.io import write
from known_answer import invert
from make_start import crystal, molten
from results_file import ROOT, add_json, number, rounded, write_result

from votca_mlp.models.options import MLPSettings
from votca_mlp.settings import load_settings
from votca_mlp.settings.plans import md_plan
from votca_mlp.tables import read_table
from votca_mlp.targets.agreement import compare_tables
from votca_mlp.units import KJMOL_PER_EV

CASE = ROOT / "scripts" / "foundation"
TARGET = ROOT / "settings" / "al_1023K" / "Al-Al.dist.tgt"
EDGE = 4.2414
"""Angstrom: 2349 kg/m3, measured (Assael et al., J. Phys. Chem. Ref. Data 35, 285 (2006))."""
MELTING = (2000.0, 4000.0, 10000.0)
"""Temperature (K) and time (fs) of melting, time of settling, by the shipped HIP-NN."""
UNITS = {"at": "Angstrom", "measured at": "Angstrom", "largest u": "meV"}


def make(run: Path, iterations: int) -> None:
    """Write what the run needs and is not there."""
    run.mkdir(parents=True, exist_ok=True)
    for file in (*CASE.iterdir(), TARGET):
        if not (run / file.name).exists():
            shutil.copy(file, run)
    path = run / "settings.xml"
    text = re.sub(r"<iterations_max>\d+<", f"<iterations_max>{iterations}<", path.read_text())
    path.write_text(text)
    if not (run / "conf.extxyz").exists():
        shipped = MLPSettings(kind="hippynn", model="builtin:al-hipnn")
        plan = replace(md_plan(load_settings(path)), model=shipped, timestep=2.0)
        write(run / "conf.extxyz", molten(plan, crystal(EDGE, {"Al": len(plan.symbols)}), MELTING))


def report(run: Path) -> list[dict[str, Any]]:
    """Print and return agreement with the target by iteration."""
    rows = []
    for step in sorted(run.glob("step_*"))[1:]:
        if not (step / "Al-Al.dist.new").exists():
            continue
        target, found = read_table(step / "Al-Al.dist.tgt"), read_table(step / "Al-Al.dist.new")
        agreement = compare_tables(found, target)
        peak, measured = agreement.peak, agreement.target_peak
        u = read_table(step / "Al-Al.pot.cur").y[target.y > 0.3] / KJMOL_PER_EV
        row = {
            "step": int(step.name.removeprefix("step_")),
            "rms": number(agreement.rms, agreement.rms_error),
            "peak": number(peak.height, peak.height_error),
            "at": number(peak.position, peak.position_error),
            "measured peak": rounded(measured.height),
            "measured at": rounded(measured.position),
            "largest u": rounded(1e3 * abs(u).max()),
        }
        if agreement.chi2 is not None:
            row["chi2"] = rounded(agreement.chi2)
        rows.append(row)
        print(row, flush=True)
    return rows


def main() -> None:
    """Make the run or go on with it; report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--iterations", type=int, default=4)
    parser.add_argument("--wall-time", type=int, help="s")
    add_json(parser)
    options = parser.parse_args()
    run = options.directory
    make(run, options.iterations)
    invert(run, options.wall_time)
    write_result(options.json, {"iterations": report(run)}, units=UNITS, seeds="that of the case")


if __name__ == "__main__":
    main()
