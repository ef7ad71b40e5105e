"""One HIP-NN for several levels of theory: a shared network, and an energy head for each level.

M. Messerly et al., "Multi-fidelity learning for interatomic potentials: Low-level forces and high-level
energies are all you need" (2025): what the levels have in common is in the network, what sets them apart is
in their heads and self energies.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.model import HipnnModel, build_network, head_of

SEPARATE, ADDED = HEADS = ("separate", "added")
"""Each level has a head of its own; or the first level's, to which the others add one of their own."""


class _Sum(nn.Module):
    """The sum of two linear layers with the same input."""

    def __init__(self, base: nn.Module, own: nn.Module) -> None:
        super().__init__()
        self.base, self.own = base, own

    def forward(self, x: Tensor) -> Tensor:
        """Return energies of atoms, shape [n_atoms, 1]."""
        total: Tensor = self.base(x) + self.own(x)
        return total


class AddedHead(nn.Module):
    """The sum of two heads, with the attributes of ``HEnergy`` that the package reads."""

    def __init__(self, base: Any, own: Any) -> None:
        super().__init__()
        self.first_is_interacting = base.first_is_interacting
        self.layers = nn.ModuleList(_Sum(b, o) for b, o in zip(base.layers, own.layers, strict=True))


class LevelledHipnn(nn.Module):
    """A HIP-NN with heads by level.

    Parameters
    ----------
    network
        hippynn's ``Hipnn``, ``HipnnVec`` or ``HipnnQuad``.
    heads
        hippynn's ``HEnergy`` of each level, output in eV.
    levels
        Names of the levels of theory, in the order of the heads.
    species
        Atomic numbers in the order of the one-hot features.
    self_energies
        eV, shape [n_levels, n_species].
    kind
        ``separate`` or ``added``, see :data:`HEADS`.
    """

    self_energies: Tensor

    def __init__(
        self,
        network: nn.Module,
        heads: Sequence[nn.Module],
        levels: Sequence[str],
        species: Sequence[int],
        self_energies: Tensor,
        kind: str = SEPARATE,
    ) -> None:
        super().__init__()
        self.network, self.heads = network, nn.ModuleList(heads)
        self.levels, self.numbers, self.kind = tuple(levels), tuple(int(z) for z in species), kind
        self.cutoff = float(network.dist_hard_max)  # type: ignore[arg-type]
        self.register_buffer("self_energies", self_energies.detach().double().clone())
        self.provenance: dict[str, Any] = {}

    def head(self, level: str) -> Any:
        """Return the energy layer of a level, made of the parameters that training changes."""
        k = self.levels.index(level)
        own = self.heads[k]
        return AddedHead(self.heads[0], own) if self.kind == ADDED and k else own

    def at(self, level: str | None = None) -> HipnnModel:
        """Return the model of one level, which shares the parameters and follows them.

        Raises
        ------
        UserError
            None where there are several levels, or one that is not among them.
        """
        level = level_of(self.levels, level)
        energies = self.self_energies[self.levels.index(level)]
        model = HipnnModel(self.network, self.head(level), self.numbers, energies)
        model.provenance, model.level = self.provenance, level
        return model

    def alone(self, level: str | None = None) -> HipnnModel:
        """Return the model of one level with a plain head, which compiled code and exports take.

        The network is shared; an added head is summed up, and so does not follow later training.

        Raises
        ------
        UserError
            As :meth:`at`.
        """
        model = self.at(level)
        if isinstance(model.energy, AddedHead):
            added: Any = model.energy.layers
            summed: Any = head_of(self.network, model.energy.first_is_interacting)
            summed.to(next(self.network.parameters()).dtype)
            with torch.no_grad():
                for layer, pair in zip(summed.layers, added, strict=True):
                    layer.weight.copy_(pair.base.weight + pair.own.weight)
                    if layer.bias is not None:
                        layer.bias.copy_(pair.base.bias + pair.own.bias)
            model.energy = summed
        return model


def build_levels(
    hyperparameters: dict[str, Any], species: tuple[int, ...], levels: Sequence[str], kind: str = SEPARATE
) -> LevelledHipnn:
    """Return an untrained HIP-NN with a head for each level, self energies zero.

    Heads start from random numbers of their own; an added one starts from zero. The part of a head that acts
    on bare species starts from zero, too: that is what self energies are for.

    Parameters
    ----------
    hyperparameters
        As :func:`votca_mlp.models.hipnn.model.build_hipnn`.

    Raises
    ------
    UserError
        A kind of heads that does not exist, no level, a level twice.
    """
    if kind not in HEADS:
        raise UserError(f"'{kind}' is no kind of heads", where="heads", accepted=" or ".join(HEADS))
    if not levels or len(set(levels)) != len(levels):
        what = f"the levels are {', '.join(levels) or 'none'}"
        raise UserError(what, where="levels", accepted="one or several names, each once")
    network, interacting = build_network(hyperparameters, species)
    heads: list[Any] = [head_of(network, interacting) for _ in levels]
    with torch.no_grad():
        for k, head in enumerate(heads):
            for number, layer in enumerate(head.layers):
                if (kind == ADDED and k) or (number == 0 and not interacting):
                    for parameter in layer.parameters():
                        parameter.zero_()
    zeros = torch.zeros(len(levels), len(species))
    return LevelledHipnn(network, heads, levels, species, zeros, kind)


def level_of(levels: Sequence[str], level: str | None, *, where: str = "level") -> str:
    """Return the level that is meant: the only one where none is named.

    Raises
    ------
    UserError
        None where there are several, or one that is not among them.
    """
    accepted = ", ".join(levels)
    if level is None:
        if len(levels) == 1:
            return levels[0]
        what = "the model has several levels of theory, and none is named"
        raise UserError(what, where=where, accepted=accepted)
    if level not in levels:
        raise UserError(f"the model has no level '{level}'", where=where, accepted=accepted)
    return level
