"""One network with few high-level energies, with or without low-level labels."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metal.pairs import Pair
from votca_mlp.models.hipnn.files import load_levels, save_levels
from votca_mlp.models.hipnn.levels import SEPARATE, LevelledHipnn
from votca_mlp.training.judge import LabelErrors, level_errors, predictions
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.rivals import of_level
from votca_mlp.training.self_energies import self_energies
from votca_mlp.training.trainer.last_layer import fit_heads
from votca_mlp.training.trainer.loop import train
from votca_mlp.training.trainer.options import KEPT, LAST_LAYERS, LevelWeights, TrainOptions
from votca_mlp.training.trainer.order import steps_of_epoch
from votca_mlp.training.trainer.transfer import with_levels

NETWORK: dict[str, Any] = {
    "n_features": 16,
    "n_sensitivities": 16,
    "dist_soft_min": 1.8,
    "dist_soft_max": 5.5,
    "dist_hard_max": 6.0,
    "n_interaction_layers": 1,
    "n_atom_layers": 2,
}
BATCH, HELD_OUT, VALIDATION = 16, 0.25, 0.125
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Which frames a fit has: those of trajectories that are not held out.

    Attributes
    ----------
    held_out
        Frames of whole trajectories.
    training, validation
        The others; an eighth validates.
    with_high
        Those of them whose high-level energies are known to the fit, an eighth of them for validation.
    """

    held_out: Indices
    training: Indices
    validation: Indices
    with_high: Indices


def parts_of(pair: Pair, frames: LabelledFrames, fraction: float, seed: int, more: int = 0) -> Parts:
    """Return the parts of one seed; more high-level energies are the fewer ones and others.

    The last ``more`` frames are for training and validation alone, and change nothing about the others.
    """
    random = np.random.default_rng(seed)
    first = np.arange(len(frames)) < len(frames) - more
    names = random.permutation(np.unique(frames.groups[first]))
    held = np.isin(frames.groups, names[: round(HELD_OUT * len(names))])
    pool = random.permutation(np.flatnonzero(~held & first))
    able = frames.has(pair.high, "energies")[pool]
    pool = np.concatenate([pool[able], pool[~able]])
    pool = np.concatenate([pool, np.flatnonzero(~first)])
    # every eighth frame validates, so that it does among those with high-level energies, too
    judge = np.arange(len(pool)) % round(1 / VALIDATION) == 1
    with_high = pool[: round(fraction * able.sum())]
    return Parts(np.flatnonzero(held), np.sort(pool[~judge]), np.sort(pool[judge]), np.sort(with_high))


def fit(
    pair: Pair,
    frames: LabelledFrames,
    parts: Parts,
    path: Path,
    *,
    both: bool,
    steps: int,
    seed: int,
    high_weight: float,
    rate: float,
    heads: str = SEPARATE,
    share: float = 0.0,
    last_layer: str = LAST_LAYERS[0],
    keep: str = KEPT[0],
    continued: bool = False,
    layers: int = 1,
    features: int = NETWORK["n_features"],
    low_steps: int | None = None,
) -> dict[str, float]:
    """Train one network, write it and return its errors on held-out trajectories, meV/atom.

    ``steps`` of the optimiser, whatever the number of frames; ``share`` and ``last_layer`` count where both
    levels are trained. ``continued``: as many steps of the low level alone first, both from there, with
    a head each and three tenths of the rate, as in scripts/fidelities_ethane.py. ``layers`` of interaction,
    each with so many features. ``low_steps`` of the low level alone, where that is first.
    """
    low, high = pair.levels
    energies = np.full(len(frames), np.nan)
    energies[parts.with_high] = frames.levels[high].energies[parts.with_high]
    levels = {high: replace(frames.levels[high], energies=energies)}
    known = np.isfinite(energies)
    if both:
        levels = {low: frames.levels[low], **levels}
        known[:] = True
    training, validation = (part[known[part]] for part in (parts.training, parts.validation))
    share = share if both else 0.0
    each = steps_of_epoch(replace(frames, levels=levels).take(training), BATCH, share)
    options = TrainOptions(
        epochs=max(1, round(steps / each)),
        share=share,
        keep=keep,
        last_layer=last_layer if both else LAST_LAYERS[0],
        batch_size=BATCH,
        learning_rate=rate,
        smallest_rate=1e-5,
        schedule="cosine",
        seed=seed,
        weights={high: LevelWeights(energy=high_weight if both else 100.0)},
    )
    network = NETWORK | {"n_interaction_layers": layers, "n_features": features}
    start, labelled = None, replace(frames, levels=levels)
    if both and continued:
        base = low_alone(
            path.with_name(f"low-{seed}.pt"),
            of_level(labelled, low),
            (training, validation),
            network,
            replace(options, share=0.0, last_layer=LAST_LAYERS[0], weights={}),
            low_steps or steps,
        )
        own = {high: self_energies(labelled.take(training), high)}
        start = with_levels(base, [low, high], own, source=low)
        options = replace(options, learning_rate=0.3 * rate)
    found = train(
        labelled,
        training,
        validation,
        network,
        options,
        heads=SEPARATE if start else heads,
        start=start,
        checkpoint=path.with_suffix(".checkpoint"),
    )
    result = judged(pair, frames, parts, found.model, path)
    path.with_suffix(".checkpoint").unlink()
    return result | {
        "epochs": len(found.history),
        "best epoch": found.best_epoch,
        "minutes": sum(entry["seconds"] for entry in found.history) / 60,
    }


def low_alone(
    path: Path,
    frames: LabelledFrames,
    parts: tuple[Indices, Indices],
    network: dict[str, Any],
    options: TrainOptions,
    steps: int,
) -> LevelledHipnn:
    """Return the low level's own network: of a seed the same whatever the number of high-level energies.

    Trained where its file is not there. ``parts`` are frames for training and for validation.
    """
    if not path.exists():
        epochs = max(1, round(steps / steps_of_epoch(frames.take(parts[0]), BATCH, 0.0)))
        options, checkpoint = replace(options, epochs=epochs), path.with_suffix(".checkpoint")
        model = train(frames, *parts, network, options, checkpoint=checkpoint).model
        save_levels(path, model, {"made by": "scripts/fidelities_metal.py"})
        checkpoint.unlink()
    return load_levels(path)


def unused_of(pair: Pair, frames: LabelledFrames, parts: Parts) -> Indices:
    """Return the frames whose high-level energies are there and not known to the fit, none held out."""
    unused = np.setdiff1d(np.concatenate([parts.training, parts.validation]), parts.with_high)
    return np.asarray(unused[frames.has(pair.high, "energies")[unused]])


def judged(
    pair: Pair, frames: LabelledFrames, parts: Parts, model: LevelledHipnn, path: Path
) -> dict[str, float]:
    """Write a network and return its errors, held out and of energies that it was not given; meV/atom.

    Both levels are judged on the frames that have both, none of which has a close pair.
    """
    low, high = pair.levels
    save_levels(path, model, {"made by": "scripts/fidelities_metal.py"})
    errors = errors_of(model, frames.take(parts.held_out), high)["energies"]
    result: dict[str, Any] = {"rmse": errors.rmse, "mae": errors.mae}
    unused = unused_of(pair, frames, parts)
    if len(unused):
        result["unused rmse"] = errors_of(model, frames.take(unused), high)["energies"].rmse
    if low in model.levels:
        plain = frames.has(high, "energies")[parts.held_out]
        others = errors_of(model, frames.take(parts.held_out[plain]), low)
        result |= {"low rmse": others["energies"].rmse, "low force rmse": 1e3 * others["forces"].rmse}
    return result | {"high-level energies": len(parts.with_high)}


def refit(pair: Pair, frames: LabelledFrames, parts: Parts, path: Path, former: Path) -> dict[str, float]:
    """Fit the high level's head of a former network to all high-level energies of the parts, as ``fit``.

    This is what ``fit`` does in the end with ``last_layer`` all_energies: the network does not know of it.
    """
    energies = np.full(len(frames), np.nan)
    energies[parts.with_high] = frames.levels[pair.high].energies[parts.with_high]
    known = replace(frames, levels={pair.high: replace(frames.levels[pair.high], energies=energies)})
    model = load_levels(former)
    fit_heads(model, known.take(parts.with_high), TrainOptions())
    return judged(pair, frames, parts, model, path)


def errors_of(model: Any, frames: LabelledFrames, level: str) -> dict[str, LabelErrors]:
    """Return the errors of one level of a model."""
    return level_errors(predictions(model.alone(level), frames), frames, level, {})


def spread(pair: Pair, frames: LabelledFrames, parts: Parts) -> tuple[float, float]:
    """Return how far the high level's held-out energies are from their mean and from the low level's.

    The latter after one constant, the mean difference in the frames that are not held out; meV/atom.
    """
    counts = frames.atom_counts
    low, high = (frames.levels[level].energies / counts for level in pair.levels)
    held = parts.held_out[frames.has(pair.high, "energies")[parts.held_out]]
    constant = float((high - low)[parts.with_high].mean())
    away = high[held] - low[held] - constant
    return 1e3 * float(high[held].std()), 1e3 * float(np.sqrt(np.square(away).mean()))
