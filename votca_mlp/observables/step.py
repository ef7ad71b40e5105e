"""Everything that is measured on the frames of one simulation, in one pass over them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.observables.low_q import LowCounter, LowFactors
from votca_mlp.observables.protocol import Observable, PerFrame, Series
from votca_mlp.observables.rdf import Pair, PairCounter, PairHistograms
from votca_mlp.observables.registry import observables
from votca_mlp.observables.whole import WholeCounter
from votca_mlp.trajectories.frames import Frame
from votca_mlp.trajectories.recorded import Recorded

Array = NDArray[np.float64]


@dataclass(frozen=True)
class StepObservables:
    """Values by frame of one simulation.

    Attributes
    ----------
    steps
        MD step of each frame, -1 where it is not known, shape [n_frames].
    histograms
        Pair counts of each frame, one for each grid that interactions have.
    series
        Values of the other observables by name; one that a frame has no value of is not there.
    whole
        Pair counts of all pairs of species to half the box, for structure factors; None where none were asked
        for.
    low
        Structure factors at the smallest wave vectors, with ``whole`` and in a cubic box.
    """

    steps: NDArray[np.int64]
    histograms: tuple[PairHistograms, ...]
    series: Mapping[str, Series]
    whole: PairHistograms | None = None
    low: LowFactors | None = None

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.steps)

    def histogram(self, pair: Pair) -> PairHistograms:
        """Return the histograms that count a pair of species; ValueError when there are none."""
        for found in self.histograms:
            if {pair, pair[::-1]} & set(found.pairs):
                return found
        raise ValueError(f"no histogram for {pair}; there are {[found.pairs for found in self.histograms]}")

    def to_half_box(self, where: str | Path) -> PairHistograms:
        """Return the pair counts to half the box.

        Parameters
        ----------
        where
            The step, for the message.

        Raises
        ------
        UserError
            A simulation of which they were not taken.
        """
        if self.whole is None:
            raise UserError(
                "the simulation has no pair counts to half the box",
                where=where,
                accepted="a step that was made with <scattering> or <window> in the settings; make it again",
            )
        return self.whole

    def at_low_q(self, where: str | Path) -> LowFactors:
        """Return the structure factors at the smallest wave vectors.

        Parameters
        ----------
        where
            The step, for the message.

        Raises
        ------
        UserError
            A simulation of which they were not taken.
        """
        if self.low is None:
            raise UserError(
                "the simulation has no structure factors at the smallest wave vectors",
                where=where,
                accepted="a cubic box, and a step made since <low_q> is known; make it again",
            )
        return self.low


def measure_frames(
    frames: Iterable[Frame],
    grids: Sequence[tuple[Sequence[Pair], Array]],
    recorded: Recorded,
    chosen: Mapping[str, Observable] | None = None,
    *,
    whole: bool = False,
) -> StepObservables:
    """Count the pairs of every frame, and measure the observables that are values of one frame.

    Parameters
    ----------
    frames
        Held in memory one at a time.
    grids
        Pairs of species and their bin centres (Angstrom, shape [n_bins]), for each grid.
    recorded
        What the engine recorded beside the frames; see :mod:`votca_mlp.trajectories.recorded`.
    chosen
        Observables by name; those of the registry when None.
    whole
        Whether to count all pairs of species to half the box.

    Raises
    ------
    UserError
        As :func:`votca_mlp.observables.rdf.pair_histograms`; an observable that fails.
    """
    counters = [PairCounter(pairs, r) for pairs, r in grids]
    of_whole, low = WholeCounter() if whole else None, LowCounter()
    known = observables() if chosen is None else chosen
    values: dict[str, list[Array]] = {
        name: [] for name, entry in known.items() if entry.per_frame is not None
    }
    steps: list[int] = []
    for frame in frames:
        for counter in counters:
            counter.add(frame)
        if of_whole is not None:
            of_whole.add(frame)
            low.add(frame)
        row = recorded.get(frame.step, {})
        for name in list(values):
            function = known[name].per_frame
            assert function is not None
            value = _value(name, function, frame, row)
            if value is None:
                del values[name]
            else:
                values[name].append(value)
        steps.append(frame.step)
    histograms = tuple(counter.histograms() for counter in counters)
    series = {name: Series(_stacked(name, rows), known[name].unit) for name, rows in values.items() if rows}
    counted = of_whole.histograms() if of_whole is not None and steps else None
    return StepObservables(np.array(steps, np.int64), histograms, series, counted, low.factors())


def _value(name: str, function: PerFrame, frame: Frame, row: Mapping[str, float]) -> Array | None:
    try:
        value = function(frame, row)
        return None if value is None else np.asarray(value, np.float64)
    except Exception as error:  # another package's code raises what it likes
        raise UserError(
            f"the observable {name} failed: {type(error).__name__}: {error}",
            where=f"MD step {frame.step}",
            accepted="a number, numbers of shape [n_values], or None for each frame",
        ) from error


def _stacked(name: str, rows: Sequence[Array]) -> Array:
    shapes = {row.shape for row in rows}
    if len(shapes) > 1 or len(rows[0].shape) > 1:
        raise UserError(
            f"the observable {name} has values of shape {', '.join(map(str, sorted(shapes)))}",
            accepted="a number, or as many numbers in every frame",
        )
    return np.stack(rows)
