"""Units of forces and stress against differences of the energies: labels of one level have to agree.

Between two frames of the same atoms, E_b - E_a = -(F_a + F_b)/2 . (x_b - x_a) + V (sigma_a + sigma_b)/2 :
strain, exact where the energy is quadratic between them. Over near pairs of a source the slope of the left by
the right side is 1 where units and signs are right, whatever noise the single pairs have.
"""

from dataclasses import dataclass

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.training.labelled import FloatArray, LabelledFrames
from votca_mlp.training.sources.label_units import FORCES, STRESSES, ratios

PAIRS = 200
"""Pairs that are looked at."""
FEWEST = 8
"""Pairs below which nothing is said."""
CORRELATION = 0.95
"""Below this, the pairs say nothing about a slope: frames too far apart, energies with noise."""
WEAK = 0.6
"""A correlation of twice the pairs that is no accident, though it says of a slope no more than its size."""
GROSS = 4.0
"""Such a slope this far from 1, or below 0, is said to be doubtful."""
TOLERANCE = 0.25
"""Of the slope; units differ by factors of at least 1.22 or a sign."""
EXPLAINED, EXPLAINED_GROSS = 0.1, 0.25
"""How far a slope may be from a ratio of units (in the logarithm) that is to explain it; and a gross one, for
which frames that are somewhat too far apart are no reason."""


@dataclass(frozen=True)
class Agreement:
    """Slope of differences of energy by work of the labels, over some pairs, and their correlation.

    ``slope`` is that of least squares, which a few pairs with much work may rule; ``middle`` is the median of
    the pairs' own, each counting the more the less the labels change between its frames.
    """

    slope: float
    correlation: float
    pairs: int
    middle: float = np.nan

    @property
    def says_something(self) -> bool:
        """Whether the slope can be trusted."""
        return self.pairs >= FEWEST and abs(self.correlation) >= CORRELATION

    @property
    def is_doubtful(self) -> bool:
        """Whether the pairs, too far apart for a slope, speak of another sign or a gross factor."""
        clear = self.pairs >= 2 * FEWEST and abs(self.correlation) >= WEAK
        return clear and not any(1 / GROSS < slope < GROSS for slope in (self.slope, self.middle))


def forces_agree(frames: LabelledFrames, level: str) -> Agreement:
    """Return the slope of energy differences by the work of the forces, between frames of one cell."""
    return _agreement(frames, level, "forces")


def stress_agrees(frames: LabelledFrames, level: str) -> Agreement:
    """Return the slope of energy differences, less the forces' work, by the work of the stress."""
    return _agreement(frames, level, "stress")


def refuse_wrong_units(frames: LabelledFrames, level: str, file: str) -> list[str]:
    """Refuse forces or stress in other units than the energies; return what was found, in words.

    Only what a ratio of units or a sign explains is refused, in most pairs as in all of them together: where
    pairs of atoms are pushed together, energies are far from quadratic between near frames, and the slope is
    any number. That is said to be unclear.

    Raises
    ------
    UserError
        Naming the factor and the units that would fit.
    """
    said = []
    for kind, known in (("forces", FORCES), ("stress", STRESSES)):
        if not (frames.has(level, kind) & frames.has(level, "energies")).any():
            continue
        found = _agreement(frames, level, kind)
        if not found.says_something and found.is_doubtful:
            said.append(
                f"{kind} of '{level}' in {file}: DOUBTFUL: no frames near enough to be sure, but energies "
                f"change by about {found.slope:.2g} times what they say (correlation "
                f"{found.correlation:.2f}): look at their unit and sign"
            )
            continue
        if not found.says_something:
            said.append(f"{kind} of '{level}' in {file}: no frames near enough to check units")
            continue
        if abs(found.slope - 1) <= TOLERANCE:
            said.append(f"{kind} of '{level}' in {file}: fit the energies ({found.slope:.3f})")
            continue
        times = f"change by {found.slope:.3g} times what its {kind} say"
        units = [name for name in _units(found.slope, known) if name in _units(found.middle, known)]
        if not units:
            said.append(
                f"{kind} of '{level}' in {file}: unclear whether they fit the energies, which {times} (in "
                f"most pairs by {found.middle:.3g}): no ratio of units, so perhaps frames too far from "
                "each other, or with atoms pushed together"
            )
            continue
        raise UserError(
            f"energies of level '{level}' {times} ({found.pairs} pairs of frames, correlation "
            f"{found.correlation:.3f})",
            where=file,
            accepted=f"units and signs that fit together (energy, {kind}, length); this factor is "
            + ", or ".join(units[:4]),
        )
    return said


def _units(slope: float, known: dict[str, float]) -> list[str]:
    """Return what would explain a slope, the nearest first: one unit for another, the other sign, or both."""
    sign = ["the other sign"] if slope < 0 else []
    # one name for each factor: eV for kcal/mol is the same whatever the length
    factors = {round(factor, 12): name for name, factor in reversed(ratios(known).items())}
    away = {name: abs(np.log(abs(slope) / factor)) for factor, name in factors.items()}
    near = EXPLAINED if 1 / GROSS < abs(slope) < GROSS else EXPLAINED_GROSS
    fitting = [name for name in sorted(away, key=lambda name: away[name]) if away[name] < near]
    if sign and abs(np.log(abs(slope))) < EXPLAINED:
        return sign
    return [*fitting, *sign] if fitting else []


def _agreement(frames: LabelledFrames, level: str, kind: str) -> Agreement:
    labels = frames.levels[level]
    there = frames.has(level, "energies") & frames.has(level, kind)
    left, right, changes = [], [], []
    for a, b in _near_pairs(frames, np.flatnonzero(there), kind == "stress"):
        change, strain, volume = _displacement(frames, a, b)
        part_a, part_b = (slice(frames.offsets[k], frames.offsets[k + 1]) for k in (a, b))
        works = [-float((labels.forces[part] * change).sum()) for part in (part_a, part_b)]
        work = 0.5 * (works[0] + works[1])
        energy = float(labels.energies[b] - labels.energies[a])
        if kind == "stress":
            works = [volume * float((labels.stress[k] * strain).sum()) for k in (a, b)]
            left.append(energy - (0.0 if np.isnan(work) else work))
            right.append(0.5 * (works[0] + works[1]))
        else:
            left.append(energy)
            right.append(work)
        changes.append(abs(works[1] - works[0]))
    x, y = np.array(right), np.array(left)
    if len(x) < 2 or not x.any() or not y.any():
        return Agreement(np.nan, 0.0, len(x))
    correlation = float(x @ y / np.sqrt((x @ x) * (y @ y)))
    return Agreement(float(x @ y / (x @ x)), correlation, len(x), _middle(x, y, np.array(changes)))


def _middle(x: FloatArray, y: FloatArray, changes: FloatArray) -> float:
    """Return the median of y/x; a pair counts by |x| over how much its works differ, at most once."""
    some = x != 0.0
    x, y, changes = x[some], y[some], changes[some]
    order = np.argsort(y / x)
    below = np.cumsum((np.abs(x) / np.maximum(np.abs(x), changes))[order])
    return float((y / x)[order[np.searchsorted(below, 0.5 * below[-1])]])


def _near_pairs(frames: LabelledFrames, chosen: np.ndarray, strained: bool) -> list[tuple[int, int]]:
    """Return pairs of frames of the same atoms, the nearest ones; of one cell, or of strained ones."""
    rows: dict[bytes, list[int]] = {}
    for k in chosen:
        part = slice(frames.offsets[k], frames.offsets[k + 1])
        key = frames.numbers[part].tobytes() + frames.pbc[k].tobytes()
        if not strained:
            key += np.round(frames.cells[k], 6).tobytes()
        rows.setdefault(key, []).append(int(k))
    found: list[tuple[float, int, int]] = []
    for members in rows.values():
        # some neighbours in the file, and some from all over it
        some = members[:: max(1, len(members) // 400)]
        if len(some) < 2:
            continue
        x = np.array([_coordinates(frames, k) for k in some])
        for i in range(len(some)):
            distance = np.square(x - x[i]).sum(1)
            distance[: i + 1] = np.inf
            for j in np.argsort(distance)[:3]:
                differ = not strained or _cells_differ(frames, some[i], some[j])
                if np.isfinite(distance[j]) and distance[j] > 1e-12 and differ:
                    found.append((float(distance[j]), some[i], some[j]))
    # the very nearest differ by little more than the noise of their energies
    near = sorted(found)
    if not near:
        return []
    return [near[k][1:] for k in np.unique(np.linspace(0, 0.8 * (len(near) - 1), PAIRS).astype(int))]


def _cells_differ(frames: LabelledFrames, a: int, b: int) -> bool:
    strain = np.linalg.norm(_displacement(frames, a, b)[1])
    return bool(1e-3 < strain < 0.1)


def _coordinates(frames: LabelledFrames, k: int) -> FloatArray:
    part = slice(frames.offsets[k], frames.offsets[k + 1])
    return np.concatenate([frames.positions[part].ravel(), 3 * frames.cells[k].ravel()])


def _displacement(frames: LabelledFrames, a: int, b: int) -> tuple[FloatArray, FloatArray, float]:
    """Return displacements without the homogeneous part, the strain, and the mean volume."""
    x_a, x_b = (frames.positions[frames.offsets[k] : frames.offsets[k + 1]] for k in (a, b))
    if not frames.pbc[a].any():
        return x_b - x_a, np.zeros((3, 3)), 0.0
    cell_a, cell_b = (_full(frames.cells[k]) for k in (a, b))
    change = x_b @ np.linalg.inv(cell_b) - x_a @ np.linalg.inv(cell_a)
    change -= np.round(change) * frames.pbc[a]
    mean = 0.5 * (cell_a + cell_b)
    gradient = np.linalg.inv(mean) @ (cell_b - cell_a)
    return change @ mean, 0.5 * (gradient + gradient.T), float(abs(np.linalg.det(mean)))


def _full(cell: FloatArray) -> FloatArray:
    """Return a cell with unit vectors where it has none."""
    from ase.geometry import complete_cell

    return np.asarray(complete_cell(cell))
