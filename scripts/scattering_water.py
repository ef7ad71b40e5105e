#!/usr/bin/env python3
"""Water corrected to three neutron F(Q) at once: D2O, H2O and a 50:50 mixture.

    VOTCA_MLP_DATA=... scripts/scattering_water.py DIRECTORY [--seeds 1 2] [--iterations N] [--json FILE]

Baseline: scripts/water/flexible_water.py, 216 molecules at 25 C. Its springs were set beforehand, so
that bonds in the liquid are as long and wide as F(Q) of D2O above 12 1/Angstrom asks for: O-H
0.980(66), H-H 1.55(105). R (mean square deviation) of each data set is printed for all Q and by ranges,
beside that of EPSR's own box of water against the same files (dissolve_water/ of VOTCA_MLP_DATA:
water.EPSR.u01). Every run has its folder DIRECTORY/SEED; started again, what is there goes on.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import write
from ase.optimize import FIRE
from epsr_box import read_columns
from numpy.typing import NDArray
from results_file import ROOT, add_json, number, rounded, write_result
from scipy.spatial.transform import Rotation

from votca_mlp.observables.store import read_observables
from votca_mlp.observables.structure_factor import partial_factors
from votca_mlp.scattering.data import ScatteringData, beyond, r_factor, total
from votca_mlp.scattering.lengths import FM2_PER_BARN
from votca_mlp.scattering.source import ScatteringSource
from votca_mlp.settings import load_settings
from votca_mlp.settings.scattering import scattering_sources

Array = NDArray[np.float64]

CASE = ROOT / "scripts" / "water"
READY = "data_are_made"
ROW = 6
"""Molecules along an edge."""
DENSITY = 0.0333679
"""Molecules per cubic Angstrom: 997.05 kg/m3 of H2O at 25 C; heavy water has as many within 0.5 %."""
COLUMNS = {"D2O": 1, "H2O": 3, "HDO": 5}
"""Of EPSR's files."""
RANGES = {
    "fitted": (0.68, 31.0),
    "below 1.6": (0.0, 1.6),
    "from 1.6 to 5": (1.6, 5.0),
    "above 5": (5.0, 31.0),
}
"""1/Angstrom. The data are fitted from 0.7 on, what pair counts to half the box tell of."""
STARTS = {"D2O": 1.0e-3, "H2O": 3.2e-4, "HDO": 2.0e-4}
"""R of EPSR's run at its start, as it printed them."""
COMPRESSED = 0.0622
"""rho kB T kappa of water at 25 C: 4.525e-10 1/Pa (G. S. Kell, J. Chem. Eng. Data 20, 97 (1975))."""


def make(run: Path, seed: int, iterations: int) -> None:
    """Make a run, or go on with it."""
    path = run / "settings.xml"
    if not (run / READY).exists():
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(CASE, run, ignore=shutil.ignore_patterns("__pycache__"))
        for file in _data().glob("SLS*.mint01"):
            shutil.copy(file, run)
        path.write_text(re.sub(r"<seed>\d+<", f"<seed>{seed}<", path.read_text()))
        write(run / "conf.extxyz", start(seed, run))
        (run / READY).touch()
    text = re.sub(r"<iterations_max>\d+<", f"<iterations_max>{iterations}<", path.read_text())
    path.write_text(text)
    command = [sys.executable, "-m", "votca_mlp", "inverse", "--options", "settings.xml"]
    subprocess.run(command, cwd=run, check=True, stdout=subprocess.DEVNULL)


def start(seed: int, run: Path) -> Atoms:
    """Return molecules on a lattice, turned at random, their overlaps taken away."""
    sys.path.insert(0, str(run))
    from flexible_water import FlexibleWater

    random = np.random.default_rng(seed)
    molecule = np.array([[0.0, 0.0, 0.0], [0.775, 0.6, 0.0], [-0.775, 0.6, 0.0]])
    edge = ROW / DENSITY ** (1.0 / 3.0)
    sites = (np.indices((ROW, ROW, ROW)).reshape(3, -1).T + 0.5) * edge / ROW
    turned = [site + Rotation.random(random_state=random).apply(molecule) for site in sites]
    atoms = Atoms("OHH" * ROW**3, positions=np.concatenate(turned), cell=[edge] * 3, pbc=True)
    atoms.calc = FlexibleWater(**(load_settings(run / "settings.xml").mlp.arguments or {}))
    FIRE(atoms, logfile=None, maxstep=0.05).run(fmax=1.0, steps=300)
    return Atoms(atoms.symbols, positions=atoms.positions.round(5), cell=atoms.cell, pbc=True)


def report(run: Path) -> list[dict[str, Any]]:
    """Return R of each data set by iteration."""
    sources = scattering_sources(load_settings(run / "settings.xml"))
    rows = []
    for step in sorted(run.glob("step_*")):
        if not (step / "gauss_newton.json").exists():
            continue
        counted = read_observables(step).to_half_box(step)
        row: dict[str, Any] = {"step": int(step.name.removeprefix("step_"))}
        for source in sources:
            data = everywhere(source)
            found = total(data, partial_factors(counted, data.q, data.resolution)).mean(axis=0)
            found += beyond(data, counted)
            facts = by_range(data.q, data.values, found)
            row |= {f"{key} {source.name}": value for key, value in facts.items()}
        rows.append(row)
    return rows


def by_range(q: Array, wanted: Array, found: Array) -> dict[str, float]:
    """Return R over all Q, in each range, and the share of the fitted ones' that is below 1.6 1/Angstrom."""
    facts = {"R": rounded(r_factor(wanted, found))}
    for label, (low, high) in RANGES.items():
        inside = (q > low) & (q < high)
        facts[f"R {label}"] = rounded(r_factor(wanted[inside], found[inside]))
    fitted = q > RANGES["fitted"][0]
    squares = (wanted - found)[fitted] ** 2
    facts["share below 1.6"] = rounded(float(squares[q[fitted] < 1.6].sum() / squares.sum()))
    return facts


def everywhere(source: ScatteringSource) -> ScatteringData:
    """Return a data set at all Q that EPSR fits."""
    return replace(source, q_min=0.2, q_max=29.9).data


def of_epsr(sources: Sequence[ScatteringSource]) -> dict[str, dict[str, float]]:
    """Return R of EPSR's own box by data set."""
    calculated = read_columns(_data() / "water.EPSR.u01")
    found = {}
    for source in sources:
        data = everywhere(source)
        there = np.interp(data.q, calculated[:, 0], calculated[:, COLUMNS[source.name]])
        found[source.name] = {
            "start": STARTS[source.name],
            **by_range(data.q, data.values, there),
            **at_zero(data),
        }
    return found


def at_zero(data: ScatteringData) -> dict[str, float]:
    """Return F(0) by the compressibility, and the mean of what was measured below 0.7 1/Angstrom.

    F(0) = [(b_O + 2 b_H)^2 rho kB T kappa - b_O^2 - 2 b_H^2] / 3 for whole molecules, rho of these.
    """
    b = {name: float(values[0]) for name, values in data.strengths(["O", "H"]).items()}
    whole, single = (b["O"] + 2.0 * b["H"]) ** 2, b["O"] ** 2 + 2.0 * b["H"] ** 2
    return {
        "F(0)": rounded((COMPRESSED * whole - single) / 3.0 / FM2_PER_BARN),
        "measured near 0": rounded(float(np.mean(data.values[data.q < 0.7]))),
    }


def summary(rows: list[dict[str, Any]], epsr: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Return means over the seeds of the first and last step, and ratios to EPSR's start and box."""
    found: dict[str, Any] = {}
    for label, step in (("first", 1), ("last", max(row["step"] for row in rows))):
        at = [row for row in rows if row["step"] == step]
        found[label] = {"seeds": len(at), "step": step}
        for name, reference in epsr.items():
            for key in ("R", *(f"R {part}" for part in RANGES)):
                values = np.array([row[f"{key} {name}"] for row in at])
                found[label][f"{key} {name}"] = _mean(values)
                found[label][f"{key} {name} over EPSR"] = _mean(values / reference[key])
            share = np.array([row[f"share below 1.6 {name}"] for row in at])
            found[label][f"share below 1.6 {name}"] = _mean(share)
            start = np.array([row[f"R fitted {name}"] for row in at]) / reference["start"]
            found[label][f"R fitted {name} over start"] = _mean(start)
    return found


def _mean(values: Array) -> Any:
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return number(float(np.mean(values)), error)


def _data() -> Path:
    return Path(os.environ["VOTCA_MLP_DATA"]) / "dissolve_water"


def main() -> None:
    """Run every seed, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--iterations", type=int, default=6)
    parser.add_argument("--report", action="store_true", help="only of the iterations that are there")
    add_json(parser)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    sources: tuple[ScatteringSource, ...] = ()
    for seed in options.seeds:
        run = options.directory / str(seed)
        if not options.report:
            make(run, seed, options.iterations)
        sources = scattering_sources(load_settings(run / "settings.xml"))
        for row in report(run):
            rows.append({"seed": seed} | row)
            print(", ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    epsr = of_epsr(sources)
    tables = {"iterations": rows, "epsr": epsr, "summary": summary(rows, epsr)}
    print(tables["summary"])
    write_result(options.json, tables, seeds=options.seeds)


if __name__ == "__main__":
    main()
