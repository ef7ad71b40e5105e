#!/usr/bin/env python3
"""Melting temperatures by coexistence: aluminium by the shipped HIP-NN, with corrections and without; argon.

    scripts/melting.py DIRECTORY [NAME=RUN ...] [--temperatures 860 900 940 980] [--json FILE]
    scripts/melting.py DIRECTORY --argon [--potentials "Broughton-Gilmer" "Lennard-Jones"] [--json FILE]

RUN is the main directory of a run of the shipped HIP-NN; the u(r) that its last g(r) was simulated with
counts. Started again, it goes on. The paper: 920(5) K (ANI-Al), 905(5) K with its u(r) of 1323 K; measured
933 K. --argon: Lennard-Jones crystals instead, whose melting is known. That of Broughton and Gilmer
(J. Chem. Phys. 79, 5095 (1983)) ends smoothly at 2.5 sigma and melts at kT/epsilon = 0.617 (Davidchack and
Laird, J. Chem. Phys. 118, 7651 (2003)); it is simulated as ours of that cutoff with a correction. The other
is ours of 4 sigma; without any cutoff the triple point is at 0.694 (Mastny and de Pablo, J. Chem. Phys. 127,
104504 (2007)).
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from results_file import Json, add_json, number, write_result

from votca_mlp.api.melting import Coexistence, melt
from votca_mlp.api.model import Model, load_model
from votca_mlp.cli.melt import in_words
from votca_mlp.engines.plan import MDPlan
from votca_mlp.models.lennard_jones import lennard_jones_mixture
from votca_mlp.potentials.correction import PairCorrection, correction_of_tables, read_correction
from votca_mlp.runs.reading import read_run
from votca_mlp.tables import make_table
from votca_mlp.units import ANGSTROM_PER_NM, KB_EV_PER_K, KJMOL_PER_EV

UNITS = {"temperature": "K", "speed": "Angstrom/ps", "constant": "Angstrom", "heat": "meV/atom"}
UNITS |= {"expansion": "%", "melting": "K", "grows": "K", "melts": "K", "mobility": "Angstrom/ps/K"}
EPSILON, SIGMA = 0.0104, 3.4
"""eV, Angstrom."""
ARGON = {
    "Broughton-Gilmer": (2.5, [66.0, 71.0, 76.0, 81.0]),
    "Lennard-Jones": (4.0, [70.0, 78.0, 86.0, 94.0]),
}
"""Cutoff in sigma, temperatures in K: melting is expected at 74.5 K, and below 83.8 K."""
SMOOTH, C1 = 2.3, 0.0163169237
"""Where the smooth end begins, sigma, and how much the potential is raised before it, epsilon."""
END = (3136.5686, -68.069, -0.0833111261, 0.746882273)
"""Factors of (sigma/r)^12, (sigma/r)^6, (r/sigma)^2 and 1 there: value and slope are continuous."""


def broughton_gilmer(r: np.ndarray) -> np.ndarray:
    """Return the potential in epsilon, r in sigma."""
    inner = 4.0 * (r**-12 - r**-6) + C1
    outer = END[0] * r**-12 + END[1] * r**-6 + END[2] * r**2 + END[3]
    return np.where(r < SMOOTH, inner, np.where(r < ARGON["Broughton-Gilmer"][0], outer, 0.0))


def towards_broughton_gilmer() -> PairCorrection:
    """Return what ours with shifted force lacks; within 2.3 sigma a straight line."""
    cutoff = ARGON["Broughton-Gilmer"][0]
    r = np.linspace(0.5, cutoff, 1001)
    end, slope = 4.0 * (cutoff**-12 - cutoff**-6), -24.0 * (2.0 * cutoff**-13 - cutoff**-7)
    ours = 4.0 * (r**-12 - r**-6) - end - (r - cutoff) * slope
    u = EPSILON * KJMOL_PER_EV * (broughton_gilmer(r) - ours)
    u[-1] = 0.0
    return correction_of_tables({("Ar", "Ar"): (make_table(r * SIGMA / ANGSTROM_PER_NM, u), "argon")})


def potentials(options: argparse.Namespace) -> Iterator[tuple[str, Model, PairCorrection | None]]:
    """Yield what crystals are made of."""
    if options.argon:
        for name in options.potentials:
            cutoff = ARGON[name][0]
            argon = lennard_jones_mixture({"Ar": [EPSILON, SIGMA]}, cutoff * SIGMA)
            model = load_model(argon, name=f"Lennard-Jones {cutoff}", dtype="float64")
            yield name, model, towards_broughton_gilmer() if name == "Broughton-Gilmer" else None
        return
    model = load_model("builtin:al-hipnn")
    if not options.corrected:
        yield "HIP-NN", model, None
    for text in options.runs:
        name, _, folder = text.partition("=")
        last = read_run(folder).measured[-1]
        yield name, model, read_correction({("Al", "Al"): last.directory / "Al-Al.pot.cur"})


def row(run: Coexistence) -> Json:
    """Return the numbers of a coexistence; a speed that is too large to be measured has none."""
    words = {1: "grows", -1: "melts", 0: "neither"}
    found: dict[str, Any] = {"temperature": run.temperature, "seed": run.seed}
    found["crystal"] = words[run.motion.direction]
    if run.motion.speed.mean == run.motion.speed.mean:
        found["speed"] = number(run.motion.speed.mean, run.motion.speed.error)
    numbers = {"constant": run.constant, "heat": 1000.0 * run.heat, "expansion": 100.0 * run.expansion}
    return found | {name: number(value) for name, value in numbers.items()}


def main() -> None:
    """Simulate what is not done, and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("runs", nargs="*", metavar="NAME=RUN")
    parser.add_argument("--corrected", action="store_true", help="not HIP-NN alone")
    parser.add_argument("--argon", action="store_true")
    parser.add_argument("--potentials", nargs="+", choices=list(ARGON), default=list(ARGON))
    parser.add_argument("--temperatures", type=float, nargs="+")
    parser.add_argument("--cells", type=int, nargs=3, default=[4, 4, 4], help="of each half")
    parser.add_argument("--length", type=float, default=30.0, help="of a coexistence, ps (argon: five times)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    add_json(parser)
    options = parser.parse_args()
    argon = options.argon
    slower = 5.0 if argon else 1.0
    md = MDPlan(
        300.0,
        timestep=2.0 * slower,
        equilibration=3000.0 * slower,
        production=1000.0 * slower * options.length,
        sample_every=100.0 * slower,
        thermostat_time=100.0 * slower,
        barostat_time=1000.0 * slower,
    )
    tables: Json = {}
    for name, model, correction in potentials(options):
        usual = ARGON[name][1] if argon else [860.0, 900.0, 940.0, 980.0]
        found = melt(
            model,
            "Ar" if argon else "Al",
            "fcc",
            5.3 if argon else 4.08,
            options.temperatures or usual,
            md,
            correction=correction,
            cells=tuple(options.cells),
            seeds=options.seeds,
            directory=options.directory / name,
            report=lambda run: print(row(run), flush=True),
        )
        print(f"{name}: {in_words(found)}", flush=True)
        tables[name] = [row(run) for run in found.runs]
        point = found.point
        summary: Json = {"atoms": 8 * options.cells[0] * options.cells[1] * options.cells[2]}
        summary |= {} if point.bracket[0] is None else {"grows": point.bracket[0]}
        summary |= {} if point.bracket[1] is None else {"melts": point.bracket[1]}
        if point.temperature is not None:
            summary["melting"] = number(point.temperature.mean, point.temperature.error)
            if argon:
                reduced = KB_EV_PER_K / EPSILON
                summary["reduced"] = number(
                    point.temperature.mean * reduced, point.temperature.error * reduced
                )
        if point.mobility is not None:
            summary["mobility"] = number(point.mobility.mean, point.mobility.error)
        tables.setdefault("melting", {})[name] = summary
        write_result(options.json, tables, units=UNITS, seeds=options.seeds)


if __name__ == "__main__":
    main()
