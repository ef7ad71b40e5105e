"""Radial distribution functions, normalised as VOTCA's csg_stat does it.

Bins are centred on the grid points; a bin holds distances from half a step below its point to half a step
above. With H the mean number of pairs a frame in the bin, V the mean volume of the frames and shell the
exact volume between the bin's two spheres,

    g = V H / (N_A N_B shell)      different species,
    g = 2 V H / (N_A^2 shell)      one species,

and g = 0 in a bin that begins below r = 0 (csg_stat_imc.cc, ``Imc::WriteDist``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.observables.protocol import Observable, Series
from votca_mlp.tables import Table, make_table
from votca_mlp.trajectories.frames import Frame
from votca_mlp.units import ANGSTROM_PER_NM

Pair = tuple[str, str]

OBSERVABLE = Observable(
    unit="1",
    meaning="Radial distribution function of two species, on the grid of their interaction.",
    affects="g(r)",
    options=("rdf", "first_frame", "equi_time"),
)


@dataclass(frozen=True)
class PairHistograms:
    """Pair counts of each frame: averages, blocks and errors all come from them.

    Attributes
    ----------
    r
        Bin centres, Angstrom, evenly spaced, shape [n_bins].
    pairs
        The two species of each row.
    counts
        Unordered pairs in each bin, shape [n_frames, n_pairs, n_bins].
    volumes
        Angstrom^3, shape [n_frames].
    norms
        2/N_A^2 for one species, 1/(N_A N_B) for two, shape [n_pairs].
    """

    r: NDArray[np.float64]
    pairs: tuple[Pair, ...]
    counts: NDArray[np.int64]
    volumes: NDArray[np.float64]
    norms: NDArray[np.float64]

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.volumes)

    @property
    def shells(self) -> NDArray[np.float64]:
        """Volume between the two spheres of each bin, Angstrom^3; inf where the bin begins below r = 0."""
        step = self.r[1] - self.r[0]
        inner = self.r - 0.5 * step
        shell = 4.0 / 3.0 * np.pi * ((inner + step) ** 3 - inner**3)
        return np.where(inner < -1e-9 * step, np.inf, shell)

    def row(self, pair: Pair) -> int:
        """Return the index of a pair of species, in either order; ValueError when it was not counted."""
        for candidate in (pair, pair[::-1]):
            if candidate in self.pairs:
                return self.pairs.index(candidate)
        raise ValueError(f"no histogram for {pair}; there are {self.pairs}")

    def g(self, pair: Pair) -> NDArray[np.float64]:
        """Return g(r) of two species over all frames, shape [n_bins]."""
        row = self.row(pair)
        return self._normalise(self.counts[:, row].mean(axis=0), float(self.volumes.mean()), row)

    def series(self, pair: Pair) -> Series:
        """Return g(r) by frame, each normalised with the mean volume, so that their mean is :meth:`g`."""
        row, volume = self.row(pair), float(self.volumes.mean())
        counts = self.counts[:, row].astype(np.float64)
        return Series(np.stack([self._normalise(count, volume, row) for count in counts]), "1")

    def block_g(self, pair: Pair, block_length: int) -> NDArray[np.float64]:
        """Return g(r) of each full block of frames, shape [n_blocks, n_bins]; left-over frames are dropped.

        Raises
        ------
        UserError
            When fewer than two blocks fit.
        """
        blocks = self.n_frames // block_length if block_length > 0 else 0
        if blocks < 2:
            raise UserError(
                f"{self.n_frames} frames give {blocks} blocks of {block_length}",
                accepted="a block_length of at least 1 and at most half the number of frames",
            )
        row = self.row(pair)
        used = slice(0, blocks * block_length)
        counts = self.counts[used, row].reshape(blocks, block_length, -1).mean(axis=1)
        volumes = self.volumes[used].reshape(blocks, block_length).mean(axis=1)
        return np.stack([self._normalise(c, float(v), row) for c, v in zip(counts, volumes, strict=True)])

    def error(self, pair: Pair, block_length: int) -> NDArray[np.float64]:
        """Return the standard error of g(r) from the scatter of block averages, shape [n_bins].

        Right when a block is longer than the frames are correlated.
        """
        blocks = self.block_g(pair, block_length)
        return np.asarray(blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks)))

    def table(self, pair: Pair, block_length: int | None = None) -> Table:
        """Return g(r) as a VOTCA table in nm, with block errors when a block length is given."""
        yerr = None if block_length is None else self.error(pair, block_length)
        return make_table(np.round(self.r / ANGSTROM_PER_NM, 12), self.g(pair), yerr=yerr)

    def _normalise(self, mean: NDArray[np.float64], volume: float, row: int) -> NDArray[np.float64]:
        return np.asarray(volume * self.norms[row] * mean / self.shells)


def pair_histograms(frames: Iterable[Frame], pairs: Sequence[Pair], r: NDArray[np.float64]) -> PairHistograms:
    """Count the pairs of each frame in one pass over a trajectory.

    Parameters
    ----------
    frames
        Any iterable, e.g. of :mod:`votca_mlp.trajectories.dump`; boxes may change from frame to frame.
    pairs
        Species of the wanted g(r), e.g. ``[("Al", "Al")]``.
    r
        Bin centres, Angstrom, evenly spaced, shape [n_bins].

    Raises
    ------
    UserError
        No frames; a species missing from the trajectory; atoms that change their number or species; a box
        whose half is smaller than the last grid point.
    """
    counter = PairCounter(pairs, r)
    for frame in frames:
        counter.add(frame)
    return counter.histograms()


class PairCounter:
    """Counts pairs frame by frame; see :func:`pair_histograms`."""

    def __init__(self, pairs: Sequence[Pair], r: NDArray[np.float64]) -> None:
        self.pairs, self.r = tuple((a, b) for a, b in pairs), np.asarray(r, float)
        self._step = float(self.r[1] - self.r[0])
        if not np.allclose(np.diff(self.r), self._step, rtol=0.0, atol=1e-6 * self._step):
            raise ValueError("r must be evenly spaced")
        self._species: list[str] = list(dict.fromkeys(name for pair in self.pairs for name in pair))
        count = len(self._species) + 1
        self._rows = np.full((count, count), -1, np.int64)
        for row, (a, b) in enumerate(self.pairs):
            i, j = self._species.index(a), self._species.index(b)
            self._rows[i, j] = self._rows[j, i] = row
        self._counts: list[NDArray[np.int64]] = []
        self._volumes: list[float] = []
        self._types: NDArray[np.str_] | None = None
        self._kinds = np.empty(0, np.int64)

    def add(self, frame: Frame) -> None:
        """Count the pairs of the next frame.

        Raises
        ------
        UserError
            As :func:`pair_histograms`.
        """
        from votca_mlp.kernels.histogram import count_pairs

        number = len(self._counts) + 1
        if self._types is None:
            self._types, self._kinds = frame.types, _kinds(frame.types, self._species)
        elif self._types is not frame.types and not np.array_equal(self._types, frame.types):
            raise UserError(f"frame {number} has other atoms than the first", accepted="one set of atoms")
        if 0.5 * frame.box.min() < self.r[-1] - 1e-9:
            raise UserError(
                f"half the box of frame {number} is {0.5 * frame.box.min():.3f} Angstrom, "
                f"less than the grid's last point of {self.r[-1]:.3f} Angstrom",
                accepted="a smaller <max> (it is in nm), or more atoms",
            )
        longest = int(np.argmax(frame.box))
        axes = [longest, (longest + 1) % 3, (longest + 2) % 3]
        edge = frame.box[longest]
        swept = frame.positions[:, longest] - edge * np.floor(frame.positions[:, longest] / edge)
        order = np.argsort(swept)
        ordered = np.ascontiguousarray(frame.positions[order][:, axes].T)
        ordered[0] = swept[order]
        counts = np.zeros((len(self.pairs), len(self.r)), np.int64)
        first = float(self.r[0])
        count_pairs(ordered, frame.box[axes], self._kinds[order], self._rows, first, self._step, counts)
        self._counts.append(counts)
        self._volumes.append(frame.volume)

    def histograms(self) -> PairHistograms:
        """Return the counts of all frames.

        Raises
        ------
        UserError
            No frames.
        """
        if self._types is None:
            raise UserError("no frames to average over", accepted="a trajectory with at least one frame")
        numbers = [int(np.sum(self._types == name)) for name in self._species]
        norms = []
        for a, b in self.pairs:
            n_a, n_b = numbers[self._species.index(a)], numbers[self._species.index(b)]
            norms.append((2.0 if a == b else 1.0) / (n_a * n_b))
        return PairHistograms(
            self.r, self.pairs, np.stack(self._counts), np.array(self._volumes), np.array(norms)
        )


def _kinds(types: NDArray[np.str_], species: list[str]) -> NDArray[np.int64]:
    present = list(dict.fromkeys(types.tolist()))
    for name in species:
        if name not in present:
            raise UserError(
                f"no atom of type '{name}' in the trajectory",
                accepted="<type1> and <type2> among " + ", ".join(present),
            )
    index = {name: species.index(name) if name in species else len(species) for name in present}
    return np.array([index[name] for name in types.tolist()], np.int64)
