"""Frames of ASE's atoms."""

import numpy as np
from ase.build import bulk

from votca_mlp.observables.rdf import pair_histograms
from votca_mlp.trajectories.frames import frame_from_atoms


def test_frames_collected_from_moving_atoms_stay_apart() -> None:
    """A frame owns what it holds: positions, box and types of the moment it was made."""
    atoms = bulk("Al", "fcc", 4.05, cubic=True).repeat(3)
    random, frames, expected = np.random.default_rng(0), [], []
    for _ in range(3):
        atoms.positions += 0.1 * random.standard_normal(atoms.positions.shape)
        atoms.set_cell(1.01 * atoms.cell.array)
        frames.append(frame_from_atoms(atoms))
        expected.append((atoms.positions.copy(), atoms.cell.lengths()))
    atoms.symbols[:] = "Cu"
    for frame, (positions, box) in zip(frames, expected, strict=True):
        assert np.array_equal(frame.positions, positions)
        assert np.array_equal(frame.box, box)
        assert set(frame.types) == {"Al"}
        assert not np.shares_memory(frame.positions, atoms.positions)
    counts = pair_histograms(frames, [("Al", "Al")], np.arange(0.05, 6.0, 0.05)).counts
    assert not np.array_equal(counts[0], counts[1])
