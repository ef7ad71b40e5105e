"""HIP-NN on rows of neighbours, differentiable twice: what hippynn's layers give, by products of matrices.

hippynn sums a product of sensitivities and features pair by pair, an array of pairs times both. With the
neighbours of an atom in a row, the sum over them is one matrix product for each atom, so that this array
never exists. N. Lubbers et al., J. Chem. Phys. 148, 241715 (2018); tensor sensitivities: M. Chigaev et al.,
J. Chem. Phys. 158, 184108 (2023).
"""

from typing import Any

import torch
from torch import Tensor

from votca_mlp.training.trainer.pair_rows import PairBatch


def features_of(network: Any, batch: PairBatch, vectors: Tensor) -> list[Tensor]:
    """Return the features of the atoms before and after each interaction, [n_atoms, n_features] each.

    Parameters
    ----------
    network
        hippynn's ``Hipnn``, ``HipnnVec`` or ``HipnnQuad``.
    vectors
        As in the batch, [n_atoms, n_row, 3], Angstrom.
    """
    atoms, row = batch.neighbours.shape
    distances = torch.linalg.vector_norm(vectors, dim=2)
    order = {"Hipnn": 0, "HipnnVec": 1, "HipnnQuad": 2}[type(network).__name__]
    angular = _angular(vectors, distances, order) if order else None
    flat = distances.reshape(-1)
    features = batch.features
    found = [features]
    for block in network.blocks:
        entrance, *atom_layers = block
        layer = entrance.base_layer if network.resnet else entrance
        sense = layer.sensitivity(flat).reshape(atoms, row, -1)
        if angular is not None:
            # [atoms, row, components, n_sensitivities]
            sense = (angular.unsqueeze(3) * sense.unsqueeze(2)).flatten(2)
        near = features[batch.neighbours.reshape(-1)].reshape(atoms, row, -1)
        middle = _interaction(layer, features, sense.transpose(1, 2) @ near, order)
        if network.resnet:
            skip = entrance.adjust_layer(features) if entrance.needs_size_adjust else features
            features = entrance.res_layer(entrance.activation(middle)) + skip
        else:
            features = network.activation(middle)
        for atom_layer in atom_layers:
            features = atom_layer(features)
            if not network.resnet:
                features = network.activation(features)
        found.append(features)
    return found


def atomic_energies(head: Any, features: list[Tensor]) -> Tensor:
    """Return atomic energies of one head without self energies, eV, [n_atoms]."""
    inputs = features[1:] if head.first_is_interacting else features
    total: Any = sum(layer(x) for layer, x in zip(head.layers, inputs, strict=True))
    atomic: Tensor = total.squeeze(1)
    return atomic


def _angular(vectors: Tensor, distances: Tensor, order: int) -> Tensor:
    """Return 1, the direction, and for order 2 five components of its traceless square, [.., .., n]."""
    unit = vectors / distances.unsqueeze(2)
    x, y, z = unit.unbind(2)
    parts = [torch.ones_like(x), x, y, z]
    if order == 2:
        third = (x * x + y * y + z * z) / 3.0
        parts += [x * x - third, x * y, x * z, y * y - third, y * z]
    return torch.stack(parts, 2)


def _interaction(layer: Any, features: Tensor, environment: Tensor, order: int) -> Tensor:
    """Return the interaction layer's output from environments [n_atoms, components x n_sensitivities, in]."""
    atoms, inputs = len(features), features.shape[1]
    weights = layer.int_weights.permute(0, 2, 1).reshape(layer.n_dist * inputs, -1)
    components = (1, 4, 9)[order]
    out = (environment.reshape(atoms * components, -1) @ weights).reshape(atoms, components, -1)
    total: Tensor = out[:, 0] + layer.selfint(features)
    if order >= 1:
        total = total + (out[:, 1:4].square().sum(1) + layer.cusp_reg).sqrt() * layer.vecscales
    if order == 2:
        # the square of a traceless symmetric tensor from five of its components
        square = 2.0 * (out[:, 4:9].square().sum(1) + out[:, 4] * out[:, 7])
        total = total + (square + layer.cusp_reg).sqrt() * layer.quadscales
    return total
