"""Errors of a network with one interaction layer, by compiled sums over half pair lists.

With several species an atom has an environment for each: e_iks, the sum over its neighbours of species k. The
sums are those of one species over rows (atom, species) instead of atoms: a pair adds to the row of its first
atom and the second one's species, and the other way round.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.models.hipnn.fast import is_shallow
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
    shallow = all(is_shallow(model.network, head) for head in model.heads)
    return shallow and options.precision == "float32" and options.hierarchy == 0.0


class CompiledSource:
    """Errors by :mod:`votca_mlp.training.sums`.

    Parameters
    ----------
    frames, model
        One interaction layer.
    self_energies
        eV by level and atomic number.
    """

    def __init__(
        self, frames: LabelledFrames, model: LevelledHipnn, self_energies: dict[str, dict[int, float]]
    ) -> None:
        self.frames = [one_frame(frames, k, model.cutoff) for k in range(len(frames))]
        self.labels = targets_of(frames, self_energies, torch.float32)
        self.offsets, self.species = frames.offsets, len(model.numbers)
        self.kinds = torch.from_numpy(np.searchsorted(model.numbers, frames.numbers))
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
        # a number that is the same for all atoms is kept once
        features = torch.ones(1, 1)
        if self.species > 1:
            kinds = self.kinds[torch.from_numpy(atoms)]
            features = torch.nn.functional.one_hot(kinds, self.species).float()
            rows = by_species(batch, kinds, self.species)
        else:
            rows = batch
        predictions = _predict(model, batch, rows, features, volumes, wanted, graph=graph)
        return compare(predictions, batch.counts, targets, weights), torch.zeros(())


def by_species(batch: Batch, kinds: Tensor, species: int) -> Batch:
    """Return a batch's pairs by rows of number atom x species + neighbour's species; kinds [n_atoms]."""
    return replace(
        batch,
        first=batch.first * species + kinds[batch.second],
        second=batch.second * species + kinds[batch.first],
        frame=batch.frame.repeat_interleave(species),
    )


def _predict(
    model: LevelledHipnn,
    batch: Batch,
    rows: Batch,
    features: Tensor,
    volumes: Tensor | None,
    wanted: dict[str, bool],
    *,
    graph: bool,
) -> dict[str, Prediction]:
    """Return energies, forces and stress of each level; the environments are the same for all of them.

    rows are the batch's pairs by atom and species; features [n_atoms, n_species], or 1 for one species;
    volumes [n_frames] in Angstrom^3, infinite without periodic directions; None where there is no stress.
    """
    block: Any = model.network.blocks
    wrapper, *atom_layers = block[0]
    layer = wrapper.base_layer
    slopes = any(wanted.values())
    with torch.set_grad_enabled(graph or slopes):
        v, a = 1.0 / layer.sensitivity.mu[0], layer.sensitivity.sigma[0].square()
        environment = EnvironmentSum.apply(v, a, rows)  # type: ignore[no-untyped-call]
        if slopes and not environment.requires_grad:
            environment.requires_grad_(True)
        weights = layer.int_weights.permute(2, 0, 1).flatten(0, 1)
        inner = environment.view(len(batch.frame), -1) @ weights + layer.selfint(features)
        skip = wrapper.adjust_layer(features) if wrapper.needs_size_adjust else features
        x = wrapper.res_layer(wrapper.activation(inner)) + skip
        for atom_layer in atom_layers:
            x = atom_layer(x)
        found, left = {}, sum(wanted.values())
        for name, needed in wanted.items():
            head = model.head(name)
            energy = head.layers[-1](x)
            if not head.first_is_interacting:
                energy = energy + head.layers[0](features)
            atomic = energy.squeeze(1)
            energies = torch.zeros(len(batch.counts)).index_add(0, batch.frame, atomic)
            forces = stress = None
            if needed:
                left -= 1
                (gradient,) = torch.autograd.grad(
                    atomic.sum(), environment, create_graph=graph, retain_graph=graph or left > 0
                )
                by_row = ForceSum.apply(gradient, v, a, rows)  # type: ignore[no-untyped-call]
                forces = by_row.view(len(batch.frame), -1, 3).sum(1)
                if volumes is not None:
                    virials = VirialSum.apply(gradient, v, a, rows)  # type: ignore[no-untyped-call]
                    stress = (virials / volumes.unsqueeze(1))[:, FULL].reshape(-1, 3, 3)
            found[name] = Prediction(energies, forces, stress)
    return found
