"""What a level's own head is worth: its labels by the head of the first level, energies shifted to them.

Heads that come out equal are what users of several levels meet. The first level's head with self energies
that take up another level's origin is what a head that has learnt nothing would be.
"""

from collections.abc import Mapping

import torch

from votca_mlp.models.hipnn.levels import LevelledHipnn
from votca_mlp.training.judge import SCALES, LabelErrors, level_errors, predictions
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.start import shifted


def errors_by_first_level(
    model: LevelledHipnn,
    level: str,
    training: LabelledFrames,
    held: LabelledFrames,
    given: Mapping[int, float],
) -> dict[str, LabelErrors]:
    """Return the errors of the model's first level on held-out labels of another level.

    Parameters
    ----------
    model
        With the first level as its first.
    level
        Another one, which the model need not have.
    training
        Frames to whose energies of this level the first one's are shifted, by species.
    given
        Self energies of the level that are fixed, eV by atomic number.
    """
    first = model.levels[0]
    energies = shifted(model, first, training, level, given)
    judged = model.alone(first)
    judged.self_energies = torch.tensor([energies[z] for z in judged.numbers], dtype=torch.float64)
    return level_errors(predictions(judged, held), held, level, energies)


def in_words(level: str, first: str, errors: Mapping[str, LabelErrors]) -> str:
    """Return the errors as a line of the card."""
    found = ", ".join(f"{kind} {row.rmse:.4g} {SCALES[kind][1]}" for kind, row in errors.items())
    return f"RMSE of '{level}' with the head of '{first}' instead, energies shifted: {found}"
