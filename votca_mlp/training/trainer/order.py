"""Which frames come together in a batch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from votca_mlp.training.labelled import LabelledFrames


def kinds_of_frames(frames: LabelledFrames, levels: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each frame: those with the same kinds of labels have the same."""
    columns = [frames.has(name, kind) for name in levels for kind in ("energies", "forces", "stress")]
    return np.unique(np.stack(columns, 1), axis=0, return_inverse=True)[1].reshape(-1)


def share_of_each(share: float, levels: Sequence[str]) -> float:
    """Return the share of a batch that a scarce level gets: no more than each of all levels could have."""
    return min(share, 1.0 / max(1, len(levels)))


def scarce_levels(frames: LabelledFrames, levels: Sequence[str], share: float) -> list[NDArray[np.int64]]:
    """Return the frames of each level that has labels in fewer than this share of all frames.

    A frame of two of them is counted to the scarcer one; the list is empty where no level is scarce. With
    many levels a scarce one has less than its part of all frames, so that never are all of them scarce.
    """
    share = share_of_each(share, levels)
    found: list[NDArray[np.int64]] = []
    left = np.ones(len(frames), bool)
    with_label = [
        frames.has(name, "energies") | frames.has(name, "forces") | frames.has(name, "stress")
        for name in levels
    ]
    for there in sorted(with_label, key=lambda there: int(there.sum())):
        if there.any() and there.sum() < share * len(frames):
            found.append(np.flatnonzero(there & left))
            left &= ~there
    return [part for part in found if len(part)]


def steps_of_epoch(frames: LabelledFrames, size: int, share: float) -> int:
    """Return how many batches an epoch of these frames has, with all of their levels."""
    levels = list(frames.levels)
    kinds, scarce = kinds_of_frames(frames, levels), scarce_levels(frames, levels, share)
    return len(with_shares(kinds, scarce, share_of_each(share, levels), size, 1, 1))


def with_shares(
    kinds: NDArray[np.int64],
    scarce: Sequence[NDArray[np.int64]],
    share: float,
    size: int,
    seed: int,
    epoch: int,
) -> list[NDArray[np.int64]]:
    """Return the batches of an epoch, in each of which scarce frames have their share.

    An epoch has every other frame once, and scarce ones as often as batches need them: each time all of them
    in a new order. The mean over one or two labels of a batch is a noisy slope, which would move all that the
    levels share.
    """
    if not scarce:
        return shuffled(kinds, size, seed, epoch)
    each = max(1, round(share * size))
    common = np.setdiff1d(np.arange(len(kinds)), np.concatenate(scarce))
    batches = shuffled(kinds[common], max(1, size - each * len(scarce)), seed, epoch)
    random = np.random.default_rng([seed, epoch, 1])
    parts = [common[batch] for batch in batches]
    for members in scarce:
        rounds = -(-len(batches) * each // len(members))
        order = np.concatenate([random.permutation(members) for _ in range(rounds)])
        parts = [np.concatenate([part, order[k * each : (k + 1) * each]]) for k, part in enumerate(parts)]
    return parts


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
