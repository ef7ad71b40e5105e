"""The side of fusion that holds a model to its DFT labels: errors, gradient, and Gauss-Newton's rows.

Everything is made of residuals over their scales: energy per atom, force components, stress components.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.models.contract import PairModel
from votca_mlp.models.hipnn.levels import LevelledHipnn
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.trainer.losses import KINDS, one_level
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.training.trainer.sources import Source, source_of

Residuals = dict[str, Tensor]
"""By kind of label (energy per atom, eV; forces, eV/Angstrom; stress, eV/Angstrom^3), any shape."""


ROWS = {"energy": 1, "force": 8, "stress": 4}
"""Random sums of a batch's residuals by kind: together several times as many as there are parameters."""


class LabelBatch:
    """Some labelled frames of which a model's residuals can be asked."""

    def residuals(self, model: PairModel) -> Residuals:
        """Return prediction minus label by kind, differentiable in the model's parameters."""
        raise NotImplementedError

    def __len__(self) -> int:
        """Return the number of frames."""
        raise NotImplementedError


@dataclass(frozen=True)
class Labels:
    """Labelled frames in batches.

    Attributes
    ----------
    batches
        All frames, each once.
    independent
        How many independent frames they are worth: frames of one group share what a model gets wrong.
    fine
        The same frames in smaller batches, for Gauss-Newton's rows; empty where ``batches`` will do.
    """

    batches: Sequence[LabelBatch]
    independent: int
    fine: Sequence[LabelBatch] = ()

    def errors(self, model: PairModel) -> dict[str, float]:
        """Return the root mean square of the residuals by kind."""
        sums: dict[str, tuple[float, int]] = {}
        for batch in self.batches:
            for name, values in batch.residuals(model).items():
                total, count = sums.get(name, (0.0, 0))
                sums[name] = total + float(values.detach().double().square().sum()), count + values.numel()
        return {name: float(np.sqrt(total / count)) for name, (total, count) in sums.items() if count}

    def counts(self, model: PairModel) -> dict[str, int]:
        """Return how many labels there are by kind."""
        found: dict[str, int] = {}
        for batch in self.batches:
            for name, values in batch.residuals(model).items():
                found[name] = found.get(name, 0) + values.numel()
        return found


@dataclass(frozen=True)
class LabelTerm:
    """chi^2 of labels: ``independent`` times the sum over kinds of the mean square residual over scale^2.

    Attributes
    ----------
    labels
        What is held.
    scales
        One standard deviation of a residual by kind: what the model had before fusion.
    counts
        Labels by kind.
    """

    labels: Labels
    scales: dict[str, float]
    counts: dict[str, int]

    def weighted(self, weights: Mapping[str, float]) -> "LabelTerm":
        """Return the term with a factor for each kind of label; 1 where there is none."""
        scales = {name: scale / weights.get(name, 1.0) ** 0.5 for name, scale in self.scales.items()}
        return replace(self, scales=scales)

    def _factors(self) -> dict[str, float]:
        n = self.labels.independent
        return {name: n / (self.counts[name] * scale**2) for name, scale in self.scales.items()}

    def value(self, errors: dict[str, float]) -> float:
        """Return chi^2 from root mean square residuals."""
        return self.labels.independent * sum((errors[k] / s) ** 2 for k, s in self.scales.items())

    def gradient(self, model: PairModel, parameters: Sequence[Tensor]) -> Tensor:
        """Return d(chi^2 / 2)/d(parameters) [n_parameters], float64."""
        total = torch.zeros(sum(p.numel() for p in parameters), dtype=torch.float64)
        factors = self._factors()
        for batch in self.labels.batches:
            residuals = batch.residuals(model)
            loss = sum((0.5 * factors[k] * r.square().sum() for k, r in residuals.items()), torch.zeros(()))
            total += flat(loss, parameters)
        return total

    def rows(self, model: PairModel, parameters: Sequence[Tensor], seed: int) -> Tensor:
        """Return rows A with A^T A near Gauss-Newton's matrix of chi^2 / 2, [n_rows, n_parameters].

        A batch gives some rows for each kind of label (:data:`ROWS`): its residuals summed up with random
        signs. The products of different residuals vanish on average over the signs, so A^T A is right on
        average (M. F. Hutchinson, Commun. Stat. Simul. Comput. 19, 433 (1990)). With fewer rows than
        parameters there are directions in which labels seem to say nothing, and steps go astray there.
        """
        return self.rows_by_kind(model, parameters, seed)[0]

    def rows_by_kind(
        self, model: PairModel, parameters: Sequence[Tensor], seed: int
    ) -> tuple[Tensor, list[str]]:
        """Return :meth:`rows`, and the kind of label of each."""
        random = torch.Generator().manual_seed(seed)
        factors, found, kinds = self._factors(), list[Tensor](), list[str]()
        for batch in self.labels.fine or self.labels.batches:
            residuals = {k: r for k, r in batch.residuals(model).items() if r.numel()}
            wanted = [(name, k) for name, values in residuals.items() for k in range(_rows_of(name, values))]
            for at, (name, _) in enumerate(wanted):
                values = residuals[name]
                signs = 2.0 * torch.randint(0, 2, values.shape, generator=random).to(values.dtype) - 1.0
                row = flat((signs * values).sum(), parameters, keep=at < len(wanted) - 1)
                found.append(row * (factors[name] / _rows_of(name, values)) ** 0.5)
                kinds.append(name)
        return torch.stack(found), kinds


def _rows_of(name: str, values: Tensor) -> int:
    # the residual itself is the exact row of a single label
    return 1 if values.numel() == 1 else min(ROWS.get(name, 1), values.numel())


def flat(value: Tensor, parameters: Sequence[Tensor], *, keep: bool = False) -> Tensor:
    """Return the gradient of a scalar as one vector, float64; zero where a parameter does not enter."""
    found = torch.autograd.grad(value, parameters, retain_graph=keep, allow_unused=True)
    parts = [
        torch.zeros(p.numel(), dtype=torch.float64) if g is None else g.detach().reshape(-1).double()
        for g, p in zip(found, parameters, strict=True)
    ]
    return torch.cat(parts)


@dataclass(frozen=True)
class SourceBatch(LabelBatch):
    """Some frames of a trainer's source; whichever kinds of labels they have count.

    Attributes
    ----------
    source, chosen
        Where labels are, and which frames.
    level
        Level of theory.
    """

    source: Source
    chosen: NDArray[np.int64]
    level: str

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.chosen)

    def residuals(self, model: PairModel) -> Residuals:
        """Return prediction minus label by kind."""
        assert isinstance(model, HipnnModel)
        weights = {self.level: LevelWeights(1.0, 1.0, 1.0)}
        found, _ = self.source.residuals(one_level(model, self.level), self.chosen, weights, graph=True)
        by_kind = found[self.level]
        return {kind: by_kind[kind] for kind in KINDS if kind in by_kind}


def labels_of(
    frames: LabelledFrames, chosen: NDArray[np.int64], model: HipnnModel, level: str, size: int = 8
) -> Labels:
    """Return labels of one level for the chosen frames, in batches of ``size`` frames.

    Frames of one group count as one independent frame; those without any label of the level are left out.
    Energies are compared with the model's self energies taken off.
    """
    has = np.any([frames.has(level, kind)[chosen] for kind in ("energies", "forces", "stress")], axis=0)
    chosen = chosen[has]
    energies = dict(zip(model.numbers, model.self_energies.tolist(), strict=True))
    levelled: LevelledHipnn = one_level(model, level)
    source = source_of(frames, levelled, {level: energies}, TrainOptions())
    batches = [SourceBatch(source, chosen[k : k + size], level) for k in range(0, len(chosen), size)]
    fine = [SourceBatch(source, chosen[k : k + 1], level) for k in range(len(chosen))]
    return Labels(batches, len(np.unique(frames.groups[chosen])), fine)
