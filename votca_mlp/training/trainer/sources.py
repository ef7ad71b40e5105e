"""Where the loop gets a model's errors from: pair rows for every network, compiled sums where they serve."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.models.hipnn.levels import LevelledHipnn
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.trainer.losses import Residuals, compare, needs_slopes, predict
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.training.trainer.pair_rows import PairRows

Weights = Mapping[str, LevelWeights]
Energies = dict[str, dict[int, float]]


class Source(Protocol):
    """Labelled frames of which a model's errors are asked, batch by batch."""

    def residuals(
        self, model: LevelledHipnn, chosen: NDArray[np.int64], weights: Weights, *, graph: bool
    ) -> tuple[Residuals, Tensor]:
        """Return prediction minus label of the chosen frames, and the sum of the heads' hierarchicality."""


class RowsSource:
    """Errors by :mod:`votca_mlp.training.trainer.network`, for every network and kind of label."""

    def __init__(
        self,
        frames: LabelledFrames,
        model: LevelledHipnn,
        self_energies: Energies,
        dtype: torch.dtype,
        *,
        hierarchy: bool = False,
    ) -> None:
        self.rows = PairRows(frames, model.numbers, model.cutoff, self_energies, dtype)
        self.hierarchy = hierarchy

    def residuals(
        self, model: LevelledHipnn, chosen: NDArray[np.int64], weights: Weights, *, graph: bool
    ) -> tuple[Residuals, Tensor]:
        """Return prediction minus label of the chosen frames, and the sum of the heads' hierarchicality."""
        batch = self.rows.batch(chosen)
        wanted = {name: needs_slopes(found, weights[name]) for name, found in batch.targets.items()}
        predicted = predict(model, batch, wanted, graph=graph, hierarchy=self.hierarchy)
        orders = [one.hierarchy for one in predicted.values() if one.hierarchy is not None]
        total = torch.stack(orders).sum() if orders else torch.zeros(())
        return compare(predicted, batch.counts, batch.targets, weights), total


def source_of(
    frames: LabelledFrames, model: LevelledHipnn, self_energies: Energies, options: TrainOptions
) -> Source:
    """Return the fastest source that serves this network and these labels."""
    from votca_mlp.training.trainer.compiled import CompiledSource, serves

    if options.compiled and serves(model, frames, options):
        return CompiledSource(frames, model, self_energies)
    dtype = getattr(torch, options.precision)
    return RowsSource(frames, model, self_energies, dtype, hierarchy=options.hierarchy > 0.0)
