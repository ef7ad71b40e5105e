#!/usr/bin/env python3
"""Niobium fused: a HIP-NN of PBE, whose C44 is far off, made to have the measured elastic constants.

    scripts/fusion_niobium.py DIRECTORY [--data FOLDER] [--seeds N...] [--epochs N] [--iterations N]
                              [--json FILE]

A folder for each seed with stages, each of which leaves a file and is skipped when that is there: dft.pt
(energies, forces and stress of PBE), before.json, the fusion in fusion/ (resumable at any moment), fused.pt,
after.json. Trained at 100 and 300 K; the crystal at 200 K and at rest is not seen by training, nor are errors
on held-out PBE frames, the lattice constant and the cold curve, which must not get lost.
FOLDER has maml_Nb and elastic_reference (VOTCA_MLP_DATA).
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from ase.build import bulk
from fusion_stages import GPA, course, dft_table, fitted, fused, kept, say, simulated
from metal_potential import Fit
from niobium.crystal import ATOMS, LATTICE, experiments, state
from niobium.data import LEVEL, dft_frames, elastic_constants
from results_file import Json, add_directory, number, parsed, write_result

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.labels import labels_of
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.frames import stored_frames
from votca_mlp.training.fusion.observables.measured import measure
from votca_mlp.training.fusion.observables.static import cold_elastic_constants
from votca_mlp.training.fusion.observables.stress import Pressure
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.labelled import LabelledFrames

CONSTANTS = ("C11", "C12", "C44")
TRAINED, TESTED = (100.0, 300.0), (200.0,)
"""K."""
STRETCHES = np.linspace(0.95, 1.05, 11)
"""Of the lattice constant, for the cold curve."""
NAME = "fusion_niobium"


def fusion_of(
    options: argparse.Namespace,
    model: HipnnModel,
    sets: dict[str, LabelledFrames],
    seed: int,
    folder: Path,
) -> Fusion:
    """Return the fusion, with weights by errors alone and the limits as they are by default."""
    known = elastic_constants(options.data / "elastic_reference", "experiment")
    learn, held = (
        labels_of(sets[name], np.arange(len(sets[name])), model, LEVEL)
        for name in ("learnt from", "held out")
    )
    return Fusion(
        model,
        [state(t, options.production) for t in TRAINED],
        [each for t in TRAINED for each in experiments(t, known)],
        learn,
        held,
        folder,
        FusionOptions(iterations=options.iterations, seed=seed),
        report=say,
    )


def judged(
    options: argparse.Namespace, model: HipnnModel, place: Path, sets: dict[str, LabelledFrames]
) -> Json:
    """Return errors on PBE frames, the crystal at rest and the ones at all temperatures."""
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
    for temperature in (*TRAINED, *TESTED):
        of = state(temperature, options.judge)
        observables = [Pressure(temperature, ATOMS), ElasticConstants(temperature, ATOMS, "cubic")]
        found[of.name] = simulated(copies, of, observables, place)
        say(f"{place.name} {of.name} {json.dumps(found[of.name])}")
    return found


def one_seed(options: argparse.Namespace, sets: dict[str, LabelledFrames], seed: int) -> Json:
    """Return what a seed gives: before, after, and the course of the fusion."""
    place, learn = options.directory / f"seed_{seed}", sets["learnt from"]
    place.mkdir(parents=True, exist_ok=True)
    fit = Fit(epochs=options.epochs, seed=seed)
    model = fitted(place, learn, np.arange(len(learn)), LEVEL, fit, NAME)
    before = kept(place / "before.json", lambda: judged(options, model, place / "before", sets))
    changed = fused(place, lambda folder: fusion_of(options, model, sets, seed, folder), NAME)
    after = kept(place / "after.json", lambda: judged(options, changed, place / "after", sets))
    return {"before": before, "after": after, "fusion": course(place, len(TRAINED))}


def tables(options: argparse.Namespace, found: dict[int, Json], sets: list[str]) -> Json:
    """Return the tables of the result."""
    reference = options.data / "elastic_reference"
    measured, pbe = (elastic_constants(reference, source) for source in ("experiment", "vasp_pbe"))
    constants: Json = {}
    errors: Json = {}
    summary: Json = {}
    for seed, each in found.items():
        before, after = each["before"], each["after"]
        for name in CONSTANTS:
            row: Json = {"pbe": pbe[name], "measured": measured[name]}
            for when, numbers in (("before", before), ("after", after)):
                row[f"{when}_rest"] = number(numbers["rest"][name])
                for t in (*TRAINED, *TESTED):
                    row[f"{when}_{t:.0f}K"] = number(*numbers[f"{t:.0f}K"][name])
            constants[f"{name}, seed {seed}"] = row
        errors |= {f"{k}, seed {seed}": v for k, v in dft_table(before, after, sets).items()}
        change = np.array(after["curve"]) - np.array(before["curve"])
        summary[f"seed {seed}"] = {
            "lattice_before": number(before["lattice"]),
            "lattice_after": number(after["lattice"]),
            "pressure_before": number(*before["100K"]["pressure"]),
            "pressure_after": number(*after["100K"]["pressure"]),
            "cold_curve": number(1e3 * float(np.sqrt(np.mean((change - change.mean()) ** 2)))),
            **each["fusion"],
        }
    return {"constants": constants, "dft": errors, "summary": summary}


def main() -> None:
    """Run the stages that have left nothing yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_directory(parser, [1, 2])
    parser.add_argument("--epochs", type=int, default=150, help="of the fit to PBE")
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--production", type=float, default=12.0, help="of a trajectory of the fusion, ps")
    parser.add_argument("--judge", type=float, default=20.0, help="of the simulations before and after, ps")
    options = parsed(parser, "maml_Nb and elastic_reference")
    torch.set_num_threads(1)
    learn, held = dft_frames(options.data / "maml_Nb")
    strained = learn.take([k for k, group in enumerate(learn.groups) if group.startswith("Elastic")])
    sets = {"held out": held, "learnt from": learn, "strained cells": strained}
    found = {seed: one_seed(options, sets, seed) for seed in options.seeds}
    names = [f"{when}_{at}" for when in ("before", "after") for at in ("rest", "100K", "200K", "300K")]
    units = dict.fromkeys(["pbe", "measured", *names], "GPa")
    units |= {"lattice": "Angstrom", "pressure": "kbar", "cold_curve": "meV/atom, rms of the change"}
    write_result(options.json, tables(options, found, list(sets)), units=units, seeds=options.seeds)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
