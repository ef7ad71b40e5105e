"""What an observable is: values by frame, and from them mean, error and covariance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.ensemble.blocks import block_error
from votca_mlp.ensemble.covariance import covariance, covariance_error
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.trajectories.frames import Frame

Array = NDArray[np.float64]

PerFrame = Callable[[Frame, Mapping[str, float]], float | Array | None]
"""From a frame, and what the engine recorded at its time step by name (such as ``potential[eV]``), to a
value, or values of shape [n_values]; None where it has not what is needed."""


@dataclass(frozen=True)
class Observable:
    """An entry of the registry; its name is the key.

    Attributes
    ----------
    unit
        Of its values.
    meaning
        One sentence.
    affects
        What a change of its options affects, in a few words.
    options
        Tags of the engine's section of settings.xml that shape it, and the simulation does not.
    per_frame
        Its value in one frame. Both loops measure it on every frame of every step, so it has to be cheap.
        None for what needs more than one frame, or a grid.
    """

    unit: str
    meaning: str
    affects: str = "the values by frame"
    options: tuple[str, ...] = ()
    per_frame: PerFrame | None = None


@dataclass(frozen=True)
class Series:
    """Values of an observable by frame.

    Attributes
    ----------
    values
        Shape [n_frames], or [n_frames, n_values].
    unit
        Of the values.
    """

    values: Array
    unit: str

    def mean(self, weights: Array | None = None) -> Array:
        """Return the mean over the frames, shape [] or [n_values]; weights sum to 1, shape [n_frames]."""
        return np.asarray(self.values.mean(axis=0) if weights is None else weights @ self.values)

    def error(self) -> Array:
        """Return the standard error of the mean by blocking, shape [] or [n_values]; nan when too short."""
        columns = self.values.reshape(len(self.values), -1).T
        errors = [block_error(column) for column in columns]
        found = np.array([np.nan if error is None else error for error in errors])
        return found.reshape(self.values.shape[1:])

    def estimate(self) -> Estimate:
        """Return mean and error of a single value."""
        return Estimate(float(self.mean()), float(self.error()))

    def covariance(self, other: "Series", weights: Array | None = None) -> Array:
        """Return the covariance with another observable of the same frames, shape [n_values, n_values]."""
        return covariance(self.values, other.values, weights)

    def covariance_error(self, other: "Series", blocks: int = 10) -> Array:
        """Return the standard error of the covariance; see :func:`votca_mlp.ensemble.covariance`."""
        return covariance_error(self.values, other.values, blocks)
