#!/usr/bin/env python3
"""Corrections from totals: u(r) fitted to F(Q) alone, with known answers and with measured argon.

    scripts/scattering_cases.py DIRECTORY CASE... [--seeds 1 2] [--iterations N] [--json FILE]

CASE is arkr_three, arkr_two (an equimolar Ar-Kr liquid of which three, or two, isotopic F(Q) with noise were
made with model + u*; no g(r) is fitted), argon_twin (one F(Q)), argon (S(Q) of liquid 36Ar at 85 K as
measured, J. L. Yarnell et al., Phys. Rev. A 7, 2130 (1973), needs VOTCA_MLP_DATA; baseline: Lennard-Jones
with a radius 3 % and a depth 12 % off), argon_seen and argon_unseen (the g(r) of argon_twin's target through
Lorch's window at 8 1/Angstrom is fitted, and the run is told so, or not). Every run has its folder
DIRECTORY/CASE/SEED; started again, what is there goes on.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results_file import ROOT, add_json, number, rounded, write_result

from votca_mlp.engines.engine import engine_named
from votca_mlp.inverse.from_settings import state_plan
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.inverse.twin import known_correction, simulate_targets
from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.observables.step import measure_frames
from votca_mlp.observables.structure_factor import partial_factors
from votca_mlp.scattering.data import ScatteringData, beyond, total
from votca_mlp.scattering.lengths import parsed_isotopes
from votca_mlp.settings import load_settings
from votca_mlp.settings.plans import md_plan
from votca_mlp.tables import grid_points, read_table, write_table
from votca_mlp.targets.build import target_from_structure_factor
from votca_mlp.targets.core import clean_core
from votca_mlp.targets.measured import read_measured
from votca_mlp.targets.window import RdfWindow, windowed_table
from votca_mlp.units import ANGSTROM_PER_NM, KJMOL_PER_EV, kbt_kjmol

Array = NDArray[np.float64]
Bumps = tuple[tuple[float, float, float], ...]
Q = np.arange(0.4, 16.01, 0.05)
NOISE = 0.003
"""Standard error of a synthetic F(Q), of its largest value."""
LONGER = 4.0
"""Length of a target's simulation, in those of a step."""
READY = "data_are_made"
"""A file that says so: without it they are made again."""
TIMESTEP = 10
"""fs: 0.005 of the atoms' own unit of time, as usual for Lennard-Jones."""
ARGON_DENSITY = 0.02125
"""Atoms per cubic Angstrom (Yarnell et al.)."""
ARGON_SIGMA = 0.01
"""Standard error of the measured S(Q): its scatter, and the systematic corrections that the paper names."""


@dataclass(frozen=True)
class Case:
    """A case: isotopes of each data set, u* (height in eV, centre and width in nm) by interaction.

    With a window no F(Q) but a g(r) that was seen through it is fitted; ``told``: settings.xml says so.
    """

    isotopes: tuple[str, ...]
    known: Mapping[str, Bumps]
    argon: bool = False
    window: RdfWindow | None = None
    told: bool = False


SEEN = RdfWindow(8.0, "lorch")
TWIN = {"Ar-Ar": ((0.002, 0.37, 0.04), (-0.001, 0.52, 0.06))}
MIXTURE = {"Ar-Kr": ((0.0025, 0.37, 0.04), (-0.0012, 0.50, 0.06))}
CASES = {
    "arkr_three": Case(("36Ar", "", "36Ar:0.35 40Ar:0.65"), MIXTURE),
    "arkr_two": Case(("36Ar", ""), MIXTURE),
    "argon_twin": Case(("36Ar",), TWIN, argon=True),
    "argon_seen": Case((), TWIN, argon=True, window=SEEN, told=True),
    "argon_unseen": Case((), TWIN, argon=True, window=SEEN),
    "argon": Case(("36Ar",), {}, argon=True),
}


def main() -> None:
    """Run every case with every seed, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("cases", nargs="+", choices=CASES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--iterations", type=int, default=5)
    add_json(parser)
    options = parser.parse_args()
    rows = []
    for name in options.cases:
        for seed in options.seeds:
            run = options.directory / name / str(seed)
            make(run, name, seed, options.iterations)
            for row in report(run, CASES[name]):
                rows.append({"case": name, "seed": seed} | row)
                print(", ".join(f"{key} {shown(value)}" for key, value in rows[-1].items()), flush=True)
    write_result(options.json, {"iterations": rows, "summary": summary(rows)}, seeds=options.seeds)


def shown(value: Any) -> str:
    """Return a number of a table in words."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return means over the seeds of the first and the last step of each case."""
    found = {}
    for case in dict.fromkeys(row["case"] for row in rows):
        of_case = [row for row in rows if row["case"] == case]
        for label, step in (("first", 1), ("last", max(row["step"] for row in of_case))):
            at = [row for row in of_case if row["step"] == step]
            columns = [key for key in at[0] if key not in ("case", "seed", "step")]
            found[f"{case} {label}"] = {"seeds": len(at), "step": step} | {
                key: _mean([row[key] for row in at]) for key in columns
            }
    return found


def _mean(values: list[float]) -> Any:
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return number(float(np.mean(values)), error)


def make(run: Path, name: str, seed: int, iterations: int) -> None:
    """Make a run, or go on with it."""
    case = CASES[name]
    if not (run / READY).exists():
        # killed while the data were made: a target's simulation there goes on, the rest is quick
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(ROOT / "settings" / "lj_mixture", run)
        settings_of(run, case, seed, iterations)
        if case.known:
            synthetic(run, case, seed)
        else:
            measured(run)
        (run / READY).touch()
    command = [sys.executable, "-m", "votca_mlp", "inverse", "--options", "settings.xml"]
    ended = subprocess.run(command, cwd=run, stdout=subprocess.DEVNULL).returncode
    # a run that has left its phase ends itself: what it has is the result
    if ended and not list(run.glob("step_*/gauss_newton.json")):
        sys.exit(f"{run}: no iteration was finished")


def settings_of(run: Path, case: Case, seed: int, iterations: int) -> None:
    """Write a settings.xml with data sets in the place of the targets."""
    path = run / "settings.xml"
    text = re.sub(
        r"<wibi>.*?</wibi>", "<gauss_newton><fit>no</fit></gauss_newton>", path.read_text(), flags=re.DOTALL
    )
    text = text.replace(">ibi<", ">imc<")
    for tag, value in {"iterations_max": iterations, "seed": seed, "timestep": TIMESTEP}.items():
        text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{value}</{tag}>", text)
    if case.argon:
        pairs = re.findall(r"<non-bonded>.*?</non-bonded>", text, flags=re.DOTALL)
        for pair in pairs[1:]:
            text = text.replace(pair, "")
        edge = (4.0 / ARGON_DENSITY) ** (1.0 / 3.0)
        crystal = (
            f"<crystal><element>Ar</element><lattice_constant>{edge:.6f}</lattice_constant>"
            "<repeat>5 5 5</repeat><melt_temperature>400</melt_temperature></crystal>"
        )
        text = re.sub(r"<conf>.*?</conf>", crystal, text)
        text = re.sub(r"<temperature>[^<]*<", "<temperature>85<", text)
        text = re.sub(r"<kBT>[^<]*<", f"<kBT>{kbt_kjmol(85.0):.8g}<", text)
        # the radius and the depth of argon are about 3.40 Angstrom and 10.4 meV
        depth, radius = (0.0104, 3.40) if case.known else (0.0092, 3.50)
        text = text.replace("{Ar: [0.0104, 3.40], Kr: [0.0141, 3.65]}", f"{{Ar: [{depth}, {radius}]}}")
        topology = (run / "topol.xml").read_text()
        topology = re.sub(
            r"(<bead [^>]*name=\"Kr.*?/>|<molecule name=\"Kr.*?</molecule>)", "", topology, flags=re.DOTALL
        )
        (run / "topol.xml").write_text(re.sub(r"nmols=\"\d+\"", 'nmols="500"', topology))
    if case.window is not None:
        said = f"<window><q_max>{case.window.q_max:g}</q_max></window>" if case.told else ""
        text = text.replace("<gauss_newton><fit>no</fit></gauss_newton>", said)
    path.write_text(text.replace("<mlp>", sets(case) + "\n    <mlp>", 1))


def sets(case: Case) -> str:
    """Return the <scattering> sections."""
    measured_one = not case.known
    lines = []
    for count, isotopes in enumerate(case.isotopes):
        file = "yarnell.sq" if measured_one else f"set{count}.dat"
        function = "S" if measured_one else "F"
        normalisation = "square_of_mean" if measured_one else "none"
        error = (
            f"<sigma>{ARGON_SIGMA}</sigma> <q_min>0.4</q_min>" if measured_one else "<columns>1 2 3</columns>"
        )
        lines.append(
            f"<scattering> <file>{file}</file> <radiation>neutron</radiation> <isotopes>{isotopes}</isotopes>"
            f" <function>{function}</function> <normalisation>{normalisation}</normalisation>"
            f" {error} </scattering>"
        )
    return "\n    ".join(lines)


def measured(run: Path) -> None:
    """Copy the measured S(Q), and make a target that says where g(r) begins."""
    source = Path(os.environ["VOTCA_MLP_DATA"]) / "dissolve_argon" / "yarnell.sq"
    shutil.copy(source, run / "yarnell.sq")
    pair = load_settings(run / "settings.xml").interactions[0]
    grid = grid_points(pair.min, pair.max, pair.step)
    table, _ = target_from_structure_factor(read_measured(source), grid, ARGON_DENSITY, function="S")
    assert pair.target is not None
    write_table(run / pair.target, table)


def synthetic(run: Path, case: Case, seed: int) -> None:
    """Simulate model + u*, write its g(r) beside and its F(Q) with noise as the data."""
    placeholder = {
        f"set{k}.dat": np.stack([Q, np.sin(Q) / Q, np.full(len(Q), 0.1)], axis=1)
        for k in range(len(case.isotopes))
    }
    for file, columns in placeholder.items():
        np.savetxt(run / file, columns)
    settings = load_settings(run / "settings.xml")
    state = state_plan(settings)
    state = replace(state, md=replace(state.md, seed=1000 + seed))
    grids = {pair.name: grid_points(pair.min, pair.max, pair.step) for pair in settings.interactions}
    known = {name: known_correction(grids[name], bumps) for name, bumps in case.known.items()}
    target = target_of(run, case)
    length = LONGER * md_plan(settings).production
    for name, table in simulate_targets(state, known, target, production=length).items():
        write_table(target / f"{name}.dist.tgt", table)
        if case.argon:
            write_table(run / f"{name}.dist.tgt", table)
    for name, table in known.items():
        write_table(target / f"{name}.known", table)
    counted = whole_of(state, length, target)
    if case.window is not None:
        # without an empty core: ripples below the first peak are taken out as votca-mlp target does
        sharp, ones = read_table(target / "Ar-Ar.dist.tgt"), np.ones(len(grids["Ar-Ar"]))
        blocks = counted.n_frames // 10
        seen = windowed_table(case.window, sharp, ones, counted, ("Ar", "Ar"), blocks)
        g, _ = clean_core(seen.x * ANGSTROM_PER_NM, seen.y)
        write_table(run / "Ar-Ar.dist.tgt", replace(seen, y=g))
    random = np.random.default_rng(seed)
    for count, isotopes in enumerate(case.isotopes):
        data = ScatteringData("set", "neutron", Q, np.zeros(len(Q)), isotopes=parsed_isotopes(isotopes))
        values = total(data, partial_factors(counted, Q)).mean(axis=0) + beyond(data, counted)
        sigma = NOISE * float(np.abs(values).max())
        noisy = values + random.normal(0.0, sigma, len(Q))
        np.savetxt(run / f"set{count}.dat", np.stack([Q, noisy, np.full(len(Q), sigma)], axis=1))


def whole_of(state: StatePlan, production: float, directory: Path) -> PairHistograms:
    """Return the pair counts to half the box of a target's simulation."""
    md = replace(state.md, production=production)
    frames = engine_named(md.engine).frames(md, directory)
    return measure_frames(frames, [], {}, {}, whole=True).to_half_box(directory)


def target_of(run: Path, case: Case) -> Path:
    """Return where the target of a run was simulated: one for all cases of the same u* and seed."""
    return run.parent.parent / f"target_{'argon' if case.argon else 'arkr'}_{run.name}"


def report(run: Path, case: Case) -> list[dict[str, Any]]:
    """Return chi2 and R of each data set, and how far each g(r) is from that of the target, by iteration."""
    rows = []
    for step in sorted(run.glob("step_*"))[1:]:
        facts_file = step / "gauss_newton.json"
        if not facts_file.exists():
            continue
        row: dict[str, Any] = {"step": int(step.name.removeprefix("step_"))}
        for group in json.loads(facts_file.read_text()).values():
            for name, datum in group["data"].items():
                row[f"chi2 {name}"] = datum["chi2"]
                if "R" in datum:
                    row[f"R {name}"] = datum["R"]
        if case.window is not None:
            rows.append(row | of_window(step, target_of(run, case)))
            continue
        for table in sorted(step.glob("*.dist.band")):
            name = table.name.removesuffix(".dist.band")
            found = read_table(table)
            if not case.known:
                continue
            wanted = read_table(target_of(run, case) / f"{name}.dist.tgt")
            used = found.x > 0.25
            assert found.yerr is not None
            off = (found.y - wanted.y)[used]
            band = found.yerr[used]
            row[f"rms {name}"] = rounded(float(np.sqrt(np.mean(off**2))))
            row[f"band {name}"] = rounded(float(np.sqrt(np.mean(band**2))))
            # the target is of a simulation, too
            error = np.hypot(band, 0.0 if wanted.yerr is None else wanted.yerr[used])
            row[f"expected {name}"] = rounded(float(np.sqrt(np.mean(error**2))))
            row[f"inside {name}"] = rounded(float(np.mean(np.abs(off) < error)))
        rows.append(row)
    return rows


def of_window(step: Path, target: Path) -> dict[str, Any]:
    """Return how far the liquid's own g(r) is from the target's, and u(r) from u*, where there are atoms."""
    sharp = step / "Ar-Ar.dist.sharp"
    found = read_table(sharp if sharp.exists() else step / "Ar-Ar.dist.new")
    wanted, known = read_table(target / "Ar-Ar.dist.tgt"), read_table(target / "Ar-Ar.known")
    u = read_table(step / "Ar-Ar.pot.cur")
    off = (found.y - wanted.y)[found.x > 0.25]
    there = wanted.y > 0.3
    wrong = (u.y - known.y)[there] / KJMOL_PER_EV * 1e3
    return {
        "rms of g": rounded(float(np.sqrt(np.mean(off**2)))),
        "peak of g": rounded(float(found.y.max() / wanted.y.max())),
        "rms of u, meV": rounded(float(np.sqrt(np.mean(wrong**2)))),
    }


if __name__ == "__main__":
    main()
