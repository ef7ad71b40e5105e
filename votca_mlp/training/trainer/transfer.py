"""A model fine-tuned to another level: one with heads for it that begin at another's."""

import copy
from collections.abc import Mapping, Sequence

import torch

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.levels import SEPARATE, LevelledHipnn, level_of
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.trainer.losses import one_level


def with_levels(
    start: LevelledHipnn | HipnnModel,
    levels: Sequence[str],
    self_energies: Mapping[str, Mapping[int, float]],
    *,
    source: str | None = None,
) -> LevelledHipnn:
    """Return a copy of a trained model with heads for these levels, to go on training from.

    A level that the model has keeps its head; any other begins with the head of ``source``.

    Parameters
    ----------
    start
        Stays as it is.
    self_energies
        eV by level and atomic number; a level that the model has keeps its own where none are given.
    source
        A level of the model; not needed where it has one.

    Raises
    ------
    UserError
        A source that the model does not have; a new level without self energies of all species.
    """
    if isinstance(start, HipnnModel):
        start = one_level(start, start.level or "trained")
    known = level_of(start.levels, source, where="source") if set(levels) - set(start.levels) else ""
    heads, energies = [], []
    for name in levels:
        origin = name if name in start.levels else known
        given = self_energies.get(name)
        missing = [z for z in start.numbers if given is not None and z not in given]
        if missing or (given is None and name not in start.levels):
            numbers = ", ".join(map(str, missing or start.numbers))
            raise UserError(
                f"level '{name}' has no self energy of atomic number {numbers}",
                where="self_energies",
                accepted="eV for every species of the model",
            )
        # plain heads: an added one is summed up
        heads.append(copy.deepcopy(start.alone(origin).energy))
        row = start.self_energies[start.levels.index(origin)]
        energies.append(row if given is None else torch.tensor([given[z] for z in start.numbers]).double())
    network = copy.deepcopy(start.network)
    return LevelledHipnn(network, heads, levels, start.numbers, torch.stack(energies), SEPARATE)
