"""Partial structure factors at the smallest wave vectors of a cubic box, by direct summation.

    S_ab(k) - 1 = [Re rho_a(k) rho_b(k)* / N - c_a delta_ab] / (c_a c_b),    rho_a(k) = sum_i exp(-i k r_i)

Exact for the box, where pair counts end at half of it and what is beyond has to be guessed. Only k = 2 pi n/L
are there: up to 2 pi over half the box, where pair counts begin to tell, four lengths, with n^2 = 1 to 4.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.trajectories.frames import Frame

Array = NDArray[np.float64]

SQUARES = (1, 2, 3, 4)
"""n^2 of the lengths that are summed."""
_CUBIC = 1e-6
"""Of the edge: boxes with edges that differ by more have other lengths for every direction."""


@dataclass(frozen=True)
class LowFactors:
    """S_ab(k) - 1 at the smallest k.

    Attributes
    ----------
    q
        Lengths of k, 1/Angstrom, means over the frames, shape [n_q].
    pairs
        The two species of each row.
    values
        Of each frame, means over the directions of k, shape [n_frames, n_pairs, n_q].
    """

    q: Array
    pairs: tuple[tuple[str, str], ...]
    values: Array


class LowCounter:
    """Sums frame by frame."""

    def __init__(self) -> None:
        reach = int(np.sqrt(max(SQUARES)))
        grid = np.indices((2 * reach + 1,) * 3).reshape(3, -1).T - reach
        squares = (grid**2).sum(axis=1)
        # k and -k say the same
        half = [tuple(n) > (0, 0, 0) and s in SQUARES for n, s in zip(grid.tolist(), squares, strict=True)]
        self._vectors = grid[half].astype(float)
        self._shell = np.searchsorted(SQUARES, squares[half])
        self._names: list[str] = []
        self._edges: list[float] = []
        self._values: list[Array] = []
        self._cubic = True

    def add(self, frame: Frame) -> None:
        """Sum over the atoms of the next frame."""
        edge = float(frame.box[0])
        self._cubic &= bool(np.ptp(frame.box) <= _CUBIC * edge)
        if not self._cubic:
            return
        if not self._names:
            self._names = sorted(set(frame.types.tolist()))
        phases = np.exp(-2j * np.pi / edge * (frame.positions @ self._vectors.T))
        sums = [phases[frame.types == name].sum(axis=0) for name in self._names]
        shares = [float(np.mean(frame.types == name)) for name in self._names]
        rows = []
        for a, b in self._indices():
            products = (sums[a] * sums[b].conj()).real / len(frame.types)
            factors = (products - (shares[a] if a == b else 0.0)) / (shares[a] * shares[b])
            number = np.bincount(self._shell)
            rows.append(np.bincount(self._shell, factors) / number)
        self._edges.append(edge)
        self._values.append(np.array(rows))

    def factors(self) -> LowFactors | None:
        """Return those of all frames; None for boxes that are no cubes."""
        if not self._cubic or not self._values:
            return None
        q = 2.0 * np.pi * np.sqrt(SQUARES) * float(np.mean(1.0 / np.array(self._edges)))
        pairs = tuple((self._names[a], self._names[b]) for a, b in self._indices())
        return LowFactors(np.asarray(q), pairs, np.array(self._values))

    def _indices(self) -> list[tuple[int, int]]:
        count = len(self._names)
        return [(a, b) for a in range(count) for b in range(a, count)]
