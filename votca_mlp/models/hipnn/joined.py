"""Several HIP-NN side by side in one network: the sum of their energies is again a HIP-NN.

Features and sensitivities of the parts stand beside each other, and every matrix has the parts' matrices
on its diagonal, so that no part sees another. What runs or exports a HIP-NN takes the sum as any other.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.levels import LevelledHipnn
from votca_mlp.models.hipnn.model import HipnnModel, build_network, head_of, hyperparameters_of


def joined(parts: Sequence[HipnnModel], levels: Mapping[str, Sequence[int]]) -> LevelledHipnn:
    """Return one model whose levels are sums of parts.

    Parameters
    ----------
    parts
        With the same hyperparameters and species; they stay as they are.
    levels
        By the name of a level: the parts whose energies it is the sum of, self energies included.

    Raises
    ------
    UserError
        Parts that differ in size or species; sizes that :func:`refuse_sizes` refuses.
    """
    known = hyperparameters_of(parts[0])
    species = parts[0].numbers
    for part in parts[1:]:
        if hyperparameters_of(part) != known or part.numbers != species:
            what = "networks of different hyperparameters or species are to be joined"
            raise UserError(what, where="network", accepted="the same of both")
    count = len(parts)
    refuse_sizes(known, len(species), count)
    sizes = known["n_features"]
    wide = {
        **known,
        "n_features": count * sizes if isinstance(sizes, int) else [count * size for size in sizes],
        "n_sensitivities": count * known["n_sensitivities"],
    }
    network: Any
    network, interacting = build_network(wide, species)
    network.to(next(parts[0].network.parameters()).dtype)
    heads: list[Any] = [head_of(network, interacting) for _ in levels]
    energies = torch.zeros(len(levels), len(species), dtype=torch.float64)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        for k, part in enumerate(parts):
            for number, (block, own) in enumerate(zip(network.blocks, _blocks(part), strict=True)):
                _place_block(block, own, k, count, resnet=network.resnet, first=number == 0)
        for row, (head, members) in enumerate(zip(heads, levels.values(), strict=True)):
            head.to(next(parts[0].network.parameters()).dtype)
            _fill_head(head, [part.energy for part in parts], members)
            energies[row] = sum(parts[k].self_energies.double() for k in members)
    return LevelledHipnn(network, heads, tuple(levels), species, energies)


def refuse_sizes(hyperparameters: Mapping[str, Any], species: int, count: int) -> None:
    """Refuse sizes of which ``count`` networks cannot stand side by side.

    Raises
    ------
    UserError
        As many species as features of all parts: the joined network would have no layer between them.
    """
    sizes = hyperparameters["n_features"]
    width = count * (sizes if isinstance(sizes, int) else sizes[0])
    if width == species or not isinstance(hyperparameters.get("resnet", True), bool):
        raise UserError(
            f"{count} networks with {sizes} features cannot be joined to one for {species} species",
            where="network.n_features",
            accepted="another number of features, or another method than difference",
        )


def _blocks(part: HipnnModel) -> Any:
    return part.network.blocks


def _rows(k: int, count: int, size: int) -> slice:
    """Return where part k is in a dimension of this size."""
    return slice(k * size // count, (k + 1) * size // count)


def _place(wide: Tensor, own: Tensor, k: int, count: int, *, shared: int | None = None) -> None:
    """Write a part's tensor into its place along every dimension but one that all parts share."""
    at = tuple(
        slice(None) if axis == shared else _rows(k, count, size) for axis, size in enumerate(wide.shape)
    )
    wide[at] = own


def _place_block(block: Any, own: Any, k: int, count: int, *, resnet: bool, first: bool) -> None:
    """Write a part's interaction and atom layers into the wide block; species are shared by all parts."""
    for number, (wide, narrow) in enumerate(zip(block, own, strict=True)):
        entrance = first and number == 0
        if resnet:
            _place(wide.res_layer.weight, narrow.res_layer.weight, k, count)
            _place(wide.res_layer.bias, narrow.res_layer.bias, k, count)
            if wide.needs_size_adjust:
                skip = narrow.adjust_layer.weight if narrow.needs_size_adjust else None
                inputs = narrow.base_layer.nf_in
                skip = torch.eye(inputs, dtype=wide.res_layer.weight.dtype) if skip is None else skip
                _place(wide.adjust_layer.weight, skip, k, count, shared=1 if entrance else None)
            wide, narrow = wide.base_layer, narrow.base_layer
        if number:
            _place(wide.weight, narrow.weight, k, count)
            _place(wide.bias, narrow.bias, k, count)
            continue
        _place(wide.sensitivity.mu, narrow.sensitivity.mu, k, count, shared=0)
        _place(wide.sensitivity.sigma, narrow.sensitivity.sigma, k, count, shared=0)
        _place(wide.int_weights, narrow.int_weights, k, count, shared=2 if entrance else None)
        _place(wide.selfint.weight, narrow.selfint.weight, k, count, shared=1 if entrance else None)
        _place(wide.selfint.bias, narrow.selfint.bias, k, count)
        for name in ("vecscales", "quadscales"):
            if hasattr(narrow, name):
                _place(getattr(wide, name), getattr(narrow, name), k, count)


def _fill_head(head: Any, owns: Sequence[Any], members: Sequence[int]) -> None:
    """Write the members' heads beside each other; the others have no weight."""
    for number, layer in enumerate(head.layers):
        shared = number == 0 and not head.first_is_interacting
        for parameter in layer.parameters():
            parameter.zero_()
        for k in members:
            narrow = owns[k].layers[number]
            at = slice(None) if shared else _rows(k, len(owns), layer.weight.shape[1])
            layer.weight[:, at] += narrow.weight
            if layer.bias is not None:
                layer.bias += narrow.bias
