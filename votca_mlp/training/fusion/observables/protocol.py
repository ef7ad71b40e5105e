"""What an observable of fusion is: values by frame, and from them and weights a value with its error."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from votca_mlp.ensemble.blocks import block_error
from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.observables.measured import measure

Values = dict[str, Tensor]
"""Values by frame, each [n_frames, ...]; the names of a model's quantities are the same for all observables,
so that several observables of the same frames share them."""


class FrameObservable(ABC):
    """An observable of an ensemble of frames, differentiable directly and through the frames' weights.

    Attributes
    ----------
    labels
        Of its values, [n_values].
    unit
        Of all of them.
    needs
        What it asks of the model: names of :data:`.measured.QUANTITIES`.
    held
        What the ensemble has to hold for it to be defined and to depend on the model: "volume" or "pressure".
    """

    labels: tuple[str, ...]
    unit: str
    needs: frozenset[str] = frozenset()
    held: str | None = None

    def check(self, frames: StoredFrames) -> None:  # noqa: B027  most take any frames
        """Refuse frames that the observable is not defined for.

        Raises
        ------
        UserError
            Naming what does not fit.
        """

    def of_frames(self, frames: StoredFrames) -> Values:
        """Return what the frames give without the model, by names of the observable's own."""
        return {}

    def frame_values(self, model: PairModel, frames: StoredFrames, chunk: int | None = None) -> Values:
        """Return all values by frame; see :func:`.measured.measure`, and :func:`measure_all` for several."""
        return measure_all(model, frames, [self], chunk)

    @abstractmethod
    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return the observable, [n_values], differentiable in both arguments.

        weights [n_frames] are float64 and sum to 1.
        """

    def influence(self, weights: Tensor, values: Values) -> Tensor:
        """Return how each frame moves the values: a series by frame whose mean's errors are theirs.

        It is n w_f (dO/dw_f - sum_g w_g dO/dw_g), [n_frames, n_values]: to leading order the observable, also
        a covariance, is the mean of such a series (delta method, infinitesimal jackknife; B. Efron, The
        Jackknife, the Bootstrap and Other Resampling Plans (1982), chapter 6).
        """
        leaf = weights.detach().clone().requires_grad_(True)
        fixed = {name: each.detach() for name, each in values.items()}
        with torch.enable_grad():
            found = self.value(leaf, fixed)
            columns = []
            for k in range(len(found)):
                slope = None
                if found.requires_grad:
                    (slope,) = torch.autograd.grad(found[k], leaf, retain_graph=True, allow_unused=True)
                columns.append(torch.zeros_like(leaf) if slope is None else slope)
        slopes = torch.stack(columns, 1)
        share = weights.detach().unsqueeze(1)
        return (len(weights) * share * (slopes - (share * slopes).sum(0))).detach()

    def error(self, weights: Tensor, values: Values) -> Tensor:
        """Return the standard errors of the values, float64, [n_values]; nan where the frames are too few.

        By blocking of the series :meth:`influence`, so that correlated frames and uneven weights count as
        what they are worth. The error of the weights themselves, which come from the same frames, is left
        out.
        """
        series = self.influence(weights, values).numpy()
        errors = [block_error(np.ascontiguousarray(column)) for column in series.T]
        return torch.tensor([np.nan if error is None else error for error in errors], dtype=torch.float64)


def measure_all(
    model: PairModel, frames: StoredFrames, observables: Sequence[FrameObservable], chunk: int | None = None
) -> Values:
    """Return values by frame for several observables, the energy (for weights) always among them.

    One evaluation of the model serves all. Differentiable in the parameters that require a gradient, with
    memory bounded by ``chunk`` frames.

    Raises
    ------
    UserError
        Frames that one of the observables is not defined for.
    """
    for observable in observables:
        observable.check(frames)
    needs = {"energy"}.union(*(observable.needs for observable in observables))
    found = measure(model, frames, needs, chunk)
    for observable in observables:
        found |= observable.of_frames(frames)
    return found


def uniform(frames: StoredFrames) -> Tensor:
    """Return equal weights, [n_frames]."""
    return torch.full((len(frames),), 1.0 / len(frames), dtype=torch.float64)
