"""Heads of levels that have energies alone, by ridge regression on the network's features.

Energies are linear in a head's weights. Where a level has few of them, steps of an optimiser leave its head
fitted to the last batches, while least squares give the best weights for all energies at once. What is fitted
is what a level adds to the first one, so that few energies change little: ridge regression on features as
large as the network makes them, since what hardly changes from frame to frame is not worth a large weight.
Its strength is that of the smallest error on energies left out, one group of frames after the other, by the
exact formula (N. Golub, M. Heath, G. Wahba, Technometrics 21, 215 (1979), for single rows). The largest
marginal likelihood would choose too weak a ridge, as the network has been fitted to these very energies.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.models.hipnn.levels import ADDED, LevelledHipnn
from votca_mlp.training.labelled import FloatArray, LabelledFrames
from votca_mlp.training.trainer.network import atomic_energies, features_of
from votca_mlp.training.trainer.options import TrainOptions
from votca_mlp.training.trainer.pair_rows import PairRows

STRENGTHS = 10.0 ** np.arange(-12.0, 4.5, 0.5)
"""Of the ridge, times the number of energies, where the feature that varies most has a spread of one."""
FEWEST = 3
"""Energies, below which a head stays as it was trained."""


@dataclass(frozen=True)
class HeadFit:
    """How a head was set: ridge strength, and the RMSE of energies left out, eV/atom."""

    strength: float
    left_out: float


def fit_heads(model: LevelledHipnn, frames: LabelledFrames, options: TrainOptions) -> dict[str, HeadFit]:
    """Set the head of every level but the first that has energies alone; return what was found, by level.

    Parameters
    ----------
    model
        Trained; changed in place.
    frames
        Training frames.
    """
    found = {}
    for level in model.levels[1:]:
        chosen = np.flatnonzero(frames.has(level, "energies"))
        weights = options.weight(level)
        slopes = any(
            weights.of(kind) and frames.has(level, name).any()
            for kind, name in (("force", "forces"), ("stress", "stress"))
        )
        if weights.energy and not slopes and len(chosen) >= FEWEST:
            found[level] = _fit(model, level, frames.take(chosen))
    return found


def _fit(model: LevelledHipnn, level: str, frames: LabelledFrames) -> HeadFit:
    x, base = features_and_base(model, frames)
    counts = frames.atom_counts
    alone = model.self_energies[model.levels.index(level)].numpy()
    kinds = np.array([model.numbers.index(int(z)) for z in frames.numbers])
    free = np.bincount(frames.frame_of_atom, weights=alone[kinds], minlength=len(frames))
    y = (frames.levels[level].energies - free) / counts - base
    weights, constant, fit = ridge(x, y, frames.groups)
    own, first = model.head(level), model.head(model.levels[0])
    with torch.no_grad():
        begin = 0
        for layer, other in zip(_on_features(own), _on_features(first), strict=True):
            width = (layer.own if model.kind == ADDED else layer).weight.shape[1]
            part = torch.from_numpy(weights[begin : begin + width]).unsqueeze(0)
            begin += width
            last = begin == len(weights)
            shift = torch.full((1,), constant if last else 0.0, dtype=torch.float64)
            target = layer.own if model.kind == ADDED else layer
            if model.kind != ADDED:
                part, shift = part + other.weight.double(), shift + other.bias.double()
            target.weight.copy_(part)
            target.bias.copy_(shift)
    return fit


def _on_features(head: Any) -> list[Any]:
    """Return a head's layers without the one that acts on bare species."""
    layers = list(head.layers)
    return layers if head.first_is_interacting else layers[1:]


def features_and_base(model: LevelledHipnn, frames: LabelledFrames) -> tuple[FloatArray, FloatArray]:
    """Return the features, mean over the atoms of each frame, and the first level's energies by atom.

    [n_frames, n_columns]; eV/atom without self energies, [n_frames].
    """
    rows = PairRows(frames, model.numbers, model.cutoff, {}, next(model.parameters()).dtype)
    features, energies = [], []
    for begin in range(0, len(frames), 64):
        batch = rows.batch(np.arange(begin, min(begin + 64, len(frames))))
        with torch.no_grad():
            levels = features_of(model.network, batch, derivatives=False).levels
            atomic = atomic_energies(model.head(model.levels[0]), levels).double().unsqueeze(1)
            columns = torch.cat([*(part.double() for part in levels[1:]), atomic], 1)
        sums = columns.new_zeros(len(batch), columns.shape[1]).index_add(0, batch.frame, columns)
        means = (sums / batch.counts.double().unsqueeze(1)).numpy()
        features.append(means[:, :-1])
        energies.append(means[:, -1])
    return np.concatenate(features), np.concatenate(energies)


def ridge(x: FloatArray, y: FloatArray, groups: NDArray[Any]) -> tuple[FloatArray, float, HeadFit]:
    """Return weights [n_columns] and constant of y = x w + c, and how they were found.

    All columns are scaled by one number, to a spread of one of that which varies most; the constant is free.
    The strength is that of the smallest squared error when one group of rows after the other is left out;
    single rows where there are fewer than three groups.
    """
    middle, scale = x.mean(0), float(x.std(0).max()) or 1.0
    n, offset = len(x), float(y.mean())
    u, s, v = np.linalg.svd((x - middle) / scale, full_matrices=False)
    names = np.unique(groups, return_inverse=True)[1].reshape(-1)
    names = names if names.max() >= 2 else np.arange(n)
    blocks = [np.flatnonzero(names == k) for k in range(names.max() + 1)]
    best = (np.inf, 0.0)
    for strength in STRENGTHS:
        hat = (u * (s**2 / (s**2 + strength * n))) @ u.T + 1.0 / n
        wrong = y - hat @ y
        left_out = np.concatenate(
            [np.linalg.solve(np.eye(len(b)) - hat[np.ix_(b, b)], wrong[b]) for b in blocks]
        )
        best = min(best, (float(np.sqrt(np.square(left_out).mean())), float(strength)))
    error, strength = best
    weights = v.T @ (s / (s**2 + strength * n) * (u.T @ (y - offset))) / scale
    return weights, offset - float(middle @ weights), HeadFit(strength, error)
