"""Errors of a network without tensors, by compiled sums over half pair lists.

The first interaction layer's features are species: with several an atom has an environment for each, e_iks,
the sum over its neighbours of species k. These sums are those of one species over rows (atom, species)
instead of atoms: a pair adds to the row of its first atom and the second one's species, and the other way
round. Later layers' features are a network's numbers, which sums multiply with
(:mod:`votca_mlp.training.feature_sums`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from votca_mlp.models.hipnn.fast import is_plain
from votca_mlp.models.hipnn.levels import LevelledHipnn
from votca_mlp.training.batches import Batch, join, one_frame
from votca_mlp.training.feature_sums import FeatureSum, Neighbours, Strength, neighbours_of
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.sums import EnvironmentSum, ForceSum
from votca_mlp.training.trainer.losses import Prediction, Residuals, compare, needs_slopes
from votca_mlp.training.trainer.network import atomic_energies
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.training.trainer.targets import targets_of
from votca_mlp.training.virials import FULL, VOIGT, VirialSum

Interaction = tuple[Tensor, Tensor, Tensor, Tensor]
"""Environments of a layer, its features, v and a of its sensitivities."""


def serves(model: LevelledHipnn, frames: LabelledFrames, options: TrainOptions) -> bool:
    """Return whether compiled sums can do what is asked for."""
    plain = all(is_plain(model.network, head) for head in model.heads)
    return plain and options.precision == "float32" and options.hierarchy == 0.0


class CompiledSource:
    """Errors by :mod:`votca_mlp.training.sums`.

    Parameters
    ----------
    frames, model
        Of :func:`serves`.
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
    blocks: Any = model.network.blocks
    slopes = any(wanted.values())
    near = neighbours_of(batch) if len(blocks) > 1 else None
    with torch.set_grad_enabled(graph or slopes):
        levels: list[Tensor] = [features]
        interactions: list[Interaction] = []
        for block in blocks:
            wrapper, *atom_layers = block
            layer, x = wrapper.base_layer, levels[-1]
            v, a = 1.0 / layer.sensitivity.mu[0], layer.sensitivity.sigma[0].square()
            if not graph:
                v, a = v.detach(), a.detach()
            if not interactions:
                environment = EnvironmentSum.apply(v, a, rows)  # type: ignore[no-untyped-call]
                weights = layer.int_weights.permute(2, 0, 1).flatten(0, 1)
            else:
                environment = FeatureSum.apply(x, v, a, near)  # type: ignore[no-untyped-call]
                weights = layer.int_weights.permute(0, 2, 1).flatten(0, 1)
            if slopes and not environment.requires_grad:
                environment.requires_grad_(True)
            interactions.append((environment, x, v, a))
            inner = environment.view(len(batch.frame), -1) @ weights + layer.selfint(x)
            skip = wrapper.adjust_layer(x) if wrapper.needs_size_adjust else x
            x = wrapper.res_layer(wrapper.activation(inner)) + skip
            for atom_layer in atom_layers:
                x = atom_layer(x)
            levels.append(x)
        found, left = {}, sum(wanted.values())
        for name, needed in wanted.items():
            atomic = atomic_energies(model.head(name), levels)
            energies = torch.zeros(len(batch.counts)).index_add(0, batch.frame, atomic)
            forces = stress = None
            if needed:
                left -= 1
                gradients = torch.autograd.grad(
                    atomic.sum(),
                    [environment for environment, *_ in interactions],
                    create_graph=graph,
                    retain_graph=graph or left > 0,
                )
                forces, stress = _slopes(interactions, gradients, batch, rows, near, volumes)
            found[name] = Prediction(energies, forces, stress)
    return found


def _slopes(
    interactions: list[Interaction],
    gradients: Sequence[Tensor],
    batch: Batch,
    rows: Batch,
    near: Neighbours | None,
    volumes: Tensor | None,
) -> tuple[Tensor, Tensor | None]:
    """Return forces and, with volumes, stress from the gradients by the environments."""
    (_, _, v, a), *later = interactions
    by_row = ForceSum.apply(gradients[0], v, a, rows)  # type: ignore[no-untyped-call]
    forces: Tensor = by_row.view(len(batch.frame), -1, 3).sum(1)
    virials = None
    if volumes is not None:
        virials = VirialSum.apply(gradients[0], v, a, rows)  # type: ignore[no-untyped-call]
    if later:
        strengths = [
            Strength.apply(gradient, x, v, a, near)  # type: ignore[no-untyped-call]
            for gradient, (_, x, v, a) in zip(gradients[1:], later, strict=True)
        ]
        pulls = torch.stack(strengths).sum(0).unsqueeze(1) * batch.directions
        forces = forces.index_add(0, batch.first, pulls).index_add(0, batch.second, -pulls)
        if virials is not None:
            tensor = (pulls / batch.inverse.unsqueeze(1)).unsqueeze(2) * batch.directions.unsqueeze(1)
            virials = virials.index_add(0, batch.frame[batch.first], tensor.flatten(1)[:, VOIGT])
    if virials is None or volumes is None:
        return forces, None
    return forces, (virials / volumes.unsqueeze(1))[:, FULL].reshape(-1, 3, 3)
