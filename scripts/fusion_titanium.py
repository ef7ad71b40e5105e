#!/usr/bin/env python3
"""Titanium fused: a HIP-NN of PBE made to have the measured lattice and elastic constants as well.

    scripts/fusion_titanium.py DIRECTORY [--data FOLDER] [--seeds N...] [--epochs N] [--layers N]
                               [--iterations N] [--production PS] [--probes N] [--by-kind] [--patience N]
                               [--held-alone]
                               [--train T...] [--test T...] [--json FILE]

A folder for each seed (of the fit, of the velocities) with stages, each of which leaves a file and is skipped
when that is there: dft.pt (energies, forces and stress of PBE; goes on from dft_checkpoint.pt), before.json,
the fusion in fusion/ (resumable at any moment), fused.pt, after.json. Elastic constants and pressure at the
measured lattice by fresh simulations, before and after, also at temperatures that were not trained at. That
the lattice is measured enters as no stress along each of its edges. The lattice without stress follows from
the mean stress at the measured one and the elastic constants (Hooke).
FOLDER has ti_dft_saidi and titanium (VOTCA_MLP_DATA).
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from fusion_stages import course, dft_table, fitted, fused, kept, say, simulated
from metal_potential import Fit
from results_file import Json, add_directory, number, parsed, write_result
from titanium.data import LEVEL, Measured, dft_frames, measured, split
from titanium.states import experiments_of, free_lattice, observables_of, state_of

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.labels import labels_of
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.labelled import LabelledFrames

HELD_SEED = 1
SETS = ("held out", "learnt from")
NAME = "fusion_titanium"


def judged(options: argparse.Namespace, model: HipnnModel, place: Path, frames: LabelledFrames) -> Json:
    """Return what a model gives at all temperatures by fresh simulations, and its errors on DFT frames."""
    known, copies = measured(options.data / "titanium"), Copies(model)
    parts = dict(zip(reversed(SETS), split(frames, HELD_SEED), strict=True))
    result: Json = {
        which: labels_of(frames, part, model, LEVEL).errors(copies.single) for which, part in parts.items()
    }
    result["states"] = {}
    for temperature in [*options.train, *options.test]:
        state = state_of(known[temperature], 1000.0 * options.judge, 3000.0)
        row = simulated(copies, state, observables_of(known[temperature]), place)
        row |= free_lattice(known[temperature], row)
        result["states"][state.name] = row
        say(f"{place.name} {state.name} " + " ".join(f"{k} {v:.4g}({e:.2g})" for k, (v, e) in row.items()))
    return result


def fusion_of(
    options: argparse.Namespace, model: HipnnModel, frames: LabelledFrames, seed: int, folder: Path
) -> Fusion:
    """Return the fusion, with weights by errors alone and the limits as they are by default."""
    known = measured(options.data / "titanium")
    learn, held = split(frames, HELD_SEED)
    return Fusion(
        model,
        [state_of(known[t], 1000.0 * options.production) for t in options.train],
        [each for t in options.train for each in experiments_of(known[t])],
        labels_of(frames, learn, model, LEVEL),
        labels_of(frames, held, model, LEVEL),
        folder,
        FusionOptions(
            iterations=options.iterations,
            seed=seed,
            held_alone=options.held_alone,
            probes=options.probes,
            by_kind=options.by_kind,
            patience=options.patience,
        ),
        report=say,
    )


def one_seed(options: argparse.Namespace, frames: LabelledFrames, seed: int) -> Json:
    """Return what a seed gives: before, after, and the course of the fusion."""
    place = options.directory / f"seed_{seed}"
    place.mkdir(parents=True, exist_ok=True)
    fit = Fit(epochs=options.epochs, seed=seed, layers=options.layers)
    model = fitted(place, frames, split(frames, HELD_SEED)[0], LEVEL, fit, NAME)
    before = kept(place / "before.json", lambda: judged(options, model, place / "before", frames))
    changed = fused(place, lambda folder: fusion_of(options, model, frames, seed, folder), NAME)
    after = kept(place / "after.json", lambda: judged(options, changed, place / "after", frames))
    return {"before": before, "after": after, "fusion": course(place, len(options.train))}


SIZES: dict[str, Callable[[Json, Measured], list[float]]] = {
    "constants": lambda found, known: [
        100.0 * abs(found[k][0] / v - 1.0) for k, v in known.constants.items()
    ],
    "pressure": lambda found, known: [abs(found["pressure"][0])],
    "a": lambda found, known: [100.0 * abs(found["a"][0] / known.a - 1.0)],
    "c": lambda found, known: [100.0 * abs(found["c"][0] / known.c - 1.0)],
}
"""Sizes of what is off at a temperature: % of the constants and of the lattice without stress, kbar."""


def state_row(known: Measured, found: Json, trained: bool) -> Json:
    """Return what a temperature gives before and after, beside what was measured."""
    targets, name = known.constants, f"{known.temperature:.0f}K"
    row: Json = {"trained": "yes" if trained else "no"}
    for when in ("before", "after"):
        numbers = found[when]["states"][name]
        errors = [abs(numbers[label][0] / value - 1.0) * 100.0 for label, value in targets.items()]
        noise = np.sqrt(sum((numbers[k][1] / v * 100.0) ** 2 for k, v in targets.items())) / len(targets)
        row[f"{when}_constants"] = number(float(np.mean(errors)), float(noise))
        row |= {f"{when}_{label}": number(*numbers[label]) for label in (*targets, "pressure", "a", "c")}
    row |= {f"measured_{label}": number(value) for label, value in targets.items()}
    return row | {"measured_a": number(known.a), "measured_c": number(known.c)}


def ratios(found: Json, known: dict[float, Measured], temperatures: list[float]) -> Json:
    """Return errors before and after over some temperatures, and their ratios, of one seed."""
    row: Json = {}
    for what, size_of in SIZES.items():
        for when in ("before", "after"):
            sizes = [
                size for t in temperatures for size in size_of(found[when]["states"][f"{t:.0f}K"], known[t])
            ]
            row[f"{what}_{when}"] = float(np.mean(sizes))
        row[f"{what}_ratio"] = row[f"{what}_after"] / row[f"{what}_before"]
    return row


def over_seeds(rows: list[Json]) -> Json:
    """Return means over seeds with their standard errors, but for what is before fusion and has no seed."""
    found = {}
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        differ = len(values) > 1 and np.ptp(values) > 0.0
        error = values.std(ddof=1) / len(values) ** 0.5 if differ else None
        found[name] = number(float(values.mean()), error)
    return found


def tables(options: argparse.Namespace, found: dict[int, Json]) -> Json:
    """Return the tables of the result."""
    known = measured(options.data / "titanium")
    states: Json = {}
    dft: Json = {}
    runs: Json = {}
    for seed, each in found.items():
        for t in (*options.train, *options.test):
            states[f"{t:.0f}K, seed {seed}"] = state_row(known[t], each, t in options.train)
        rows = dft_table(each["before"], each["after"], SETS)
        dft |= {f"{name}, seed {seed}": row for name, row in rows.items()}
        runs[f"seed {seed}"] = each["fusion"]
    summary = {
        which: over_seeds([ratios(each, known, list(temperatures)) for each in found.values()])
        for which, temperatures in (("trained", options.train), ("not trained", options.test))
        if temperatures
    }
    errors = [
        {
            f"{which}, {kind}": each["after"][which][kind] / each["before"][which][kind]
            for which in SETS
            for kind in ("energy", "force", "stress")
        }
        for each in found.values()
    ]
    return {
        "states": states,
        "dft": dft,
        "fusion": runs,
        "ratios": {
            f"seed {seed}": {k: number(v) for k, v in ratios(each, known, options.train).items()}
            for seed, each in found.items()
        },
        "summary": summary | {"dft_ratio": over_seeds(errors)},
    }


def main() -> None:
    """Run the stages that have left nothing yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_directory(parser, [1, 2, 3])
    parser.add_argument("--epochs", type=int, default=200, help="of the DFT fit")
    parser.add_argument("--layers", type=int, default=1, help="interaction layers of the network")
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--production", type=float, default=15.0, help="of a trajectory, ps")
    parser.add_argument("--judge", type=float, default=30.0, help="of the simulations before and after, ps")
    parser.add_argument(
        "--probes", type=int, default=FusionOptions.probes, help="of the trust region; 0: every frame"
    )
    parser.add_argument(
        "--patience", type=int, default=FusionOptions.patience, help="iterations without better"
    )
    parser.add_argument("--by-kind", action="store_true", help="weights of labels that grow by kind")
    parser.add_argument("--held-alone", action="store_true", help="limits of held-out labels alone")
    parser.add_argument("--train", type=float, nargs="+", default=[323.0, 923.0])
    parser.add_argument("--test", type=float, nargs="*", default=[623.0])
    options = parsed(parser, "ti_dft_saidi and titanium")
    torch.set_num_threads(1)
    frames, left_out = dft_frames(options.data / "ti_dft_saidi" / "iter0_Ti.tar.xz")
    say(f"{len(frames)} DFT frames, {left_out} far ones left out")
    found = {seed: one_seed(options, frames, seed) for seed in options.seeds}
    units = {
        "constants": "% of the measured, mean",
        "pressure": "kbar",
        "C": "GPa",
        "a": "Angstrom",
        "c": "Angstrom",
    }
    write_result(options.json, tables(options, found), units=units, seeds=options.seeds)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
