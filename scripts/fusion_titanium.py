#!/usr/bin/env python3
"""Titanium fused: a HIP-NN of PBE made to have the measured lattice and elastic constants as well.

    scripts/fusion_titanium.py DIRECTORY [--data FOLDER] [--epochs N] [--iterations N] [--production PS]
                               [--train T...] [--test T...] [--effective X] [--json FILE]

Stages, each of which leaves a file and is skipped when that is there: dft.pt (energies, forces and stress of
PBE), before.json, the fusion in fusion/ (resumable at any moment), fused.pt, after.json. Elastic constants
and pressure at the measured lattice by fresh simulations, before and after, also at temperatures that were
not trained at. FOLDER has ti_dft_saidi and titanium (VOTCA_MLP_DATA).
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from results_file import add_json, number, write_result
from titanium.data import LEVEL, dft_frames, measured, split
from titanium.potential import Fit, fit_potential
from titanium.states import GPA, experiments_of, observables_of, state_of

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.models.hipnn.files import load_hipnn, save_hipnn
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.labels import labels_of
from votca_mlp.training.fusion.observables.protocol import measure_all, uniform
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.simulate import simulate
from votca_mlp.training.labelled import LabelledFrames

Json = dict[str, Any]
HELD_SEED = 1


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


def potential(options: argparse.Namespace, frames: LabelledFrames) -> HipnnModel:
    """Return the DFT potential, from its file or by fitting it."""
    path = options.directory / "dft.pt"
    if not path.exists():
        began = time.monotonic()
        learn, _ = split(frames, HELD_SEED)
        model = fit_potential(frames, learn, Fit(epochs=options.epochs), say)
        facts = {"epochs": options.epochs, "seconds": round(time.monotonic() - began)}
        save_hipnn(path, model, {"made by": "scripts/fusion_titanium.py", "fit": facts})
    return load_hipnn(path)


def judged(options: argparse.Namespace, model: HipnnModel, name: str, frames: LabelledFrames) -> Json:
    """Return what a model gives at all temperatures by fresh simulations, and its errors on DFT frames."""
    path = options.directory / f"{name}.json"
    if path.exists():
        found: Json = json.loads(path.read_text())
        return found
    known, copies = measured(options.data / "titanium"), Copies(model)
    learn, held = split(frames, HELD_SEED)
    result: Json = {
        "learnt from": labels_of(frames, learn, model, LEVEL).errors(copies.single),
        "held out": labels_of(frames, held, model, LEVEL).errors(copies.single),
        "states": {},
    }
    for temperature in [*options.train, *options.test]:
        state = state_of(known[temperature], 1000.0 * options.judge, 3000.0)
        place = options.directory / name / state.name
        stored = simulate(state, copies, place, 1, state.start, 17)
        observables = observables_of(known[temperature])
        with torch.no_grad():
            values = measure_all(copies.double, stored, observables)
        weights = uniform(stored)
        row: Json = {}
        for each in observables:
            factor = GPA if each.labels[0].startswith("C") else 1e-3
            numbers, errors = each.value(weights, values) * factor, each.error(weights, values) * factor
            row |= {
                label: [float(value), float(error)]
                for label, value, error in zip(each.labels, numbers, errors, strict=True)
            }
        result["states"][state.name] = row
        say(f"{name} {state.name} " + " ".join(f"{k} {v:.4g}({e:.2g})" for k, (v, e) in row.items()))
    with atomic_write(path) as file:
        json.dump(result, file, indent=1)
    return result


def fuse(options: argparse.Namespace, model: HipnnModel, frames: LabelledFrames) -> HipnnModel:
    """Return the fused model, from its file or by going on with the fusion."""
    path = options.directory / "fused.pt"
    if not path.exists():
        began = time.monotonic()
        known = measured(options.data / "titanium")
        learn, held = split(frames, HELD_SEED)
        settings = FusionOptions(
            iterations=options.iterations,
            effective=options.effective,
            keep=options.keep,
            patience=3,
            label_weight=20.0,
            variance=0.5,
        )
        fusion = Fusion(
            model,
            [state_of(known[t], 1000.0 * options.production) for t in options.train],
            [each for t in options.train for each in experiments_of(known[t])],
            labels_of(frames, learn, model, LEVEL),
            labels_of(frames, held, model, LEVEL),
            options.directory / "fusion",
            settings,
            report=say,
        )
        found = fusion.run()
        history = [each.plain() for each in found.history]
        facts = {
            "ended": found.ended,
            "best": found.best,
            "trajectories": found.trajectories,
            "history": history,
            "seconds": round(time.monotonic() - began),
        }
        with atomic_write(options.directory / "fusion.json") as file:
            json.dump(facts, file, indent=1)
        assert isinstance(found.model, HipnnModel)
        fused = found.model.to(dtype=torch.float32)
        save_hipnn(path, fused, {"made by": "scripts/fusion_titanium.py", "fusion": {"ended": found.ended}})
    return load_hipnn(path)


def tables(options: argparse.Namespace, before: Json, after: Json) -> Json:
    """Return the tables of the result."""
    known, found = measured(options.data / "titanium"), {}
    for temperature in [*options.train, *options.test]:
        name = f"{temperature:.0f}K"
        targets = known[temperature].constants
        row: Json = {"trained": "yes" if temperature in options.train else "no"}
        for when, results in (("before", before), ("after", after)):
            numbers = results["states"][name]
            errors = [abs(numbers[label][0] / value - 1.0) * 100.0 for label, value in targets.items()]
            noise = np.sqrt(sum((numbers[k][1] / v * 100.0) ** 2 for k, v in targets.items())) / len(targets)
            row[f"{when}_constants"] = number(float(np.mean(errors)), float(noise))
            row |= {f"{when}_{label}": number(*numbers[label]) for label in targets}
            row[f"{when}_pressure"] = number(*numbers["pressure"])
        row |= {f"measured_{label}": value for label, value in targets.items()}
        found[name] = row
    return {
        "states": found,
        "dft": dft_table(before, after),
        "summary": summary(options, found, before, after),
    }


def dft_table(before: Json, after: Json) -> Json:
    """Return errors on DFT frames."""
    factors = {"energy": 1e3, "force": 1e3, "stress": GPA}
    return {
        f"{which}, {kind}": {
            "before": number(factors[kind] * before[which][kind]),
            "after": number(factors[kind] * after[which][kind]),
            "ratio": number(after[which][kind] / before[which][kind]),
        }
        for which in ("held out", "learnt from")
        for kind in factors
    }


def summary(options: argparse.Namespace, rows: Json, before: Json, after: Json) -> Json:
    """Return the ratios of errors after and before, over the temperatures trained at and the others."""

    def mean(names: list[str], column: str) -> float:
        values = [rows[name][column] for name in names]
        return float(np.mean([abs(v["value"] if isinstance(v, dict) else v) for v in values]))

    found: Json = {}
    for which, temperatures in (("trained", options.train), ("not trained", options.test)):
        names = [f"{t:.0f}K" for t in temperatures]
        if names:
            found[which] = {
                f"{what}_{when}": number(mean(names, f"{when}_{what}"))
                for what in ("constants", "pressure")
                for when in ("before", "after")
            } | {
                f"{what}_ratio": number(mean(names, f"after_{what}") / mean(names, f"before_{what}"))
                for what in ("constants", "pressure")
            }
    facts = json.loads((options.directory / "fusion.json").read_text())
    history = facts["history"]
    found["fusion"] = {
        "iterations": len(history),
        "best": facts["best"],
        "trajectories": sum(facts["trajectories"].values()),
        "trajectories_without_reuse": len(history) * len(options.train),
        "minutes": number(sum(each["seconds"] for each in history) / 60.0),
        "ended": facts["ended"],
    }
    return found


def main() -> None:
    """Run the stages that have left nothing yet."""
    data = os.environ.get("VOTCA_MLP_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--data", type=Path, default=Path(data) if data else None)
    parser.add_argument("--epochs", type=int, default=200, help="of the DFT fit")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--keep", type=int, default=2, help="trajectories of a state in use at once")
    parser.add_argument("--production", type=float, default=15.0, help="of a trajectory, ps")
    parser.add_argument("--judge", type=float, default=30.0, help="of the simulations before and after, ps")
    parser.add_argument("--train", type=float, nargs="+", default=[323.0, 923.0])
    parser.add_argument("--test", type=float, nargs="*", default=[623.0])
    parser.add_argument("--effective", type=float, default=0.5, help="n_eff for a new trajectory")
    add_json(parser)
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data, or set VOTCA_MLP_DATA to the folder that has ti_dft_saidi and titanium")
    torch.set_num_threads(1)
    options.directory.mkdir(parents=True, exist_ok=True)
    frames, left_out = dft_frames(options.data / "ti_dft_saidi" / "iter0_Ti.tar.xz")
    say(f"{len(frames)} DFT frames, {left_out} far ones left out")
    model = potential(options, frames)
    fused = fuse(options, model, frames)
    before = judged(options, model, "before", frames)
    after = judged(options, fused, "after", frames)
    units = {"constants": "% of the measured, mean", "pressure": "kbar", "C": "GPa"}
    found = tables(options, before, after)
    say(json.dumps(found, indent=1))
    write_result(options.json, found, units=units, seeds=[1])


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
