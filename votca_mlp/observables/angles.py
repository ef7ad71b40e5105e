"""Angles between the neighbours of an atom, and how many neighbours it has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.ensemble.blocks import block_error
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.errors import UserError
from votca_mlp.neighbours.verlet_lists import VerletPairList
from votca_mlp.trajectories.frames import Frame

Array = NDArray[np.float64]
Kinds = tuple[int, int, int]


def angle_counts(
    numbers: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    vectors: Array,
    bins: int,
    kinds: Kinds | None = None,
) -> Array:
    """Return how many angles j-i-k between neighbours j, k of an atom i are in each bin, shape [bins].

    Parameters
    ----------
    numbers
        Of the atoms' elements, shape [n_atoms].
    first, second, vectors
        A full pair list sorted by its first atoms: atoms i and j, r_j - r_i (Angstrom).
    bins
        Of equal width from 0 to 180 degrees.
    kinds
        Elements of the centre and of both ends; None: all.
    """
    directions = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    # all pairs of pairs of a row
    counts = np.bincount(first, minlength=len(numbers))
    begins = np.cumsum(counts) - counts
    left = np.repeat(np.arange(len(first)), counts[first])
    offset = np.arange(len(left)) - np.repeat(np.cumsum(counts[first]) - counts[first], counts[first])
    right = begins[first[left]] + offset
    keep = right != left if kinds else right > left
    left, right = left[keep], right[keep]
    if kinds is not None:
        centre, one, two = kinds
        same = one == two
        chosen = (numbers[first[left]] == centre) & (numbers[second[left]] == one)
        chosen &= (numbers[second[right]] == two) & ((right > left) | (not same))
        left, right = left[chosen], right[chosen]
    cosines = np.clip((directions[left] * directions[right]).sum(1), -1.0, 1.0)
    angles = np.degrees(np.arccos(cosines))
    return np.histogram(angles, bins, (0.0, 180.0))[0].astype(float)


@dataclass(frozen=True)
class Surroundings:
    """What surrounds the atoms of a trajectory.

    Attributes
    ----------
    angles
        Middles of the bins, degrees, shape [bins].
    density, error
        Probability density of an angle and its standard error, 1/degree, shape [bins]; nan when too short.
    coordination
        Mean number of neighbours of an atom.
    """

    angles: Array
    density: Array
    error: Array
    coordination: Estimate


@dataclass(frozen=True)
class KindsAround:
    """What surrounds the atoms of each species.

    Attributes
    ----------
    angles
        Middles of the bins, degrees, shape [bins].
    densities
        Probability density of the angle at the middle one of three species such as Ar-Kr-Ar and its standard
        error, 1/degree, each of shape [bins]; only where there are such angles.
    coordination
        Mean number of neighbours of the second species around an atom of the first.
    """

    angles: Array
    densities: Mapping[tuple[str, str, str], tuple[Array, Array]]
    coordination: Mapping[tuple[str, str], Estimate]


def surroundings_by_kind(
    frames: Iterable[Frame], reaches: Mapping[tuple[str, str], float], bins: int = 60
) -> KindsAround:
    """Return distributions of angles and mean coordination numbers by species.

    Parameters
    ----------
    reaches
        Distance up to which atoms are neighbours (Angstrom), by pair of species in alphabetical order; pairs
        that are not named have none.
    """
    widest, periodic = max(reaches.values()), np.ones(3, bool)
    listed = VerletPairList(widest, 0.0)
    angles: dict[tuple[str, str, str], list[Array]] = {}
    numbers: dict[tuple[str, str], list[float]] = {}
    for frame in frames:
        names, kinds = np.unique(frame.types, return_inverse=True)
        kinds = kinds.astype(np.int64)
        limit = np.array([[reaches.get(_pair(str(a), str(b)), 0.0) for b in names] for a in names])
        cell = np.diag(frame.box)
        listed.forget()
        listed.update(frame.positions, cell, periodic)
        vectors = listed.vectors(frame.positions, cell)
        near = np.linalg.norm(vectors, axis=1) <= limit[kinds[listed.first], kinds[listed.second]]
        first, second, vectors = listed.first[near], listed.second[near], vectors[near]
        for i, centre in enumerate(names):
            atoms = int((kinds == i).sum())
            for j, one in enumerate(names):
                count = int(((kinds[first] == i) & (kinds[second] == j)).sum())
                numbers.setdefault((str(centre), str(one)), []).append(count / atoms)
                for k in range(j, len(names)):
                    found = angle_counts(kinds, first, second, vectors, bins, (i, j, k))
                    angles.setdefault((str(one), str(centre), str(names[k])), []).append(found)
    return KindsAround(
        _middles(bins),
        {key: _density(rows) for key, rows in angles.items() if np.sum(rows)},
        {key: _mean(values) for key, values in numbers.items()},
    )


def _pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a <= b else (b, a)


def _middles(bins: int) -> Array:
    return np.asarray(180.0 / bins * (np.arange(bins) + 0.5), np.float64)


def _density(rows: Sequence[Array]) -> tuple[Array, Array]:
    """Return mean and error of the probability density of the frames' counts, 1/degree, each [bins]."""
    counts = np.stack(rows)
    series = counts / (counts.sum(1).mean() * 180.0 / counts.shape[1])
    errors = [block_error(column) for column in series.T]
    return series.mean(0), np.array([np.nan if error is None else error for error in errors])


def _mean(values: Sequence[float]) -> Estimate:
    found = block_error(np.array(values))
    return Estimate(float(np.mean(values)), np.nan if found is None else found)


def surroundings(frames: Iterable[Frame], reach: float, bins: int = 60) -> Surroundings:
    """Return the distribution of angles and the mean coordination number, over all atoms.

    Parameters
    ----------
    reach
        Distance up to which atoms are neighbours, Angstrom, such as the first minimum of g(r).

    Raises
    ------
    UserError
        No frames; no atom with two neighbours.
    """
    listed, periodic = VerletPairList(reach, 0.0), np.ones(3, bool)
    rows: list[Array] = []
    neighbours: list[float] = []
    for frame in frames:
        cell = np.diag(frame.box)
        listed.forget()
        listed.update(frame.positions, cell, periodic)
        kinds = np.zeros(len(frame.positions), np.int64)
        vectors = listed.vectors(frame.positions, cell)
        rows.append(angle_counts(kinds, listed.first, listed.second, vectors, bins))
        neighbours.append(len(listed.first) / len(kinds))
    if not rows or not np.sum(rows):
        raise UserError(
            "no angles" if rows else "no frames", accepted=f"frames with atoms closer than {reach:g} Angstrom"
        )
    density, error = _density(rows)
    return Surroundings(_middles(bins), density, error, _mean(neighbours))


def first_minimum(r: Array, g: Array) -> float:
    """Return where g(r) is least between its highest peak and 1.7 times as far (Angstrom).

    Raises
    ------
    UserError
        The grid ends before.
    """
    peak = int(np.argmax(g))
    beyond = (r > r[peak]) & (r <= 1.7 * r[peak])
    if r[-1] < 1.5 * r[peak] or not beyond.any():
        raise UserError("g(r) ends before its first minimum", accepted="<reach>, Angstrom")
    index = np.flatnonzero(beyond)
    return float(r[index[np.argmin(g[index])]])
