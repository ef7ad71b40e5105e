"""Units of energies of one level against another's, on frames that both levels label.

A level with energies alone has no forces to check its unit by. But two levels of theory of the same frames
rise and fall together: a slope of 27 or 1/23 between them is a unit, not physics.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.sources.label_units import ENERGIES, ratios

FEWEST = 8
"""Frames below which nothing is said."""
CORRELATION = 0.9
"""Below this, the levels say nothing about each other's unit."""
NEAR = 0.15
"""How far, in its logarithm, a slope may be from a ratio of units to be taken for it."""


def refuse_other_unit(frames: LabelledFrames, keys: Sequence[bytes]) -> list[str]:
    """Refuse energies of two levels whose slope is a ratio of units; return what was found, in words.

    Parameters
    ----------
    keys
        By frame, equal where frames are, see :func:`votca_mlp.training.same_frames.frame_keys`.

    Raises
    ------
    UserError
        Naming both levels, the slope and the units.
    """
    said, compared = [], set[str]()
    for low, high in combinations(frames.levels, 2):
        x, y = _common(frames, keys, low, high)
        if len(x) < FEWEST or not x.any() or not y.any():
            continue
        compared |= {low, high}
        if float(x @ y / np.sqrt((x @ x) * (y @ y))) < CORRELATION:
            said.append(f"energies of '{high}' and '{low}' on {len(x)} common frames: no correlation")
            continue
        slope = float(np.sqrt((y @ y) / (x @ x)))
        fitting = [name for name, ratio in ratios(ENERGIES).items() if abs(np.log(slope / ratio)) < NEAR]
        if fitting and abs(np.log(slope)) > 3 * NEAR:
            raise UserError(
                f"on {len(x)} common frames energies of level '{high}' change by {slope:.3g} times those of "
                f"'{low}': no two levels of theory differ so much",
                where=f"levels {low}, {high}",
                accepted=f"the unit of each label; this factor is {', or '.join(fitting)}",
            )
        said.append(f"energies of '{high}' and '{low}' on {len(x)} common frames: slope {slope:.3f}")
    for level in frames.levels.keys() - compared:
        derivatives = frames.has(level, "forces").any() or frames.has(level, "stress").any()
        if frames.has(level, "energies").any() and not derivatives:
            said.append(f"energies of '{level}': no forces, no common frames to check their unit by")
    return sorted(said)


def _common(
    frames: LabelledFrames, keys: Sequence[bytes], low: str, high: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return energies of both levels on the frames that both have, without the mean of each composition."""
    rows: dict[str, dict[bytes, int]] = {}
    for level in (low, high):
        rows[level] = {keys[k]: k for k in np.flatnonzero(frames.has(level, "energies")).tolist()}
    by_composition: dict[bytes, list[tuple[float, float]]] = {}
    for key in rows[low].keys() & rows[high].keys():
        a, b = rows[low][key], rows[high][key]
        atoms = np.sort(frames.numbers[frames.offsets[a] : frames.offsets[a + 1]]).tobytes()
        pair = (float(frames.levels[low].energies[a]), float(frames.levels[high].energies[b]))
        by_composition.setdefault(atoms, []).append(pair)
    parts = [np.array(pairs) - np.mean(pairs, axis=0) for pairs in by_composition.values() if len(pairs) > 1]
    both = np.concatenate(parts) if parts else np.zeros((0, 2))
    return both[:, 0], both[:, 1]
