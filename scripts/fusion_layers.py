#!/usr/bin/env python3
"""What a second interaction layer costs a fusion of titanium: its DFT fit, and the derivatives of a frame.

    scripts/fusion_layers.py [DIRECTORY] [--data FOLDER] [--epochs N] [--seeds N...] [--json FILE]

Processor seconds of one thread: of an epoch of the fit of scripts/fusion_titanium.py (the mean of the second
and third), and for a frame of 96 atoms of the energy, the values with Born term, the derivatives by the
parameters of one elastic constant and of the energy. With one layer these are in closed form as far as pairs
go. With a DIRECTORY, where they can be gone on with, fits of two layers are made too, and their errors given.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from fusion_stages import KILO, fitted, say
from metal_potential import NETWORK, Fit, fit_potential
from results_file import Json, add_json, number, parsed, write_result
from titanium.data import LEVEL, dft_frames, measured, split
from titanium.states import hcp

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.model import build_hipnn
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.labels import flat, labels_of
from votca_mlp.training.fusion.observables.derivatives import strain_derivatives
from votca_mlp.training.fusion.observables.frames import pair_chunk, stored_frames
from votca_mlp.training.labelled import LabelledFrames

TIMES = 3


def timed(call: Callable[[], object]) -> tuple[float, object]:
    """Return the least processor seconds of some calls after a first one, and what the last returned."""
    found, seconds = call(), []
    for _ in range(TIMES):
        began = time.process_time()
        found = call()
        seconds.append(time.process_time() - began)
    return min(seconds), found


def of_epoch(frames: LabelledFrames, learn: np.ndarray, layers: int) -> Json:
    """Return the seconds of an epoch."""
    stamps: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        fit = Fit(epochs=3, layers=layers, every=1)
        checkpoint = Path(folder) / "checkpoint.pt"
        fit_potential(frames, learn, LEVEL, fit, checkpoint, lambda line: stamps.append(time.process_time()))
    return {"epoch": number((stamps[2] - stamps[0]) / 2.0)}


def of_frame(data: Path, layers: int) -> Json:
    """Return the seconds of a frame's values and derivatives."""
    atoms = hcp(measured(data / "titanium")[323.0])
    atoms.rattle(0.1, seed=1)
    torch.manual_seed(1)
    copies = Copies(build_hipnn(NETWORK | {"n_interaction_layers": layers}, (22,)))
    chunk = pair_chunk(stored_frames([atoms]), copies.double.cutoff)
    energy, _ = timed(lambda: strain_derivatives(copies.double, chunk, 0, graph=False))
    values, _ = timed(lambda: strain_derivatives(copies.double, chunk, 2, graph=False))
    with torch.enable_grad():
        found = strain_derivatives(copies.double, chunk, 2, graph=True)
        assert found.born is not None
        whole = found.born[:, 0, 0].sum()
        constant, _ = timed(lambda: flat(whole, copies.parameters, keep=True))
        of_energy, _ = timed(lambda: flat(found.energy.sum(), copies.parameters, keep=True))
    return {
        "parameters": len(copies.vector),
        "energy": number(energy),
        "values": number(values),
        "gradient_constant": number(constant),
        "gradient_energy": number(of_energy),
    }


def main() -> None:
    """Measure one layer and two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    data = os.environ.get("VOTCA_MLP_DATA")
    parser.add_argument("directory", type=Path, nargs="?")
    parser.add_argument("--data", type=Path, default=Path(data) if data else None)
    parser.add_argument("--epochs", type=int, default=200, help="of fits of two layers")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    add_json(parser)
    options = parsed(parser, "ti_dft_saidi and titanium")
    torch.set_num_threads(1)
    frames, _ = dft_frames(options.data / "ti_dft_saidi" / "iter0_Ti.tar.xz")
    learn, held = split(frames, 1)
    rows: dict[str, Json] = {}
    for layers in (1, 2):
        rows[f"{layers}"] = of_epoch(frames, learn, layers) | of_frame(options.data, layers)
        say(f"{layers}: {rows[str(layers)]}")
    ratios = {name: number(rows["2"][name] / rows["1"][name]) for name in rows["1"] if name != "parameters"}
    tables: Json = {"layers": rows, "ratio": {"2 to 1": ratios}}
    if options.directory is not None:
        tables["fits"] = {}
        for seed in options.seeds:
            place = options.directory / f"seed_{seed}"
            place.mkdir(parents=True, exist_ok=True)
            fit = Fit(epochs=options.epochs, seed=seed, layers=2)
            model = fitted(place, frames, learn, LEVEL, fit, "fusion_layers")
            for which, part in (("learnt from", learn), ("held out", held)):
                errors = labels_of(frames, part, model, LEVEL).errors(model)
                found = {kind: number(KILO[kind] * error) for kind, error in errors.items()}
                tables["fits"][f"seed {seed}, {which}"] = found
                say(f"two layers, seed {seed}, {which}: {found}")
    units = {"energy": "s; of fits meV/atom", "force": "meV/Angstrom", "stress": "GPa"}
    write_result(options.json, tables, units=units, seeds=options.seeds)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
