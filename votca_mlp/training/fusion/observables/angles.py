"""Distribution of the angles between neighbours of an atom, by frame."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.observables.angles import angle_counts
from votca_mlp.training.fusion.observables.frames import StoredFrames, pair_chunk
from votca_mlp.training.fusion.observables.protocol import FrameObservable, Values


class AngleDistribution(FrameObservable):
    """Probability density of angles j-i-k between neighbours j, k of an atom i, per degree.

    Parameters
    ----------
    reach
        Distance up to which atoms are neighbours, Angstrom.
    bins
        Of equal width from 0 to 180 degrees.
    kinds
        Atomic numbers of the centre and of both ends; None: all.
    """

    unit = "1/degree"

    def __init__(self, reach: float, bins: int = 60, kinds: tuple[int, int, int] | None = None) -> None:
        if not reach > 0.0 or bins < 1:
            raise UserError(f"reach {reach}, {bins} bins", accepted="a distance above 0 and at least one bin")
        self.reach, self.bins, self.kinds = float(reach), int(bins), kinds
        self.width = 180.0 / bins
        self.labels = tuple(f"{self.width * (k + 0.5):.1f} degrees" for k in range(bins))
        self._key = f"angles {reach:g} {bins} {kinds}"

    def of_frames(self, frames: StoredFrames) -> Values:
        """Return the numbers of angles in the bins of each frame, [n_frames, n_values]."""
        found = np.stack([self._counts(frames.take([k])) for k in range(len(frames))])
        return {self._key: torch.from_numpy(found)}

    def _counts(self, frame: StoredFrames) -> NDArray[np.float64]:
        chunk = pair_chunk(frame, self.reach)
        numbers, first, second = (each.numpy() for each in (chunk.numbers, chunk.first, chunk.second))
        return angle_counts(numbers, first, second, chunk.vectors.numpy(), self.bins, self.kinds)

    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return the density, whose sum times the width of a bin is 1, [n_values]."""
        mean = weights @ values[self._key]
        return mean / (mean.sum() * self.width)
