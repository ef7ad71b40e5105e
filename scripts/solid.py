#!/usr/bin/env python3
"""The aluminium crystal at 0 K by HIP-NN and ANI-Al, and by HIP-NN with corrections found in the liquid.

    scripts/solid.py [NAME=RUN ...] [--ani FOLDER] [--json FILE]

RUN is the main directory of a run of the shipped HIP-NN; the u(r) that its last g(r) was simulated with
counts. The paper: 4.054 (ANI-Al), 4.037 (its HIP-NN), 4.046(4) Angstrom measured; with u(r; T) lattice
constant and cold curve become worse.
"""

import argparse
from pathlib import Path

from results_file import Json, add_json, number, write_result

from votca_mlp.api.model import load_model
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.solid import cold_curve, elastic_constants
from votca_mlp.potentials.correction import read_correction
from votca_mlp.runs.reading import read_run

UNITS = {
    "constant": "Angstrom",
    "bulk_modulus": "GPa",
    "C11": "GPa",
    "C12": "GPa",
    "C44": "GPa",
}


def crystal_of(evaluator: Evaluator, guess: float) -> Json:
    """Return lattice constant, bulk modulus and elastic constants."""
    curve = cold_curve(evaluator, "Al", "fcc", guess, points=15)
    constants = elastic_constants(evaluator, "Al", "fcc", curve.constant)
    found = {"constant": curve.constant, "bulk_modulus": curve.bulk_modulus, **constants}
    print(", ".join(f"{name} {value:.4g}" for name, value in found.items()), flush=True)
    return {name: number(value) for name, value in found.items()}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="*", metavar="NAME=RUN")
    parser.add_argument("--ani", type=Path)
    add_json(parser)
    options = parser.parse_args()
    hipnn = load_model("builtin:al-hipnn", dtype="float64")
    table = {"HIP-NN": crystal_of(hipnn.evaluator(), 4.05)}
    if options.ani is not None:
        table["ANI-Al"] = crystal_of(load_model(options.ani, kind="ani", dtype="float64").evaluator(), 4.05)
    for text in options.runs:
        name, _, folder = text.partition("=")
        last = read_run(folder).measured[-1]
        correction = read_correction({("Al", "Al"): last.directory / "Al-Al.pot.cur"})
        table[name] = {"step": last.number, **crystal_of(hipnn.evaluator(correction), 4.08)}
    names = " ".join(f"{text.partition('=')[0]}=RUN" for text in options.runs)
    ani = " --ani FOLDER" if options.ani is not None else ""
    write_result(options.json, {"crystal": table}, units=UNITS, made_by=f"scripts/solid.py {names}{ani}")


if __name__ == "__main__":
    main()
