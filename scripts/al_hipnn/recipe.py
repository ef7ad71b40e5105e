"""How the shipped aluminium model is made: configurations, labels, what is held out."""

from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from al_hipnn.sampling import Trajectory, push_together, sample
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.training.dataset import Dataset, concatenate, make_dataset

SEED, CLOSE_SEED = 1, 7
CLOSE_EVERY = 6
LARGEST_FORCE = 40.0  # eV/Angstrom; beyond, the labelling networks extrapolate


def sample_and_label(
    runs: list[Trajectory],
    drive: Evaluator,
    label: Evaluator,
    element: str,
    only: Sequence[int],
    report: Callable[[int], None] = lambda run: None,
) -> Dataset:
    """Return the frames of some runs with labels.

    Parameters
    ----------
    runs
        See :func:`al_hipnn.sampling.plan`.
    drive, label
        What the dynamics and the labels are made with.
    element
        Chemical symbol.
    only
        Indices of the runs to do.
    report
        Called with the number of a run when its first frame is there.
    """
    frames: list[Atoms] = []
    numbers: list[int] = []
    for number, frame in sample(runs, drive, element, SEED, only):
        if number not in numbers[-1:]:
            report(number)
        frames.append(frame)
        numbers.append(number)
    return make_dataset(frames, [runs[number].kind for number in numbers], numbers, label)


def close_frames(dataset: Dataset, label: Evaluator) -> Dataset:
    """Return labelled frames with one pair pushed together: every sixth small frame of the melts.

    Frames with a force beyond :data:`LARGEST_FORCE` are left out.
    """
    random = np.random.default_rng(CLOSE_SEED)
    smallest = dataset.atom_counts[np.isin(dataset.kinds, ["liquid", "hot"])].min(initial=1 << 30)
    melts = np.isin(dataset.kinds, ["liquid", "hot"]) & (dataset.atom_counts == smallest)
    chosen = np.flatnonzero(melts)[::CLOSE_EVERY]
    frames = [push_together(dataset.atoms(int(k)), random) for k in chosen]
    close = make_dataset(frames, ["close"] * len(chosen), dataset.runs[chosen].tolist(), label)
    return close.take(np.flatnonzero(np.abs(close.forces).max(axis=(1, 2), initial=0.0) <= LARGEST_FORCE))


def assemble(parts: Sequence[Dataset], label: Evaluator) -> Dataset:
    """Return the whole data set from its parts, with the close frames, in the order of the runs."""
    sampled = concatenate(parts)
    everything = concatenate([sampled, close_frames(sampled, label)])
    return everything.take(np.argsort(everything.runs, kind="stable"))


def held_out(dataset: Dataset) -> NDArray[np.bool_]:
    """Return which frames are kept for the test: whole runs, as frames of one run resemble each other."""
    return np.asarray(dataset.runs % 9 == 4)
