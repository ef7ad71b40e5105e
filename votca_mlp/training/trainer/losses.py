"""What a model gets wrong on a batch, level by level, and the loss made of it."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from votca_mlp.models.hipnn.levels import LevelledHipnn
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.trainer.network import atomic_energies, features_of
from votca_mlp.training.trainer.options import LevelWeights
from votca_mlp.training.trainer.pair_rows import PairBatch
from votca_mlp.training.trainer.targets import Targets

KINDS = ("energy", "force", "stress")

Residuals = dict[str, dict[str, Tensor]]
"""Prediction minus label by level and kind: energy per atom (eV) [n], force [n, 3], stress [n, 3, 3]."""


@dataclass(frozen=True)
class Prediction:
    """Of one level: energies without self energies [n_frames]; forces and stress, None unless asked for."""

    energies: Tensor
    forces: Tensor | None
    stress: Tensor | None
    hierarchy: Tensor | None = None


def predict(
    model: LevelledHipnn,
    batch: PairBatch,
    wanted: Mapping[str, bool],
    *,
    graph: bool,
    hierarchy: bool = False,
) -> dict[str, Prediction]:
    """Return predictions by level, differentiable in the parameters where ``graph``.

    Parameters
    ----------
    wanted
        The levels, and whether forces and stress are needed of each.
    """
    derivatives = any(wanted.values())
    with torch.set_grad_enabled(graph or derivatives):
        features = features_of(model.network, batch, derivatives=derivatives)
        found = {}
        left = sum(wanted.values())
        for level, needed in wanted.items():
            head = model.head(level)
            atomic = atomic_energies(head, features.levels)
            energies = torch.zeros_like(batch.counts).index_add(0, batch.frame, atomic)
            forces = stress = None
            if needed:
                left -= 1
                slopes = features.vector_slopes(atomic, batch, graph=graph, keep=left > 0)
                forces, stress = _forces(batch, slopes), _stress(batch, slopes)
            order = _hierarchy(head, features.levels) if hierarchy else None
            found[level] = Prediction(energies, forces, stress, order)
    return found


def _forces(batch: PairBatch, slopes: Tensor) -> Tensor:
    """Return forces [n_atoms, 3] from dE/d(vectors): an atom is the first of its row, second in others'."""
    back = torch.zeros_like(slopes[:, 0]).index_add(0, batch.neighbours.reshape(-1), slopes.reshape(-1, 3))
    return slopes.sum(1) - back


def _stress(batch: PairBatch, slopes: Tensor) -> Tensor:
    """Return the stress of each frame, eV/Angstrom^3, [n_frames, 3, 3]; zero without a volume."""
    # pairs that only fill up rows have no slope
    by_atom = batch.vectors.transpose(1, 2) @ slopes
    virial = slopes.new_zeros(len(batch), 3, 3).index_add(0, batch.frame, by_atom)
    return 0.5 * (virial + virial.transpose(1, 2)) / batch.volumes[:, None, None]


def _hierarchy(head: Any, features: list[Tensor]) -> Tensor:
    """Return how far later interactions outweigh earlier ones, as hippynn's ``batch_hier``."""
    inputs = features[1:] if head.first_is_interacting else features
    layers = head.layers
    squares = [layer(x).square() for layer, x in zip(layers, inputs, strict=True)]
    total: Tensor = squares[0].new_zeros(())
    for earlier, later in itertools.pairwise(squares):
        total = total + later.sum() / (later.sum() + earlier.sum())
    return total


def needs_slopes(targets: Targets, weights: LevelWeights) -> bool:
    """Return whether a batch has labels of this level that are derivatives."""
    return bool((len(targets.with_force) and weights.force) or (len(targets.with_stress) and weights.stress))


def residuals(
    model: LevelledHipnn, batch: PairBatch, weights: Mapping[str, LevelWeights], *, graph: bool = True
) -> Residuals:
    """Return prediction minus label for every label of the batch that counts."""
    wanted = {name: needs_slopes(found, weights[name]) for name, found in batch.targets.items()}
    return compare(predict(model, batch, wanted, graph=graph), batch.counts, batch.targets, weights)


def compare(
    predictions: Mapping[str, Prediction],
    counts: Tensor,
    labels: Mapping[str, Targets],
    weights: Mapping[str, LevelWeights],
) -> Residuals:
    """Return predictions minus labels; counts are atoms of each frame, [n_frames]."""
    found: Residuals = {}
    for name, predicted in predictions.items():
        targets, weight = labels[name], weights[name]
        pairs = (
            (predicted.energies / counts, targets.energies / counts, targets.with_energy),
            (predicted.forces, targets.forces, targets.with_force),
            (predicted.stress, targets.stress, targets.with_stress),
        )
        found[name] = {
            kind: ours[there] - theirs[there]
            for kind, (ours, theirs, there) in zip(KINDS, pairs, strict=True)
            if ours is not None and len(there) and weight.of(kind)
        }
    return found


def loss_of(found: Residuals, weights: Mapping[str, LevelWeights]) -> Tensor:
    """Return the loss: weight times RMSE + MAE, summed over levels and kinds of labels."""
    total = torch.zeros(())
    for name, by_kind in found.items():
        for kind, wrong in by_kind.items():
            mean = wrong.square().mean()
            # a root has no slope at zero, which untrained heads of value zero can meet
            root = mean.clamp_min(torch.finfo(mean.dtype).tiny).sqrt()
            total = total + weights[name].of(kind) * (root + wrong.abs().mean())
    return total


def one_level(model: HipnnModel, level: str) -> LevelledHipnn:
    """Return a model of one level as one with levels, sharing its parameters."""
    return LevelledHipnn(
        model.network, [model.energy], (level,), model.numbers, model.self_energies.unsqueeze(0)
    )


@dataclass
class ErrorSums:
    """Residuals of many batches summed up: root mean squares and mean absolutes over all of them."""

    sums: dict[tuple[str, str], list[float]]

    @staticmethod
    def none() -> "ErrorSums":
        """Return sums of nothing."""
        return ErrorSums({})

    def add(self, found: Residuals) -> None:
        """Add a batch."""
        for name, by_kind in found.items():
            for kind, wrong in by_kind.items():
                values = wrong.detach().double()
                sums = self.sums.setdefault((name, kind), [0.0, 0.0, 0.0])
                sums[0] += float(values.square().sum())
                sums[1] += float(values.abs().sum())
                sums[2] += values.numel()

    def numbers(self) -> dict[str, float]:
        """Return ``LEVEL KIND_rmse`` and ``LEVEL KIND_mae``; eV/atom, eV/Angstrom, eV/Angstrom^3."""
        found = {}
        for (name, kind), (square, absolute, count) in self.sums.items():
            found[f"{name} {kind}_rmse"] = (square / count) ** 0.5
            found[f"{name} {kind}_mae"] = absolute / count
        return found

    def loss(self, weights: Mapping[str, LevelWeights]) -> float:
        """Return the loss over all batches together."""
        total = 0.0
        for (name, kind), (square, absolute, count) in self.sums.items():
            total += weights[name].of(kind) * ((square / count) ** 0.5 + absolute / count)
        return total
