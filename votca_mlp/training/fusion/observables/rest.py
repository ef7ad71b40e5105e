"""Observables of fixed configurations: no ensemble, no statistical error; the model enters directly."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.observables.cell import checked_multiples, lattice_constants
from votca_mlp.training.fusion.observables.crystals import crystal_of
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.observables.measured import measure
from votca_mlp.training.fusion.observables.static import cold_elastic_constants, energy_difference

LARGEST_STRAIN = 0.02
"""Of one step towards the cell without stress."""
STEPS = 30
SMALLEST_STRAIN = 1e-9
"""Where a crystal counts as at rest."""


class RestObservable(ABC):
    """An observable of fixed configurations.

    Attributes
    ----------
    labels
        Of its values, [n_values].
    unit
        Of all of them.
    frames
        The configurations.
    """

    labels: tuple[str, ...]
    unit: str
    frames: tuple[StoredFrames, ...]

    @abstractmethod
    def value(self, model: PairModel) -> Tensor:
        """Return the observable, float64, [n_values], differentiable in the model's parameters.

        Raises
        ------
        UserError
            A configuration that it is not defined for with this model.
        """


class EnergyDifference(RestObservable):
    """Energy per atom of the second configuration less that of the first, eV/atom."""

    labels, unit = ("energy",), "eV/atom"

    def __init__(self, first: StoredFrames, second: StoredFrames) -> None:
        self.first, self.second = self.frames = first, second

    def value(self, model: PairModel) -> Tensor:
        """Return the difference, [1]."""
        return energy_difference(model, self.first, self.second)


class ColdElasticConstants(RestObservable):
    """Elastic constants of a crystal class at 0 K, eV/Angstrom^3; see :mod:`.static`."""

    unit = "eV/Angstrom^3"

    def __init__(self, crystal: StoredFrames, name: str) -> None:
        self.frames, self.name = (crystal,), name
        self.labels = crystal_of(name).labels

    def value(self, model: PairModel) -> Tensor:
        """Return the constants, [n_values]."""
        return cold_elastic_constants(model, self.frames[0], self.name)


class ColdLattice(RestObservable):
    """Lattice constants of a crystal at 0 K and no pressure, Angstrom.

    The edges of the cell are strained along x, y and z until they feel no stress (Newton's method), with the
    atoms on their sites: a crystal whose atoms do not move under such strains, as cubic and hexagonal ones.

    Parameters
    ----------
    crystal
        One frame, to begin at.
    multiples
        As of :class:`.cell.LatticeConstants`.
    """

    unit = "Angstrom"

    def __init__(self, crystal: StoredFrames, multiples: Mapping[str, Sequence[tuple[int, float]]]) -> None:
        self.frames, self.multiples = (crystal,), checked_multiples(multiples)
        self.labels = tuple(self.multiples)

    def value(self, model: PairModel) -> Tensor:
        """Return the constants, [n_values]."""
        crystal = self.frames[0]
        for _ in range(STEPS):
            with torch.no_grad():
                found = measure(model, crystal, ("virial", "born"))
            # Hooke's matrix of a cell that is not at rest differs from this one: the steps are Newton's at
            # the end alone, and there the strain's derivative by the parameters is exact
            stiffness, strain = found["born"][0, :3, :3], -found["virial"][0, :3]
            strain = torch.linalg.lstsq(stiffness, strain.unsqueeze(1)).solution.squeeze(1)
            if not bool(torch.isfinite(strain).all()):
                break
            if float(strain.abs().max()) < SMALLEST_STRAIN:
                if float(torch.linalg.eigvalsh(stiffness).min()) <= 0.0:
                    break
                virial = measure(model, crystal, ("virial",))["virial"][0, :3]
                change = -torch.linalg.solve(stiffness, virial)
                return lattice_constants(_stretched(crystal, 1.0 + change)[0], self.multiples)
            factors = 1.0 + strain.clamp(-LARGEST_STRAIN, LARGEST_STRAIN)
            cells = _stretched(crystal, factors)
            crystal = StoredFrames(crystal.numbers, crystal.positions * factors, cells)
        raise UserError(
            "the crystal finds no cell without stress", accepted="a start near the model's lattice at 0 K"
        )


def _stretched(crystal: StoredFrames, factors: Tensor) -> Tensor:
    """Return the cells stretched along x, y and z, [n_frames, 3, 3]."""
    return crystal.cells * factors
