"""Which frames come together in a batch."""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.training.labelled import LabelledFrames


def kinds_of_frames(frames: LabelledFrames, levels: list[str]) -> NDArray[np.int64]:
    """Return a number for each frame: those with the same kinds of labels have the same."""
    columns = [frames.has(name, kind) for name in levels for kind in ("energies", "forces", "stress")]
    return np.unique(np.stack(columns, 1), axis=0, return_inverse=True)[1].reshape(-1)


def shuffled(kinds: NDArray[np.int64], size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Return the batches of an epoch, which seed and epoch alone decide.

    Frames of each kind are spread evenly over the epoch, so that rare labels are in every batch or in as many
    as they can be.
    """
    random = np.random.default_rng([seed, epoch])
    place = np.empty(len(kinds))
    for kind in np.unique(kinds):
        (members,) = np.nonzero(kinds == kind)
        # one frame of this kind in each of n equal parts of the epoch
        place[random.permutation(members)] = (np.arange(len(members)) + random.random(len(members))) / len(
            members
        )
    order = np.argsort(place, kind="stable")
    count = max(1, round(len(order) / size))
    return [part for part in np.array_split(order, count) if len(part)]
