"""Errors of a one-species network with one interaction layer, by compiled sums over half pair lists."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.models.hipnn.fast import is_simple
from votca_mlp.models.hipnn.levels import LevelledHipnn
from votca_mlp.training.batches import Batch, join, one_frame
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.sums import EnvironmentSum, ForceSum
from votca_mlp.training.trainer.losses import Prediction, Residuals, compare, needs_slopes
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.training.trainer.targets import targets_of
from votca_mlp.training.virials import FULL, VirialSum


def serves(model: LevelledHipnn, frames: LabelledFrames, options: TrainOptions) -> bool:
    """Return whether compiled sums can do what is asked for."""
    simple = all(is_simple(model.network, head) for head in model.heads)
    plain = options.precision == "float32" and options.hierarchy == 0.0
    return simple and plain and len(model.numbers) == 1


class CompiledSource:
    """Errors by :mod:`votca_mlp.training.sums`.

    Parameters
    ----------
    frames, model
        One species.
    self_energies
        eV by level and atomic number.
    """

    def __init__(
        self, frames: LabelledFrames, model: LevelledHipnn, self_energies: dict[str, dict[int, float]]
    ) -> None:
        self.frames = [one_frame(frames, k, model.cutoff) for k in range(len(frames))]
        self.labels = targets_of(frames, self_energies, torch.float32)
        self.offsets = frames.offsets
        volumes = np.where(frames.pbc.all(1), np.abs(np.linalg.det(frames.cells)), np.inf)
        self.volumes = torch.from_numpy(volumes).float()

    def residuals(
        self,
        model: LevelledHipnn,
        chosen: NDArray[np.int64],
        weights: Mapping[str, LevelWeights],
        *,
        graph: bool,
    ) -> tuple[Residuals, Tensor]:
        """Return prediction minus label of the chosen frames; no hierarchicality."""
        batch = join([self.frames[k] for k in chosen])
        atoms = np.concatenate([np.arange(*self.offsets[k : k + 2]) for k in chosen])
        targets = {
            name: all_of.take(torch.from_numpy(chosen), torch.from_numpy(atoms))
            for name, all_of in self.labels.items()
        }
        wanted = {name: needs_slopes(found, weights[name]) for name, found in targets.items()}
        stressed = any(len(found.with_stress) and weights[name].stress for name, found in targets.items())
        volumes = self.volumes[torch.from_numpy(chosen)] if stressed else None
        predictions = _predict(model, batch, volumes, wanted, graph=graph)
        return compare(predictions, batch.counts, targets, weights), torch.zeros(())


def _predict(
    model: LevelledHipnn, batch: Batch, volumes: Tensor | None, wanted: dict[str, bool], *, graph: bool
) -> dict[str, Prediction]:
    """Return energies, forces and stress of each level; the environments are the same for all of them.

    volumes [n_frames] in Angstrom^3, infinite without periodic directions; None where there is no stress.
    """
    block: Any = model.network.blocks
    wrapper, *atom_layers = block[0]
    layer = wrapper.base_layer
    slopes = any(wanted.values())
    with torch.set_grad_enabled(graph or slopes):
        v, a = 1.0 / layer.sensitivity.mu[0], layer.sensitivity.sigma[0].square()
        environment = EnvironmentSum.apply(v, a, batch)  # type: ignore[no-untyped-call]
        if slopes and not environment.requires_grad:
            environment.requires_grad_(True)
        one = torch.ones(1, 1)
        inner = environment @ layer.int_weights[:, :, 0] + layer.selfint(one)
        skip = wrapper.adjust_layer(one) if wrapper.needs_size_adjust else one
        x = wrapper.res_layer(wrapper.activation(inner)) + skip
        for atom_layer in atom_layers:
            x = atom_layer(x)
        found, left = {}, sum(wanted.values())
        for name, needed in wanted.items():
            head = model.head(name)
            energy = head.layers[-1](x)
            if not head.first_is_interacting:
                energy = energy + head.layers[0](one)
            atomic = energy.squeeze(1)
            energies = torch.zeros(len(batch.counts)).index_add(0, batch.frame, atomic)
            forces = stress = None
            if needed:
                left -= 1
                (gradient,) = torch.autograd.grad(
                    atomic.sum(), environment, create_graph=graph, retain_graph=graph or left > 0
                )
                forces = ForceSum.apply(gradient, v, a, batch)  # type: ignore[no-untyped-call]
                if volumes is not None:
                    virials = VirialSum.apply(gradient, v, a, batch)  # type: ignore[no-untyped-call]
                    stress = (virials / volumes.unsqueeze(1))[:, FULL].reshape(-1, 3, 3)
            found[name] = Prediction(energies, forces, stress)
    return found
