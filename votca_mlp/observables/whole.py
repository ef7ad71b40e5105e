"""Pair counts of all species to half the box, for structure factors."""

import numpy as np

from votca_mlp.observables.rdf import PairCounter, PairHistograms
from votca_mlp.trajectories.frames import Frame

STEP = 0.02
"""Angstrom: width of the bins."""


class WholeCounter:
    """Counts pairs frame by frame, to half of the smallest box of all frames."""

    def __init__(self) -> None:
        self._counters: list[PairCounter] = []

    def add(self, frame: Frame) -> None:
        """Count the pairs of the next frame.

        Raises
        ------
        UserError
            As :func:`votca_mlp.observables.rdf.pair_histograms`.
        """
        last = int((0.5 * frame.box.min() + 1e-9) / STEP)
        if not self._counters or last < len(self._counters[-1].r) - 1:
            # at constant pressure boxes shrink: a shorter range from here on, and in the end for all
            names = sorted(set(frame.types.tolist()))
            pairs = [(a, b) for number, a in enumerate(names) for b in names[number:]]
            self._counters.append(PairCounter(pairs, STEP * np.arange(last + 1, dtype=float)))
        self._counters[-1].add(frame)

    def histograms(self) -> PairHistograms:
        """Return the counts of all frames; there must be one."""
        parts = [counter.histograms() for counter in self._counters]
        bins = len(parts[-1].r)
        return PairHistograms(
            parts[-1].r,
            parts[-1].pairs,
            np.concatenate([part.counts[:, :, :bins] for part in parts]),
            np.concatenate([part.volumes for part in parts]),
            parts[-1].norms,
        )
