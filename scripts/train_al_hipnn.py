#!/usr/bin/env python3
"""Make the shipped aluminium model, votca_mlp/data/al-hipnn.pt, and its model card.

    scripts/train_al_hipnn.py [--ani FOLDER] [--directory FOLDER] [--install]
    scripts/train_al_hipnn.py --judge-shipped    crystal and melts of the shipped model, into its card
    scripts/train_al_hipnn.py --json FILE        also errors of the new beside those of the shipped model

Samples configurations with one ANI-Al network, labels them with all eight, trains a HIP-NN, judges it. Each
stage leaves a file in the directory and is skipped when that is there: part-K.npz, data.npz, checkpoint.pt
(from which training goes on), model.pt, model.md. About 20 minutes of one core for the data and 15 for the
training.
"""

import argparse
import dataclasses
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from al_hipnn.card import judged_again, model_card
from al_hipnn.judge import Liquid, liquid
from al_hipnn.recipe import (
    LEVEL,
    assemble,
    held_out,
    kinds_of,
    read,
    sample_and_label,
    training_and_validation,
)
from al_hipnn.sampling import plan
from results_file import add_json, command, number, write_result

from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.evaluation.solid import cold_curve
from votca_mlp.files import atomic_write, sha256_of
from votca_mlp.models.ani.model import AniModel
from votca_mlp.models.ani.neurochem import read_neurochem
from votca_mlp.models.hipnn.files import load_hipnn, save_hipnn
from votca_mlp.models.hipnn.model import HipnnModel, hyperparameters_of
from votca_mlp.training.judge import LabelErrors, level_errors, predictions
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.sources.writing import write_frames
from votca_mlp.training.trainer.loop import train
from votca_mlp.training.trainer.options import TrainOptions

DATA = Path(__file__).resolve().parent.parent / "votca_mlp" / "data"
ELEMENT = "Al"
NETWORK = {
    "n_features": 15,
    "n_sensitivities": 20,
    "dist_soft_min": 1.25,
    "dist_soft_max": 7.0,
    # the appendix prints a hard maximum (5 A) below the soft maximum (7 A), which no network can have
    "dist_hard_max": 7.5,
    "n_interaction_layers": 1,
    "n_atom_layers": 3,
}
"""HIP-NN for aluminium of Matin et al. 2023; lengths in Angstrom."""
UNITS = {"energy": "meV/atom", "force": "meV/Angstrom"}
LABELS = "energies and forces of ANI-Al, mean of eight networks, float32 with energies summed in float64"
MELTS = {
    # title -> density in atoms per cubic Angstrom, temperature, melting temperature in K
    "500 atoms at 1023 K and the measured density, molten at 2000 K": (0.05244, 1023.0, 2000.0),
    "500 atoms at 1323 K and the measured density, molten at 3000 K": (0.05035, 1323.0, 3000.0),
}


def sample_part(options: argparse.Namespace, part: int) -> None:
    """Sample and label every K-th run."""
    torch.set_num_threads(1)
    drive = PairListEvaluator(AniModel(read_neurochem(options.ani, (0,))))
    label = PairListEvaluator(AniModel(read_neurochem(options.ani)))
    runs = plan(options.scale)
    only = range(part, len(runs), options.processes)

    def say(run: int) -> None:
        print(f"process {part}: run {run} of {len(runs)}", flush=True)

    write_frames(
        options.directory / f"part-{part}.npz", sample_and_label(runs, drive, label, ELEMENT, only, say)
    )


def make_data(options: argparse.Namespace) -> LabelledFrames:
    """Return the data set, from the cache or from one process for each part."""
    path = options.directory / "data.npz"
    if path.exists():
        return read(path)
    parts = [options.directory / f"part-{k}.npz" for k in range(options.processes)]
    command = [sys.executable, __file__, "--ani", options.ani, "--directory", options.directory]
    command += ["--processes", str(options.processes), "--scale", str(options.scale), "--part"]
    missing = [k for k, part in enumerate(parts) if not part.exists()]
    children = [subprocess.Popen([*map(str, command), str(k)]) for k in missing]
    codes = [child.wait() for child in children]
    if any(codes):
        raise SystemExit("sampling failed; see above")
    label = PairListEvaluator(AniModel(read_neurochem(options.ani)))
    dataset = assemble([read(part) for part in parts], label)
    write_frames(path, dataset)
    return read(path)


def fit(options: argparse.Namespace, frames: LabelledFrames) -> None:
    """Train, or go on training, and save model.pt."""
    how = TrainOptions(epochs=options.epochs, batch_size=8, patience=12, seed=options.seed)

    def report(epoch: int, numbers: dict[str, float]) -> None:
        print(f"{epoch:4d}", *(f"{name} {value:.4g}" for name, value in numbers.items()), flush=True)

    found = train(
        frames,
        *training_and_validation(frames, how.seed),
        NETWORK,
        how,
        report=report,
        checkpoint=options.directory / "checkpoint.pt",
    )
    minutes = round(sum(entry["seconds"] for entry in found.history) / 60)
    done = {"best epoch": found.best_epoch, "of": len(found.history), "minutes": minutes}
    model = found.model.alone(LEVEL)
    save_hipnn(options.directory / "model.pt", model, provenance(frames, how, done, model))


def provenance(
    frames: LabelledFrames, how: TrainOptions, done: Mapping[str, int], model: HipnnModel
) -> dict[str, Any]:
    """Return what the model file says about itself."""
    kinds, counts = np.unique(kinds_of(frames), return_counts=True)
    names = ("torch", "hippynn", "numpy", "numba", "ase", "vesin")
    return {
        "made by": "scripts/train_al_hipnn.py",
        "labels": LABELS,
        "hyperparameters": hyperparameters_of(model),
        "fit": {**dataclasses.asdict(how), **done},
        "frames": {
            **dict(zip(kinds.tolist(), counts.tolist(), strict=True)),
            "held out": int(held_out(frames).sum()),
        },
        "versions": {"python": platform.python_version(), **{name: version(name) for name in names}},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, no GPU used",
    }


def crystal_and_melts(
    options: argparse.Namespace, path: Path
) -> tuple[tuple[float, float], dict[str, Liquid]]:
    """Return the lattice constants of a model and of ANI-Al (Angstrom), and the model's melts."""
    evaluator = PairListEvaluator(load_hipnn(path))
    ani = PairListEvaluator(AniModel(read_neurochem(options.ani)), dtype=torch.float64)
    crystals = cold_curve(
        PairListEvaluator(load_hipnn(path), dtype=torch.float64), ELEMENT, "fcc", 4.05
    ).constant
    melts = {
        title: liquid(evaluator, ELEMENT, density=density, temperature=temperature, melt_temperature=melting)
        for title, (density, temperature, melting) in MELTS.items()
    }
    return (crystals, cold_curve(ani, ELEMENT, "fcc", 4.05).constant), melts


def errors_by_kind(model: HipnnModel, frames: LabelledFrames) -> dict[str, dict[str, LabelErrors]]:
    """Return the errors of each kind of frame, and of all."""
    found, kinds = {}, kinds_of(frames)
    alone = dict(zip(model.numbers, map(float, model.self_energies), strict=True))
    for kind in [*sorted(set(kinds.tolist())), "all"]:
        part = frames.take(np.flatnonzero((kinds == kind) | (kind == "all")))
        found[kind] = level_errors(predictions(model, part), part, LEVEL, alone)
    return found


def compared(options: argparse.Namespace, frames: LabelledFrames) -> dict[str, Any]:
    """Return the errors of the new and of the shipped model on the frames that both never saw, by kind."""
    held, rows = frames.take(held_out(frames)), dict[str, Any]()
    for name, path in (("new", options.directory / "model.pt"), ("shipped", DATA / "al-hipnn.pt")):
        for kind, found in errors_by_kind(load_hipnn(path), held).items():
            row = rows.setdefault(kind, {"frames": found["energies"].labels})
            row[f"{name} energy"] = number(found["energies"].rmse)
            row[f"{name} force"] = number(1e3 * found["forces"].rmse)
    return rows


def judge(options: argparse.Namespace, frames: LabelledFrames) -> str:
    """Return the model card."""
    path = options.directory / "model.pt"
    model = load_hipnn(path)
    errors = errors_by_kind(model, frames.take(held_out(frames)))
    lattice, melts = crystal_and_melts(options, path)
    return model_card(model.provenance, errors, lattice, melts, sha256_of(path))


def judge_shipped(options: argparse.Namespace) -> str:
    """Write crystal and melts of the shipped model into its card, and return the card.

    The errors in it stay: they need the frames that were held out from its own training.
    """
    card = DATA / "al-hipnn.md"
    text = judged_again(card.read_text(), *crystal_and_melts(options, DATA / "al-hipnn.pt"))
    with atomic_write(card) as file:
        file.write(text)
    return text


def main() -> None:
    """Run the stages that have left nothing yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    measured = os.environ.get("VOTCA_MLP_DATA")
    parser.add_argument(
        "--ani", type=Path, default=Path(measured, "ani-al/model-Al-75") if measured else None
    )
    parser.add_argument("--directory", type=Path, default=Path("runs/train_al_hipnn"))
    parser.add_argument(
        "--processes", type=int, default=2, help="the data depend on it; 2 for the shipped model"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="shorter runs for trying out")
    parser.add_argument("--epochs", type=int, default=700)
    parser.add_argument("--seed", type=int, default=1, help="of the fit, not of the data")
    parser.add_argument("--threads", type=int, default=1, help="of the fit")
    parser.add_argument("--install", action="store_true", help="copy model and card into the package")
    parser.add_argument(
        "--judge-shipped", action="store_true", help="judge the shipped model's crystal and melts again"
    )
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    add_json(parser)
    options = parser.parse_args()
    if options.ani is None:
        parser.error("give --ani, or set VOTCA_MLP_DATA to the folder that has ani-al/model-Al-75")
    if options.judge_shipped:
        torch.set_num_threads(options.threads)
        print(judge_shipped(options))
        return
    options.directory.mkdir(parents=True, exist_ok=True)
    if options.part is not None:
        sample_part(options, options.part)
        return
    torch.set_num_threads(options.threads)
    dataset = make_data(options)
    model, card = options.directory / "model.pt", options.directory / "model.md"
    if not model.exists():
        fit(options, dataset)
    if options.json is not None:
        done = load_hipnn(model).provenance["fit"]
        counts = {"frames": len(dataset), **{name: done[name] for name in ("best epoch", "of", "minutes")}}
        write_result(
            options.json,
            {"held out": compared(options, dataset), "training": {"all": counts}},
            units={f"{which} {kind}": unit for which in ("new", "shipped") for kind, unit in UNITS.items()},
            seeds=[options.seed],
            made_by=command(),
        )
    if not card.exists():
        with atomic_write(card) as file:
            file.write(judge(options, dataset))
    print(card.read_text())
    if options.install:
        for source, target in ((model, "al-hipnn.pt"), (card, "al-hipnn.md")):
            with atomic_write(DATA / target, "wb") as file:
                file.write(source.read_bytes())


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
