"""What a model is to the rest of the package.

A pair-list model turns atomic numbers and the vectors of a full pair list into atomic energies. Everything
else (forces, stress, neighbour lists, the correction) is built on that once, in
:mod:`votca_mlp.evaluation.evaluator`.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class ModelSums(NamedTuple):
    """What a model gives for a configuration.

    Attributes
    ----------
    member_energies
        eV, shape [n_members].
    forces, virial
        eV/Angstrom, [n_atoms, 3]; sum of d x dE/dd over pairs, eV, [3, 3].
    closest
        (i, j, distance in Angstrom) of the closest pair, or None when no pair is within the cutoff.
    """

    member_energies: NDArray[np.float64]
    forces: NDArray[np.float64]
    virial: NDArray[np.float64]
    closest: tuple[int, int, float] | None


class PairModel(nn.Module, ABC):
    """A model on a pair list.

    Attributes
    ----------
    cutoff
        Pairs beyond it do not contribute, Angstrom.
    numbers
        Atomic numbers the model knows.
    n_members
        Size of the committee, 1 for a single model.
    """

    cutoff: float
    numbers: tuple[int, ...]
    n_members: int = 1

    def fast_evaluation(self, dtype: torch.dtype, skin: float) -> "FastEvaluation | None":
        """Return an evaluation of configurations on the CPU in ``dtype``, or None; ``skin`` in Angstrom.

        Where there is something faster than pair vectors, :meth:`energies_and_gradient` and sums. Asked for
        until there is one, which then serves every configuration: it follows the model's parameters.
        """
        return None

    def scriptable(self, dtype: torch.dtype) -> nn.Module | None:
        """Return what TorchScript can hold, None where this kind of model has nothing of that sort.

        The module goes from (numbers, first, second, vectors), as :meth:`forward` has them, to the total
        energy in eV, a scalar, on the CPU. The model may be converted in place: it is not used for anything
        else afterwards.
        """
        return None

    @property
    def interaction_layers(self) -> int:
        """Layers that hand features from atom to atom; with one an atom's energy needs its own pairs only."""
        return 1

    @abstractmethod
    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return atomic energies in eV, shape [n_members, n_atoms]; differentiable in ``vectors``.

        numbers [n_atoms]; first, second [n_pairs], every ordered pair once, sorted by first, within
        ``cutoff`` or slightly beyond (the model masks those); vectors [n_pairs, 3] = x_second - x_first +
        shift, Angstrom, in the model's dtype.
        """

    def energies_and_gradient(
        self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return atomic energies [n_members, n_atoms] and d(mean total energy)/d(vectors) [n_pairs, 3].

        This is the hot call of MD; a model overrides it when it has something faster than one backward pass.
        """
        vectors = vectors.detach().requires_grad_(True)
        energies = self(numbers, first, second, vectors)
        (gradient,) = torch.autograd.grad(energies.mean(0).sum(), vectors)
        return energies.detach(), gradient


class FastEvaluation(Protocol):
    """A model's own evaluation of a moving configuration, with a neighbour list inside.

    Where that is a :class:`votca_mlp.neighbours.skin.VerletSkin` and shows itself as the attribute ``list``,
    MD can be stopped and continued, bit for bit, at any step and not at its checkpoints only.
    """

    def sums(
        self,
        positions: NDArray[np.float64],
        cell: NDArray[np.float64],
        pbc: NDArray[np.bool_],
        numbers: NDArray[np.int64],
    ) -> ModelSums | None:
        """Return energy, forces and virial; None for a configuration that it is not made for.

        positions [n_atoms, 3] and cell [3, 3] in Angstrom; numbers [n_atoms], all of elements that the model
        knows.
        """

    def forget(self) -> None:
        """Rebuild the neighbour list at the next call."""


def state_of(parameters: tuple[Tensor, ...]) -> tuple[tuple[int, int], ...]:
    """Return what changes with every change of the parameters, for evaluations that hold a copy of them."""
    return tuple((p.data_ptr(), p._version) for p in parameters)
