"""How the shipped aluminium model is made: configurations, labels, what is held out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from al_hipnn.sampling import Trajectory, push_together, sample
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.training.judge import evaluated
from votca_mlp.training.labelled import LabelledFrames, concatenate, labelled_frames
from votca_mlp.training.sources.labels import Source, read_source

LEVEL = "ani"
SEED, CLOSE_SEED = 1, 7
CLOSE_EVERY = 6
LARGEST_FORCE = 40.0  # eV/Angstrom; beyond, the labelling networks extrapolate


def label(
    frames: Sequence[Atoms], kinds: Sequence[str], runs: Sequence[int], by: Evaluator
) -> LabelledFrames:
    """Return frames with energies and forces of an evaluator; each group is named ``KIND RUN``."""
    groups = [f"{kind} {run}" for kind, run in zip(kinds, runs, strict=True)]
    bare = labelled_frames(frames, {}, groups)
    found = evaluated(by, bare)
    return replace(bare, levels={LEVEL: replace(found, stress=np.full_like(found.stress, np.nan))})


def kinds_of(frames: LabelledFrames) -> NDArray[np.str_]:
    """Return the kind of each frame: solid, strained, liquid, hot or close."""
    return np.array([group.split()[-2] for group in frames.groups], np.str_)


def runs_of(frames: LabelledFrames) -> NDArray[np.int64]:
    """Return the number of the trajectory that each frame comes from."""
    return np.array([int(group.split()[-1]) for group in frames.groups], np.int64)


def read(path: Path) -> LabelledFrames:
    """Read a file of frames with their labels and groups."""
    labels = {
        "energy": {"key": f"{LEVEL}_energy", "unit": "eV"},
        "forces": {"key": f"{LEVEL}_forces", "unit": "eV/Angstrom"},
    }
    source = Source.model_validate({"file": path.name, "levels": {LEVEL: labels}})
    return concatenate(read_source(source, path.parent))


def sample_and_label(
    runs: list[Trajectory],
    drive: Evaluator,
    by: Evaluator,
    element: str,
    only: Sequence[int],
    report: Callable[[int], None] = lambda run: None,
) -> LabelledFrames:
    """Return the frames of some runs with labels.

    Parameters
    ----------
    runs
        See :func:`al_hipnn.sampling.plan`.
    drive, by
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
    return label(frames, [runs[number].kind for number in numbers], numbers, by)


def close_frames(frames: LabelledFrames, by: Evaluator) -> LabelledFrames:
    """Return labelled frames with one pair pushed together: every sixth small frame of the melts.

    Frames with a force beyond :data:`LARGEST_FORCE` are left out.
    """
    random = np.random.default_rng(CLOSE_SEED)
    melts = np.isin(kinds_of(frames), ["liquid", "hot"])
    smallest = frames.atom_counts[melts].min(initial=1 << 30)
    chosen = np.flatnonzero(melts & (frames.atom_counts == smallest))[::CLOSE_EVERY]
    pushed = [push_together(frames.atoms(int(k)), random) for k in chosen]
    close = label(pushed, ["close"] * len(chosen), runs_of(frames)[chosen].tolist(), by)
    largest = np.zeros(len(close))
    np.maximum.at(largest, close.frame_of_atom, np.abs(close.levels[LEVEL].forces).max(1))
    return close.take(largest <= LARGEST_FORCE)


def assemble(parts: Sequence[LabelledFrames], by: Evaluator) -> LabelledFrames:
    """Return all frames of the parts, with the close ones, in the order of the runs."""
    sampled = concatenate(parts)
    everything = concatenate([sampled, close_frames(sampled, by)])
    return everything.take(np.argsort(runs_of(everything), kind="stable"))


def held_out(frames: LabelledFrames) -> NDArray[np.bool_]:
    """Return which frames are kept for the test: whole runs, as frames of one run resemble each other."""
    return np.asarray(runs_of(frames) % 9 == 4)


def training_and_validation(frames: LabelledFrames, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the other frames, a tenth of them (chosen by the seed) for validation."""
    order = np.random.default_rng(seed).permutation(np.flatnonzero(~held_out(frames)))
    count = max(1, round(0.1 * len(order)))
    return np.sort(order[count:]), np.sort(order[:count])
