"""Angles between the neighbours of an atom, and how many neighbours it has."""

from collections.abc import Iterable
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
    width = 180.0 / bins
    counts = np.stack(rows)
    scale = counts.sum(1).mean() * width
    series = counts / scale
    errors = [block_error(column) for column in series.T]
    found = block_error(np.array(neighbours))
    return Surroundings(
        np.asarray(width * (np.arange(bins) + 0.5), np.float64),
        series.mean(0),
        np.array([np.nan if error is None else error for error in errors]),
        Estimate(float(np.mean(neighbours)), np.nan if found is None else found),
    )


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
