#!/usr/bin/env python3
"""Ethane: CASPT2 energies with wB97X forces, against CASPT2 energies alone and other ways to join the levels.

    scripts/fidelities_ethane.py DIRECTORY [--high 50 100 200] [--seeds 1 2 3] [--low N] [--steps N]
                                 [--methods METHOD ...] [--json FILE]

Methods: high (CASPT2 energies alone), low (wB97X alone, judged after one constant is fitted to the CASPT2
energies), together (a head each on one network), continued (wB97X first, both levels from there, a head
each), all_energies and trained (continued, its CASPT2 head fitted to the energies of validation, too, or left
as it was trained; no training of their own), transfer (wB97X first, CASPT2 energies from there), difference
(wB97X, and a network for what CASPT2 adds). high_twice and together_twice take twice the steps, as many as
those that begin with wB97X take in all; continued_whole and transfer_whole take the whole rate after wB97X,
the others three tenths of it. The energy error is that of CASPT2 energies of groups of consecutive frames
which no training saw; that of validation, by which settings were chosen, is written beside it. All trainings
take as many steps, whatever the number of frames. Every training leaves its file and its checkpoint in
DIRECTORY; started again, what is there is not made again. Needs VOTCA_MLP_DATA with alkane_c2h6.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from results_file import add_json, command, number, write_result

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.models.hipnn.levels import ADDED, HEADS, SEPARATE, LevelledHipnn
from votca_mlp.training.judge import predictions
from votca_mlp.training.labelled import LabelledFrames, concatenate
from votca_mlp.training.rivals import differences, of_level, with_labels
from votca_mlp.training.self_energies import self_energies
from votca_mlp.training.sources.labels import Source, read_source
from votca_mlp.training.split import Split, split_frames
from votca_mlp.training.trainer.loop import Trained, train
from votca_mlp.training.trainer.options import KEPT, LAST_LAYERS, LevelWeights, TrainOptions
from votca_mlp.training.trainer.order import steps_of_epoch
from votca_mlp.training.trainer.transfer import with_levels

LOW, HIGH = "wb97x", "caspt2"
METHODS = (
    "high",
    "low",
    "together",
    "continued",
    "all_energies",
    "trained",
    "transfer",
    "difference",
    "high_twice",
    "together_twice",
    "continued_whole",
    "transfer_whole",
)
CONTINUED = ("continued", "all_energies", "trained")
UNJUDGED = ("low", "all_energies")
"""No energies of validation are left, or none judge."""
TWICE, WHOLE = "_twice", "_whole"
SETTINGS = ("low", "steps", "rate")
"""What all results in a folder have in common; and what those of both levels on one network have."""
OF_TOGETHER = ("heads", "high_weight", "share", "last_layer")
RATIOS = {"high": "to high alone", "transfer": "to transfer", "continued": "to continued"}
NETWORK = {
    "kind": "HipnnVec",
    "n_features": 16,
    "n_sensitivities": 16,
    "dist_soft_min": 0.85,
    "dist_soft_max": 4.5,
    "dist_hard_max": 5.0,
    "n_interaction_layers": 1,
    "n_atom_layers": 2,
}
BATCH, BATCH_OF_ENERGIES = 64, 16
"""Frames of a step: with forces, and where there are few energies alone."""
FARTHEST = 6.0
"""eV above the mean of its level: frames beyond are torn apart, and left out of both levels."""
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Data:
    """Frames of both levels, their split, and the CASPT2 energies to be predicted."""

    frames: LabelledFrames
    split: Split
    judged: LabelledFrames


def load(folder: Path, low: int) -> Data:
    """Read both levels; CASPT2 in blocks of 12 consecutive frames, of which a fifth is held out."""
    energy = {"key": "energies", "unit": "Hartree"}
    low_labels = {LOW: {"energy": energy, "forces": {"key": "forces", "unit": "Hartree/Bohr"}}}
    sources = (
        Source.model_validate({"file": "C2H6_DFT+Force_NMS.h5", "levels": low_labels, "frames": low}),
        Source.model_validate(
            {
                "file": ["C2H6_CAS_NMS.h5", "C2H6_CAS_aseMD.h5"],
                "levels": {HIGH: {"energy": energy}},
                "group": "12",
            }
        ),
    )
    frames = concatenate([part for source in sources for part in read_source(source, folder)])
    near = np.zeros(len(frames), bool)
    for level in (LOW, HIGH):
        there = frames.has(level, "energies")
        energies = frames.levels[level].energies
        near |= there & (energies < np.median(energies[there]) + FARTHEST)
    frames = frames.take(near)
    split = split_frames(frames, held_out=0.2, validation=0.1, seed=1)
    held = frames.take(split.held_out)
    return Data(frames, split, held.take(held.has(HIGH, "energies")))


def chosen(data: Data, high: int, seed: int) -> tuple[Indices, Indices]:
    """Return the frames that train and validate: all of the low level, some energies of the high one."""
    random = np.random.default_rng(seed)
    with_high = data.frames.has(HIGH, "energies")
    parts = []
    for part, count in ((data.split.training, high), (data.split.validation, max(8, high // 8))):
        ours = part[with_high[part]]
        some = random.permutation(ours)[:count]
        parts.append(np.sort(np.concatenate([part[~with_high[part]], some])))
    return parts[0], parts[1]


def fit(
    frames: LabelledFrames,
    parts: tuple[Indices, Indices],
    options: TrainOptions,
    path: Path,
    start: LevelledHipnn | None = None,
    *,
    steps: int,
    heads: str = SEPARATE,
) -> Trained:
    """Train on the levels of the frames for so many steps, or go on with it."""

    def report(epoch: int, numbers: dict[str, float]) -> None:
        if epoch % 10 == 0:
            print(
                f"  {path.stem} {epoch:4d} loss {numbers['loss']:.4g} {numbers['seconds']:.1f} s", flush=True
            )

    learn, judged = (with_labels(frames, part, *frames.levels) for part in parts)
    batch = BATCH if any(frames.has(level, "forces").any() for level in frames.levels) else BATCH_OF_ENERGIES
    epochs = max(1, round(steps / steps_of_epoch(frames.take(learn), batch, options.share)))
    return train(
        frames,
        learn,
        judged,
        NETWORK,
        replace(options, epochs=epochs, batch_size=batch),
        heads=heads,
        start=start,
        report=report,
        checkpoint=path,
    )


def energies_of(model: LevelledHipnn, level: str, frames: LabelledFrames) -> NDArray[np.float64]:
    """Return energies in eV."""
    return predictions(model.alone(level), frames).energies


def predicted(
    method: str, data: Data, high: int, seed: int, trained: TrainOptions, options: argparse.Namespace
) -> tuple[NDArray[np.float64], float]:
    """Return CASPT2 energies of the judged frames by one method, eV, and validation's RMSE, meV/atom."""
    folder, steps = options.directory, options.steps
    frames, parts = data.frames, chosen(data, high, seed)
    # only the head is fitted again
    name = folder / f"{'continued' if method in CONTINUED else method}_{high}_{seed}.pt"
    if method.endswith(TWICE):
        method, steps = method.removesuffix(TWICE), 2 * steps
    second = 1.0 if method.endswith(WHOLE) else 0.3
    method = method.removesuffix(WHOLE)
    learn = with_labels(frames, parts[0], HIGH)
    if method in ("high", "together"):
        part = of_level(frames, HIGH) if method == "high" else frames
        if method == "together":
            weights = {**trained.weights, HIGH: LevelWeights(options.high_weight)}
            trained = replace(trained, weights=weights, share=options.share, last_layer=options.last_layer)
        heads = options.heads if method == "together" else SEPARATE
        found = fit(part, parts, trained, name, steps=steps, heads=heads)
        return energies_of(found.model, HIGH, data.judged), validation(found, options.keep, frames, parts[1])
    # its validation frames are many
    base = replace(trained, keep="best")
    low = fit(of_level(frames, LOW), parts, base, folder / f"low_{seed}.pt", steps=steps).model
    known = energies_of(low, LOW, frames.take(learn))
    labels = frames.levels[HIGH].energies[learn]
    if method == "low":
        return energies_of(low, LOW, data.judged) + float((labels - known).mean()), float("nan")
    if method in ("transfer", *CONTINUED):
        own = {HIGH: self_energies(frames.take(learn), HIGH)}
        both = method in CONTINUED
        start = with_levels(low, [LOW, HIGH] if both else [HIGH], own, source=LOW)
        slower = replace(trained, learning_rate=second * trained.learning_rate)
        if both:
            last_layer = options.last_layer if method == "continued" else method
            slower = replace(slower, share=options.share, last_layer=last_layer)
        found = fit(frames if both else of_level(frames, HIGH), parts, slower, name, start, steps=steps)
        energies = energies_of(found.model, HIGH, data.judged)
        if method == "all_energies":
            return energies, float("nan")
        return energies, validation(found, options.keep, frames, parts[1])
    found = fit(differences(frames, HIGH, low), parts, trained, name, steps=steps)
    energies = energies_of(low, LOW, data.judged) + energies_of(found.model, HIGH, data.judged)
    return energies, validation(found, options.keep, frames, parts[1])


def validation(found: Trained, keep: str, frames: LabelledFrames, part: Indices) -> float:
    """Return the RMSE of validation's CASPT2 energies by the model that is kept, meV/atom."""
    if found.fitted:
        # the history does not know of heads fitted in the end
        judged = frames.take(with_labels(frames, part, HIGH))
        wrong = energies_of(found.model, HIGH, judged) - judged.levels[HIGH].energies
        return 1e3 * float(np.sqrt(np.square(wrong / judged.atom_counts).mean()))
    epoch = found.best_epoch if keep == "best" else len(found.history)
    return 1e3 * found.history[epoch - 1][f"{HIGH} energy_rmse"]


def measure(data: Data, options: argparse.Namespace) -> None:
    """Make every training that has left no result."""
    for seed in options.seeds:
        for high in options.high:
            for method in options.methods:
                path = options.directory / f"{method}_{high}_{seed}.json"
                if path.exists():
                    refuse_other(json.loads(path.read_text()), method, options, path)
                    continue
                trained = TrainOptions(
                    learning_rate=options.rate,
                    schedule="cosine",
                    keep=options.keep,
                    seed=seed,
                    weights={LOW: LevelWeights(30.0, 1.0), HIGH: LevelWeights(100.0)},
                )
                energies, validated = predicted(method, data, high, seed, trained, options)
                wrong = 1e3 * (energies - data.judged.levels[HIGH].energies) / data.judged.atom_counts
                found = {"rmse": float(np.sqrt(np.square(wrong).mean())), "mae": float(np.abs(wrong).mean())}
                found |= settings_of(method, options) | {"validation": validated}
                with atomic_write(path) as file:
                    json.dump(found, file)
                print(
                    f"{method:10s} {high:4d} energies, seed {seed}: {found['rmse']:.3f} meV/atom", flush=True
                )


def settings_of(method: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return what a result depends on."""
    base = method.removesuffix(TWICE).removesuffix(WHOLE)
    names = (*SETTINGS, *OF_TOGETHER) if base == "together" else SETTINGS
    if method != "low":
        names = (*names, "keep")
    if base in CONTINUED:
        names = (*names, "share")
    if base == "continued":
        names = (*names, "last_layer")
    return {name: getattr(options, name) for name in names}


def refuse_other(found: dict[str, Any], method: str, options: argparse.Namespace, path: Path) -> None:
    """Refuse a result of other settings in the folder.

    Raises
    ------
    UserError
        Naming it.
    """
    given = settings_of(method, options)
    if any(found.get(name) != value for name, value in given.items()):
        what = "was made with " + ", ".join(f"{name} {found.get(name)}" for name in given)
        raise UserError(what, where=path, accepted="these options, or another folder")


def tables(options: argparse.Namespace) -> dict[str, Any]:
    """Return mean and standard error over the seeds that are there, by method and number of energies.

    Also the ratios to those of RATIOS, seed by seed: they have the same energies.
    """
    rows: dict[str, Any] = {}
    ratios: dict[str, dict[str, Any]] = {base: {} for base in RATIOS}
    for method in options.methods:
        for high in options.high:
            if not (found := _found(options, method, high)):
                continue
            columns = ("rmse", "mae", *(() if method in UNJUDGED else ("validation",)))
            row = {column: _mean([entry[column] for entry in found.values()]) for column in columns}
            rows[f"{method}_{high}"] = row | {"seeds": len(found)}
            for base, table in ratios.items():
                other = _found(options, base, high)
                both = [found[seed]["rmse"] / other[seed]["rmse"] for seed in found if seed in other]
                if both and method not in (base, "high"):
                    better = sum(ratio < 1 for ratio in both)
                    table[f"{method}_{high}"] = {"ratio": _mean(both), "better": better, "seeds": len(both)}
    return {"energy": rows} | {RATIOS[base]: table for base, table in ratios.items() if table}


def _found(options: argparse.Namespace, method: str, high: int) -> dict[int, Any]:
    """Return the results of a method that are there, by seed."""
    files = {seed: options.directory / f"{method}_{high}_{seed}.json" for seed in options.seeds}
    return {seed: json.loads(path.read_text()) for seed, path in files.items() if path.exists()}


def _mean(values: list[float]) -> Any:
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return number(float(np.mean(values)), error)


def main() -> None:
    """Train what is missing, show and write what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--high", type=int, nargs="+", default=[50, 100, 200], help="CASPT2 energies")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--low", type=int, default=4000, help="frames with wB97X energies and forces")
    parser.add_argument("--steps", type=int, default=1500, help="of each training")
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate of the first step")
    parser.add_argument("--keep", choices=KEPT, default=KEPT[1], help="epoch of trainings on CASPT2 energies")
    parser.add_argument("--heads", choices=HEADS, default=ADDED)
    parser.add_argument("--high-weight", type=float, default=10.0, help="of CASPT2 energies beside wB97X")
    parser.add_argument(
        "--share", type=float, default=0.25, help="of CASPT2 energies in a batch of both levels"
    )
    parser.add_argument("--last-layer", choices=LAST_LAYERS, default=LAST_LAYERS[1], help="CASPT2's head")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--only-show", action="store_true", help="train nothing")
    add_json(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    source = os.environ.get("VOTCA_MLP_DATA")
    if not source:
        parser.error("set VOTCA_MLP_DATA to the folder that has alkane_c2h6")
    options.directory.mkdir(parents=True, exist_ok=True)
    data = load(Path(source) / "alkane_c2h6", options.low)
    energies = data.judged.levels[HIGH].energies / data.judged.atom_counts
    spread = 1e3 * float(energies.std())
    if not options.only_show:
        measure(data, options)
    found = tables(options)
    counts = {
        "held out": len(data.judged),
        "low frames": int(data.frames.take(data.split.training).has(LOW, "energies").sum()),
        "steps": options.steps,
        "spread": number(spread),
    }
    for name, row in found["energy"].items():
        print(name, row)
    write_result(
        options.json,
        {**found, "data": {"all": counts}},
        units=dict.fromkeys(("rmse", "mae", "validation", "spread"), "meV/atom"),
        seeds=options.seeds,
        made_by=command().replace(" --only-show", ""),
    )


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
