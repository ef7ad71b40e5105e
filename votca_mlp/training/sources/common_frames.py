"""Units of energies and forces of one level against another's, on frames that both levels label.

A level with energies alone has no forces to check its unit by. But two levels of theory of the same frames
rise and fall together: a slope of 27 or 1/23 between them is a unit, not physics.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.training.labelled import FloatArray, LabelledFrames
from votca_mlp.training.sources.label_units import ENERGIES, FORCES, ratios

FEWEST = 8
"""Frames below which nothing is said."""
CORRELATION = 0.9
"""Below this, the levels say nothing about each other's unit."""
NEAR = 0.15
"""How far, in its logarithm, a slope may be from a ratio of units to be taken for it."""


def refuse_other_unit(frames: LabelledFrames, keys: Sequence[bytes]) -> list[str]:
    """Refuse energies or forces of two levels whose slope is a ratio of units; return findings in words.

    Parameters
    ----------
    keys
        By frame, equal where frames are, see :func:`votca_mlp.training.same_frames.frame_keys`.

    Raises
    ------
    UserError
        Naming both levels, the slope and the units.
    """
    said, compared = [], set[tuple[str, str]]()
    for low, high in combinations(frames.levels, 2):
        for kind, known in (("energies", ENERGIES), ("forces", FORCES)):
            x, y, atoms = _common(frames, keys, low, high, kind)
            number = len(atoms)
            if number < FEWEST or not x.any() or not y.any():
                continue
            compared |= {(low, kind), (high, kind)}
            on = f"{kind} of '{high}' and '{low}' on {number} common frames"
            slope = slope_of(x, y)
            if slope is None:
                said.append(f"{on}: no correlation")
                continue
            refuse_ratio(
                slope,
                known,
                f"on {number} common frames {kind} of level '{high}' change by {slope:.3g} times those of "
                f"'{low}': no two levels of theory differ so much",
                where=f"levels {low}, {high}",
            )
            apart = _apart(x / atoms, y / atoms, low, high) if kind == "energies" else ""
            said.append(f"{on}: slope {slope:.3f}{apart}")
    for level in frames.levels:
        derivatives = frames.has(level, "forces").any() or frames.has(level, "stress").any()
        if frames.has(level, "energies").any() and not derivatives and (level, "energies") not in compared:
            said.append(f"energies of '{level}': no forces, no common frames to check their unit by")
    return sorted(said)


def slope_of(x: FloatArray, y: FloatArray) -> float | None:
    """Return the slope of two sets of values of equal standing; None where they do not go together."""
    squares = float(x @ x), float(y @ y)
    if not all(squares) or float(x @ y) < CORRELATION * np.sqrt(squares[0] * squares[1]):
        return None
    return float(np.sqrt(squares[1] / squares[0]))


def refuse_ratio(slope: float, units: Mapping[str, float], what: str, where: str) -> None:
    """Refuse a slope between two sources of the same values that is a ratio of these units.

    Raises
    ------
    UserError
        With ``what`` and the units.
    """
    fitting = [name for name, ratio in ratios(units).items() if abs(np.log(slope / ratio)) < NEAR]
    if fitting and abs(np.log(slope)) > 3 * NEAR:
        accepted = f"the unit of each label; this factor is {', or '.join(fitting[:4])}"
        raise UserError(what, where=where, accepted=accepted)


def _common(
    frames: LabelledFrames, keys: Sequence[bytes], low: str, high: str, kind: str
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Return labels of both levels on the frames that both have, and the frames' numbers of atoms.

    Energies are without the mean of each composition that has several frames; forces all components in a row.
    """
    rows = [{keys[k]: k for k in np.flatnonzero(frames.has(level, kind)).tolist()} for level in (low, high)]
    pairs = [(k, rows[1][key]) for key, k in rows[0].items() if key in rows[1]]
    x, y = (getattr(frames.levels[level], kind) for level in (low, high))
    parts = []
    if kind == "forces":
        for a, b in pairs:
            part = [values[frames.offsets[k] : frames.offsets[k + 1]] for values, k in ((x, a), (y, b))]
            parts.append(np.stack([values.ravel() for values in part], 1))
        used = [a for a, _ in pairs]
    else:
        compositions: dict[bytes, list[tuple[int, int]]] = {}
        for a, b in pairs:
            atoms = np.sort(frames.numbers[frames.offsets[a] : frames.offsets[a + 1]]).tobytes()
            compositions.setdefault(atoms, []).append((a, b))
        several = [np.array(some) for some in compositions.values() if len(some) > 1]
        parts = [np.stack([x[some[:, 0]], y[some[:, 1]]], 1) for some in several]
        parts = [part - part.mean(0) for part in parts]
        used = [a for some in several for a in some[:, 0].tolist()]
    both = np.concatenate(parts) if parts else np.zeros((0, 2))
    return both[:, 0], both[:, 1], frames.atom_counts[used]


def _apart(x: FloatArray, y: FloatArray, low: str, high: str) -> str:
    """Return in words how far energies by atom are apart beside how far they spread, eV/atom."""
    apart, *spreads = (1e3 * float(np.sqrt(np.square(each).mean())) for each in (y - x, x, y))
    return (
        f"; {apart:.3g} meV/atom apart, where '{low}' spreads by {spreads[0]:.3g} "
        f"and '{high}' by {spreads[1]:.3g}"
    )
