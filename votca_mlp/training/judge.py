"""Errors of a model on labelled frames, by level and kind of label."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.contract import PairModel
from votca_mlp.training.labelled import FloatArray, LabelledFrames, LevelLabels

SCALES = {"energies": (1e3, "meV/atom"), "forces": (1.0, "eV/Angstrom"), "stress": (160.2176634, "GPa")}
"""Factor and unit in which errors of each kind of label are shown; energies by atom."""


@dataclass(frozen=True)
class LabelErrors:
    """Errors of one kind of label, in the unit of :data:`SCALES`.

    ``labels`` are frames that have it; ``spread`` is the root mean square of the labels from their mean
    (energies by atom, without self energies; forces from zero).
    """

    labels: int
    rmse: float
    mae: float
    spread: float


def predictions(model: PairModel, frames: LabelledFrames) -> LevelLabels:
    """Return energies, forces and stress of all frames (eV, Angstrom), evaluated as an engine does."""
    return evaluated(PairListEvaluator(model), frames)


def evaluated(evaluator: Evaluator, frames: LabelledFrames) -> LevelLabels:
    """Return an evaluator's energies, forces and stress (nan in frames that are not periodic)."""
    found = LevelLabels.none(len(frames), len(frames.numbers))
    for k in range(len(frames)):
        result = evaluator.evaluate(frames.atoms(k))
        found.energies[k] = result.energy
        found.forces[frames.offsets[k] : frames.offsets[k + 1]] = result.forces
        if frames.pbc[k].all():
            found.stress[k] = result.stress
    return found


def level_errors(
    predicted: LevelLabels, frames: LabelledFrames, level: str, self_energies: Mapping[int, float]
) -> dict[str, LabelErrors]:
    """Return the errors of each kind of label that the frames have of a level."""
    labels, found = frames.levels[level], {}
    alone = np.array([self_energies.get(int(z), 0.0) for z in frames.numbers])
    sums = np.bincount(frames.frame_of_atom, weights=alone, minlength=len(frames))
    per_atom = 1.0 / np.maximum(frames.atom_counts, 1)
    for kind, (scale, _) in SCALES.items():
        there = frames.has(level, kind)
        rows = there[frames.frame_of_atom] if kind == "forces" else there
        if not there.any():
            continue
        known, guess = getattr(labels, kind)[rows], getattr(predicted, kind)[rows]
        wrong = scale * (guess - known)
        size = known
        if kind == "energies":
            wrong = wrong * per_atom[there]
            size = (known - sums[there]) * per_atom[there]
        found[kind] = LabelErrors(
            int(there.sum()), _rms(wrong), float(np.abs(wrong).mean()), scale * _spread(size, kind)
        )
    return found


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.square(values).mean()))


def _spread(values: FloatArray, kind: str) -> float:
    return _rms(values if kind == "forces" else values - values.mean(0))
