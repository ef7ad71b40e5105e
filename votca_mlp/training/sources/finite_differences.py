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
TOLERANCE = 0.25
"""Of the slope; units differ by factors of at least 1.89 or a sign."""


@dataclass(frozen=True)
class Agreement:
    """Slope of differences of energy by work of the labels, over some pairs, and their correlation."""

    slope: float
    correlation: float
    pairs: int

    @property
    def says_something(self) -> bool:
        """Whether the slope can be trusted."""
        return self.pairs >= FEWEST and abs(self.correlation) >= CORRELATION


def forces_agree(frames: LabelledFrames, level: str) -> Agreement:
    """Return the slope of energy differences by the work of the forces, between frames of one cell."""
    return _agreement(frames, level, "forces")


def stress_agrees(frames: LabelledFrames, level: str) -> Agreement:
    """Return the slope of energy differences, less the forces' work, by the work of the stress."""
    return _agreement(frames, level, "stress")


def refuse_wrong_units(frames: LabelledFrames, level: str, file: str) -> list[str]:
    """Refuse forces or stress that do not fit the energies; return what was found, in words.

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
        if not found.says_something:
            said.append(f"{kind} of '{level}' in {file}: no frames near enough to check units")
            continue
        if abs(found.slope - 1) > TOLERANCE:
            raise UserError(
                f"energies of level '{level}' change by {found.slope:.3g} times what its {kind} say "
                f"({found.pairs} pairs of frames, correlation {found.correlation:.3f})",
                where=file,
                accepted=_advice(found.slope, kind, known),
            )
        said.append(f"{kind} of '{level}' in {file}: fit the energies ({found.slope:.3f})")
    return said


def _advice(slope: float, kind: str, known: dict[str, float]) -> str:
    factors = ratios(known)
    near = sorted(factors, key=lambda name: abs(np.log(abs(slope) / factors[name])))
    fitting = [name for name in near if abs(np.log(abs(slope) / factors[name])) < 0.1][:3]
    words = [*fitting, *(["the other sign"] if slope < 0 else [])]
    return f"units and signs that fit together (energy, {kind}, length)" + (
        "; this factor is " + ", or ".join(words) if words else ""
    )


def _agreement(frames: LabelledFrames, level: str, kind: str) -> Agreement:
    labels = frames.levels[level]
    there = frames.has(level, "energies") & frames.has(level, kind)
    left, right = [], []
    for a, b in _near_pairs(frames, np.flatnonzero(there), kind == "stress"):
        change, strain, volume = _displacement(frames, a, b)
        part_a, part_b = (slice(frames.offsets[k], frames.offsets[k + 1]) for k in (a, b))
        work = -0.5 * float(((labels.forces[part_a] + labels.forces[part_b]) * change).sum())
        energy = float(labels.energies[b] - labels.energies[a])
        if kind == "stress":
            stress = 0.5 * (labels.stress[a] + labels.stress[b])
            left.append(energy - (0.0 if np.isnan(work) else work))
            right.append(volume * float((stress * strain).sum()))
        else:
            left.append(energy)
            right.append(work)
    x, y = np.array(right), np.array(left)
    if len(x) < 2 or not x.any() or not y.any():
        return Agreement(np.nan, 0.0, len(x))
    correlation = float(x @ y / np.sqrt((x @ x) * (y @ y)))
    return Agreement(float(x @ y / (x @ x)), correlation, len(x))


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
