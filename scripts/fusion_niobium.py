#!/usr/bin/env python3
"""Niobium fused: a HIP-NN of PBE, whose C44 is far off, made to have the measured elastic constants.

    scripts/fusion_niobium.py DIRECTORY [--data FOLDER] [--epochs N] [--seed N] [--iterations N] [--json FILE]

Stages, each of which leaves a file and is skipped when that is there: dft.pt (energies, forces and stress of
PBE), before.json, the fusion in fusion/ (resumable at any moment), fused.pt, after.json. Trained at 100 K.
What must not get lost: errors on held-out PBE frames, lattice constant, cold curve; the crystal at 300 K and
at rest, which training does not see.
FOLDER has maml_Nb and elastic_reference (VOTCA_MLP_DATA).
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from ase.build import bulk
from niobium.crystal import ATOMS, GPA, LATTICE, experiments, state
from niobium.data import LEVEL, dft_frames, elastic_constants
from results_file import Json, add_json, number, write_result
from titanium.potential import SCALES, Fit, fit_potential

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.models.hipnn.files import load_hipnn, save_hipnn
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.labels import labels_of
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.frames import stored_frames
from votca_mlp.training.fusion.observables.measured import measure
from votca_mlp.training.fusion.observables.protocol import measure_all, uniform
from votca_mlp.training.fusion.observables.static import cold_elastic_constants
from votca_mlp.training.fusion.observables.stress import Pressure
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.simulate import simulate
from votca_mlp.training.labelled import LabelledFrames

CONSTANTS = ("C11", "C12", "C44")
TRAINED, TESTED = 100.0, (300.0,)
"""K."""
STRETCHES = np.linspace(0.95, 1.05, 11)
"""Of the lattice constant, for the cold curve."""


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


def potential(options: argparse.Namespace, learn: LabelledFrames) -> HipnnModel:
    """Return the potential of PBE, from its file or by fitting it."""
    path = options.directory / "dft.pt"
    if not path.exists():
        began = time.monotonic()
        fit = Fit(epochs=options.epochs, seed=options.seed)
        model = fit_potential(learn, np.arange(len(learn)), fit, say)
        facts = {"epochs": fit.epochs, "seed": fit.seed, "seconds": round(time.monotonic() - began)}
        save_hipnn(path, model, {"made by": "scripts/fusion_niobium.py", "fit": facts})
    return load_hipnn(path)


def fuse(
    options: argparse.Namespace, model: HipnnModel, learn: LabelledFrames, held: LabelledFrames
) -> HipnnModel:
    """Return the fused model, from its file or by going on with the fusion."""
    path = options.directory / "fused.pt"
    if not path.exists():
        fusion = Fusion(
            model,
            [state(TRAINED, options.production)],
            experiments(TRAINED, elastic_constants(options.data / "elastic_reference", "experiment")),
            labels_of(learn, np.arange(len(learn)), model, LEVEL),
            labels_of(held, np.arange(len(held)), model, LEVEL),
            options.directory / "fusion",
            FusionOptions(iterations=options.iterations, seed=options.seed, probes=10),
            report=say,
        )
        found = fusion.run()
        history = [each.plain() for each in found.history]
        with atomic_write(options.directory / "fusion.json") as file:
            json.dump({"ended": found.ended, "best": found.best, "history": history}, file, indent=1)
        assert isinstance(found.model, HipnnModel)
        made = {"made by": "scripts/fusion_niobium.py", "fusion": {"ended": found.ended}}
        save_hipnn(path, found.model.to(dtype=torch.float32), made)
    return load_hipnn(path)


def judged(
    options: argparse.Namespace,
    model: HipnnModel,
    name: str,
    sets: dict[str, LabelledFrames],
) -> Json:
    """Return errors on PBE frames, the crystal at rest and the one at 300 K."""
    path = options.directory / f"{name}.json"
    if path.exists():
        known: Json = json.loads(path.read_text())
        return known
    copies = Copies(model)
    double = copies.double
    assert isinstance(double, HipnnModel)
    found: Json = {
        which: labels_of(frames, np.arange(len(frames)), model, LEVEL).errors(copies.single)
        for which, frames in sets.items()
    }
    with torch.no_grad():
        constants = cold_elastic_constants(double, stored_frames([bulk("Nb", "bcc", a=LATTICE)]), "cubic")
        curve = [
            float(measure(double, stored_frames([bulk("Nb", "bcc", a=LATTICE * s)]), ["energy"])["energy"])
            for s in STRETCHES
        ]
    found["rest"] = dict(zip(CONSTANTS, (GPA * constants).tolist(), strict=True))
    found["curve"] = curve
    fit = np.polyfit(STRETCHES, curve, 6)
    roots = np.roots(np.polyder(fit))
    near = roots[(np.abs(roots.imag) < 1e-9) & (np.abs(roots.real - 1.0) < 0.04)].real
    found["lattice"] = float(LATTICE * near[np.argmin(np.polyval(fit, near))])
    for temperature in (TRAINED, *TESTED):
        found[f"{temperature:.0f}K"] = _warm(options, copies, name, temperature)
    with atomic_write(path) as file:
        json.dump(found, file, indent=1)
    return found


def _warm(options: argparse.Namespace, copies: Copies, name: str, temperature: float) -> Json:
    """Return pressure in kbar and elastic constants in GPa by a new simulation, with their errors."""
    of = state(temperature, options.judge)
    found: Json = {}
    frames = simulate(of, copies, options.directory / name / of.name, 1, of.start, 17)
    observables = [Pressure(temperature, ATOMS), ElasticConstants(temperature, ATOMS, "cubic")]
    with torch.no_grad():
        values = measure_all(copies.double, frames, observables)
    weights = uniform(frames)
    for each in observables:
        factor = 1e-3 if each.unit == "bar" else GPA
        numbers, errors = (factor * f(weights, values) for f in (each.value, each.error))
        found |= {k: [float(v), float(e)] for k, v, e in zip(each.labels, numbers, errors, strict=True)}
    return found


def tables(options: argparse.Namespace, before: Json, after: Json) -> Json:
    """Return the tables of the result."""
    reference = options.data / "elastic_reference"
    measured, pbe = (elastic_constants(reference, source) for source in ("experiment", "vasp_pbe"))
    constants = {
        name: {
            "pbe": pbe[name],
            "measured": measured[name],
            "before_rest": number(before["rest"][name]),
            "after_rest": number(after["rest"][name]),
            "before": number(*before["100K"][name]),
            "after": number(*after["100K"][name]),
            "before_300K": number(*before["300K"][name]),
            "after_300K": number(*after["300K"][name]),
        }
        for name in CONSTANTS
    }
    factors = {"energy": 1e3, "force": 1e3, "stress": GPA}
    errors = {
        f"{which}, {kind}": {
            "before": number(factors[kind] * before[which][kind]),
            "after": number(factors[kind] * after[which][kind]),
            "ratio": number(after[which][kind] / before[which][kind]),
        }
        for which in ("held out", "learnt from", "strained cells")
        for kind in SCALES
    }
    change = np.array(after["curve"]) - np.array(before["curve"])
    facts = json.loads((options.directory / "fusion.json").read_text())
    summary = {
        "before": {"lattice": number(before["lattice"]), "pressure": number(*before["100K"]["pressure"])},
        "after": {
            "lattice": number(after["lattice"]),
            "pressure": number(*after["100K"]["pressure"]),
            "cold_curve": number(1e3 * float(np.sqrt(np.mean((change - change.mean()) ** 2)))),
            "iterations": len(facts["history"]),
            "minutes": number(sum(each["seconds"] for each in facts["history"]) / 60.0),
            "ended": facts["ended"],
        },
    }
    return {"constants": constants, "dft": errors, "summary": summary}


def main() -> None:
    """Run the stages that have left nothing yet."""
    data = os.environ.get("VOTCA_MLP_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--data", type=Path, default=Path(data) if data else None)
    parser.add_argument("--epochs", type=int, default=200, help="of the fit to PBE")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=6)
    parser.add_argument("--production", type=float, default=12.0, help="of a trajectory of the fusion, ps")
    parser.add_argument("--judge", type=float, default=20.0, help="of the simulations before and after, ps")
    add_json(parser)
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data, or set VOTCA_MLP_DATA to the folder that has maml_Nb")
    torch.set_num_threads(1)
    options.directory.mkdir(parents=True, exist_ok=True)
    learn, held = dft_frames(options.data / "maml_Nb")
    strained = learn.take([k for k, group in enumerate(learn.groups) if group.startswith("Elastic")])
    sets = {"held out": held, "learnt from": learn, "strained cells": strained}
    model = potential(options, learn)
    before = judged(options, model, "before", sets)
    say(json.dumps({key: before[key] for key in ("rest", "100K", "300K")}))
    after = judged(options, fuse(options, model, learn, held), "after", sets)
    found = tables(options, before, after)
    say(json.dumps(found, indent=1))
    columns = ["pbe", "measured", *(f"{a}{b}" for a in ("before", "after") for b in ("", "_300K", "_rest"))]
    units = dict.fromkeys(columns, "GPa")
    units |= {"lattice": "Angstrom", "pressure": "kbar", "cold_curve": "meV/atom, rms of the change"}
    write_result(options.json, found, units=units, seeds=[options.seed])


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
