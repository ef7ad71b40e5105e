"""What decides the error of a head of few energies, on trajectories that are not held out."""

from pathlib import Path

import numpy as np

from metal.fits import Parts, unused_of
from metal.pairs import Pair
from votca_mlp.models.hipnn.files import load_levels
from votca_mlp.training.judge import predictions
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.trainer.last_layer import features_and_base, ridge

NUMBERS = (30, 60, 120, 240)
DRAWS = 10


def parts_of_error(pair: Pair, frames: LabelledFrames, parts: Parts, path: Path) -> dict[str, float]:
    """Return errors of both levels and of their difference where high-level energies are unused, meV/atom.

    ``spread`` is that of the difference itself.
    """
    part, model = frames.take(unused_of(pair, frames, parts)), load_levels(path)
    wrong = [
        (predictions(model.alone(level), part).energies - part.levels[level].energies) / part.atom_counts
        for level in pair.levels
    ]
    low, high = part.levels[pair.low].energies, part.levels[pair.high].energies
    return {
        "low": _rms(wrong[0]),
        "high": _rms(wrong[1]),
        "difference": _rms(wrong[1] - wrong[0]),
        "spread": 1e3 * float(((high - low) / part.atom_counts).std()),
    }


def by_number(pair: Pair, frames: LabelledFrames, parts: Parts, path: Path, seed: int) -> dict[str, float]:
    """Return the error of heads of a trained network, fitted to so many energies and judged on the others.

    meV/atom, root mean square over random draws; all of frames that are not held out. The network itself has
    seen the energies that it was trained with.
    """
    random = np.random.default_rng(seed)
    pool = np.concatenate([parts.training, parts.validation])
    pool = pool[frames.has(pair.high, "energies")[pool]]
    part, model = frames.take(pool), load_levels(path)
    x, base = features_and_base(model, part)
    y = part.levels[pair.high].energies / part.atom_counts - base
    found = {}
    for number in NUMBERS:
        errors = []
        for _ in range(DRAWS):
            order = random.permutation(len(pool))
            known, others = order[:number], order[number:]
            weights, constant, _ = ridge(x[known], y[known], part.groups[known])
            errors.append(_rms(x[others] @ weights + constant - y[others]))
        found[str(number)] = float(np.sqrt(np.square(errors).mean()))
    return found


def _rms(wrong: np.ndarray) -> float:
    return 1e3 * float(np.sqrt(np.square(wrong).mean()))
