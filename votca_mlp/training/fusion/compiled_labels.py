"""Labels of one species for a HIP-NN with one interaction layer, on compiled sums over pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.models.contract import PairModel
from votca_mlp.models.hipnn.model import HipnnModel
from votca_mlp.training.batches import Batch, join, make_frames
from votca_mlp.training.dataset import Dataset
from votca_mlp.training.fit import energies_and_slopes
from votca_mlp.training.fusion.labels import LabelBatch, Labels, Residuals
from votca_mlp.training.sums import ForceSum
from votca_mlp.training.virials import COLUMNS, ROWS, VirialSum


@dataclass(frozen=True)
class CompiledBatch(LabelBatch):
    """Frames side by side.

    Attributes
    ----------
    batch
        Pairs, energies, forces.
    volumes
        Angstrom^3, [n_frames].
    stress
        eV/Angstrom^3 in Voigt's order, positive in tension, nan where unknown, [n_frames, 6]; None for none.
    """

    batch: Batch
    volumes: Tensor
    stress: Tensor | None = None

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.volumes)

    def residuals(self, model: PairModel) -> Residuals:
        """Return prediction minus label by kind."""
        assert isinstance(model, HipnnModel)
        batch = self.batch
        energies, *pairs = energies_and_slopes(model, batch)
        forces = ForceSum.apply(*pairs, batch)  # type: ignore[no-untyped-call]
        found = {"energy": (energies - batch.energies) / batch.counts, "force": forces - batch.forces}
        if self.stress is not None:
            virials = VirialSum.apply(*pairs, batch)  # type: ignore[no-untyped-call]
            error = virials / self.volumes[:, None] - self.stress
            known = torch.isfinite(error)
            found["stress"] = error if bool(known.all()) else error[known]
        return found


def compiled_frames(
    dataset: Dataset, model: HipnnModel, stress: NDArray[np.float64] | None = None
) -> list[CompiledBatch]:
    """Return each frame as a batch of its own; stress in eV/Angstrom^3, [n_frames, 3, 3]."""
    frames = make_frames(dataset, model.cutoff, float(model.self_energies[0]))
    volumes = np.abs(np.linalg.det(dataset.cells))
    found = []
    for k, frame in enumerate(frames):
        tensor = None if stress is None else torch.from_numpy(stress[k][ROWS, COLUMNS]).float()[None]
        found.append(CompiledBatch(frame, torch.tensor([volumes[k]]).float(), tensor))
    return found


def joined(frames: Sequence[CompiledBatch]) -> CompiledBatch:
    """Return frames side by side."""
    stress = [frame.stress for frame in frames if frame.stress is not None]
    return CompiledBatch(
        join([frame.batch for frame in frames]),
        torch.cat([frame.volumes for frame in frames]),
        torch.cat(stress) if len(stress) == len(frames) else None,
    )


def compiled_labels(frames: Sequence[CompiledBatch], groups: NDArray[np.int64], size: int = 8) -> Labels:
    """Return labels in batches of some frames; ``groups`` numbers those that are not independent."""
    batches = [joined(frames[k : k + size]) for k in range(0, len(frames), size)]
    return Labels(batches, len(np.unique(groups)), list(frames))
