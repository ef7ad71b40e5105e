"""Frames that are the same in other digits, units or periodic images."""

import numpy as np
from ase import Atoms
from ase.build import bulk

from votca_mlp.training.labelled import labelled_frames
from votca_mlp.training.same_frames import frame_keys


def rattled(count: int) -> list[Atoms]:
    frames = [bulk("Cu", cubic=True) for _ in range(count)]
    for k, atoms in enumerate(frames):
        atoms.rattle(0.1, seed=k)
    return frames


def test_digits_and_images_do_not_matter() -> None:
    """A shift of less than digits moves some coordinate of most frames over the edge of any grid."""
    frames = rattled(12)
    shifted, images, others = ([atoms.copy() for atoms in frames] for _ in range(3))
    random = np.random.default_rng(1)
    for a, b, c in zip(shifted, images, others, strict=True):
        a.positions += 5e-6
        b.positions += random.integers(-2, 3, (len(b), 3)) @ b.cell.array
        b.wrap()
        c.positions[0, 0] += 1e-3
    keys = frame_keys(labelled_frames([*frames, *shifted, *images, *others], {}))
    assert keys[:12] == keys[12:24] == keys[24:36]
    assert len(set(keys)) == 24


def test_without_a_period_an_image_is_another_frame() -> None:
    slab, same, other = bulk("Cu", cubic=True), bulk("Cu", cubic=True), bulk("Cu", cubic=True)
    for atoms in (slab, same, other):
        atoms.pbc = [True, True, False]
    same.positions[0] += same.cell[1]
    other.positions[0] += other.cell[2]
    molecules = [Atoms("OH", [[0, 0, 0], [x, 0, 0]]) for x in (1.0, 1.000004999, 1.000005001, 1.1)]
    keys = frame_keys(labelled_frames([slab, same, other, *molecules], {}))
    assert keys[0] == keys[1] != keys[2]
    assert keys[3] == keys[4] == keys[5] != keys[6]
    assert frame_keys(labelled_frames([], {})) == []
