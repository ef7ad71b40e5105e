"""HIP-NN on rows of neighbours, differentiable twice: what hippynn's layers give, by products of matrices.

hippynn sums a product of sensitivities and features pair by pair, an array of pairs times both. With the
neighbours of an atom in a row, the sum over them is one matrix product for each atom, so that this array
never exists. N. Lubbers et al., J. Chem. Phys. 148, 241715 (2018); tensor sensitivities: M. Chigaev et al.,
J. Chem. Phys. 158, 184108 (2023).

Positions enter through sensitivities and directions alone. The energy's derivative by these, times theirs by
the distance, gives forces: the second derivative that training needs never goes through the exponentials.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from votca_mlp.training.trainer.pair_rows import PairBatch

_ORDERS = {"Hipnn": 0, "HipnnVec": 1, "HipnnQuad": 2}


@dataclass(frozen=True)
class Features:
    """What a network makes of a batch.

    Attributes
    ----------
    levels
        Features of the atoms before and after each interaction, [n_atoms, n_features] each.
    senses, slopes
        Sensitivities of each interaction and their derivatives by the distance, [n_atoms, n_row, n] each.
    angular
        1, the direction and five components of its traceless square, as far as the network's order goes,
        [n_atoms, n_row, 1, 4 or 9]; None for order 0.
    """

    levels: list[Tensor]
    senses: list[Tensor]
    slopes: list[Tensor]
    angular: Tensor | None

    def vector_slopes(self, atomic: Tensor, batch: PairBatch, *, graph: bool, keep: bool) -> Tensor:
        """Return d(sum of atomic energies)/d(vectors), eV/Angstrom, [n_atoms, n_row, 3]."""
        inputs = [*self.senses, *([] if self.angular is None else [self.angular])]
        found = torch.autograd.grad(atomic.sum(), inputs, create_graph=graph, retain_graph=graph or keep)
        products = [(g * slope).sum(2) for g, slope in zip(found, self.slopes, strict=False)]
        total = torch.stack(products).sum(0).unsqueeze(2) * batch.directions
        if self.angular is not None:
            # [.., 1, components] x [.., components, 3]
            by_angle = found[-1].unsqueeze(2) @ _angular_slopes(batch, self.angular.shape[2])
            total = total + by_angle.squeeze(2)
        return total


def features_of(network: Any, batch: PairBatch, *, derivatives: bool) -> Features:
    """Return the features of the atoms, and where ``derivatives`` what forces are made of.

    ``network`` is hippynn's ``Hipnn``, ``HipnnVec`` or ``HipnnQuad``.
    """
    atoms, row = batch.neighbours.shape
    order = _ORDERS[type(network).__name__]
    angular = _angular(batch.directions, order).requires_grad_(derivatives) if order else None
    features = batch.features
    result = Features([features], [], [], angular)
    for block in network.blocks:
        entrance, *atom_layers = block
        layer = entrance.base_layer if network.resnet else entrance
        sense, slope = _sensitivities(layer.sensitivity, batch, derivatives=derivatives)
        result.senses.append(sense)
        result.slopes.append(slope)
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
        result.levels.append(features)
    return result


def atomic_energies(head: Any, levels: list[Tensor]) -> Tensor:
    """Return atomic energies of one head without self energies, eV, [n_atoms]."""
    inputs = levels[1:] if head.first_is_interacting else levels
    total: Any = sum(layer(x) for layer, x in zip(head.layers, inputs, strict=True))
    atomic: Tensor = total.squeeze(1)
    return atomic


def _sensitivities(module: Any, batch: PairBatch, *, derivatives: bool) -> tuple[Tensor, Tensor]:
    """Return s(r) = exp(-a (1/r - v)^2 / 2) cut(r) and ds/dr, with v = 1/mu and a = sigma^2 of hippynn."""
    v, a = 1.0 / module.mu[0], module.sigma[0].square()
    away = batch.inverse - v
    bell = torch.exp(-0.5 * a * away.square())
    sense = bell * batch.cut
    if not derivatives:
        return sense, sense
    if not sense.requires_grad:
        # the network may be held
        sense.requires_grad_(True)
    return sense, bell * (a * away * (batch.cut * batch.inverse.square()) + batch.cut_slope)


def _angular(unit: Tensor, order: int) -> Tensor:
    """Return 1, the direction, and for order 2 five components of its traceless square, [.., .., n]."""
    x, y, z = unit.unbind(2)
    parts = [torch.ones_like(x), x, y, z]
    if order == 2:
        third = 1.0 / 3.0
        parts += [x * x - third, x * y, x * z, y * y - third, y * z]
    return torch.stack(parts, 2)


def _angular_slopes(batch: PairBatch, components: int) -> Tensor:
    """Return the derivatives of :func:`_angular` by the vectors, [n_atoms, n_row, components, 3]."""
    unit = batch.directions
    turn = torch.eye(3, dtype=unit.dtype) - unit.unsqueeze(3) * unit.unsqueeze(2)
    turn = turn * batch.inverse.unsqueeze(3)
    parts = [torch.zeros_like(turn[:, :, :1]), turn]
    if components == 9:
        pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2))
        squares = [
            turn[:, :, i] * unit[:, :, j, None] + turn[:, :, j] * unit[:, :, i, None] for i, j in pairs
        ]
        parts.append(torch.stack(squares, 2))
    return torch.cat(parts, 2)


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
