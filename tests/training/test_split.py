"""The split: scarce labels have their fraction, also where their frames are those of another level."""

import numpy as np
import pytest

from tests.training.trainer.small import metal
from votca_mlp.training.labelled import LabelledFrames, labelled_frames
from votca_mlp.training.split import split_frames


def copies(number: int, every: int) -> LabelledFrames:
    """Return frames with energies and forces of one level, and copies of some with energies of another."""
    low = [metal(seed) for seed in range(number)]
    high = low[::every]
    none, some = [None] * len(high), [1.0] * len(high)
    labels = {
        "low": {
            "energies": [1.0] * number + none,
            "forces": [np.zeros((len(atoms), 3)) for atoms in low] + none,
        },
        "high": {"energies": [None] * number + some},
    }
    return labelled_frames([*low, *high], labels)


@pytest.mark.parametrize("seed", range(6))
def test_copies_of_another_levels_frames_are_held_out_by_their_fraction(seed: int) -> None:
    """Each level chose by itself before, so that of the scarce one nearly twice as many were held out."""
    frames = copies(60, 4)
    split = split_frames(frames, held_out=0.2, validation=0.25, seed=seed, scarce_first=True)
    for level, number in (("low", 60), ("high", 15)):
        there = frames.has(level, "energies")
        assert there[split.held_out].sum() == 0.2 * number
        assert there[split.validation].sum() == 0.25 * 0.8 * number
    # a copy is where its frame is
    use = np.full(len(frames), -1)
    for k, part in enumerate((split.training, split.validation, split.held_out)):
        use[part] = k
    assert np.array_equal(use[60:], use[:60:4])


def test_two_copies_leave_one_to_train() -> None:
    """The other one is for validation; the level with many frames takes others."""
    frames = copies(24, 12)
    for seed in range(6):
        split = split_frames(frames, held_out=0.0, validation=0.2, seed=seed, scarce_first=True)
        assert frames.has("high", "energies")[split.training].sum() == 1
        assert frames.has("low", "energies")[split.validation].sum() == 5


def test_where_no_frame_is_shared_nothing_depends_on_who_chooses_first() -> None:
    frames = copies(40, 4)
    apart = frames.take(np.flatnonzero(np.arange(50) % 4 > 0))
    splits = [
        split_frames(apart, held_out=0.2, validation=0.2, seed=3, scarce_first=first)
        for first in (False, True)
    ]
    for name in ("training", "validation", "held_out"):
        assert np.array_equal(*(getattr(split, name) for split in splits))
