"""Parts of labelled frames for the rivals of shared training: one level alone, and differences to a model."""

from dataclasses import replace

import numpy as np

from votca_mlp.models.hipnn.levels import LevelledHipnn
from votca_mlp.training.judge import predictions
from votca_mlp.training.labelled import FloatArray, LabelledFrames
from votca_mlp.training.split import Indices


def of_level(frames: LabelledFrames, level: str) -> LabelledFrames:
    """Return all frames with the labels of one level alone."""
    return replace(frames, levels={level: frames.levels[level]})


def with_labels(frames: LabelledFrames, part: Indices, *levels: str) -> Indices:
    """Return the frames of a part that have a label of one of the levels."""
    there = np.zeros(len(frames), bool)
    for level in levels:
        for kind in ("energies", "forces", "stress"):
            there |= frames.has(level, kind)
    return np.asarray(part[there[part]])


def differences(frames: LabelledFrames, level: str, base: LevelledHipnn) -> LabelledFrames:
    """Return the frames with one level: its labels less what the base's first level predicts there."""
    chosen = with_labels(frames, np.arange(len(frames)), level)
    model, labels = base.alone(base.levels[0]), frames.levels[level]
    guess = predictions(model, frames.take(chosen))
    atoms = np.isin(frames.frame_of_atom, chosen)
    energies, stress = labels.energies.copy(), labels.stress.copy()
    forces: FloatArray = labels.forces.copy()
    energies[chosen] -= guess.energies
    stress[chosen] -= guess.stress
    forces[atoms] -= guess.forces
    return replace(frames, levels={level: replace(labels, energies=energies, forces=forces, stress=stress)})
