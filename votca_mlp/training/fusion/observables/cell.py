"""Density and lattice constants of an ensemble at constant pressure.

The model's parameters enter through the frames' weights alone, which are those of the enthalpy U + pV.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.observables.density import density
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.observables.protocol import FrameObservable, Values

Multiples = dict[str, tuple[tuple[int, float], ...]]
"""By name of a constant: cell vectors, and how many times the constant each of them is."""


class Density(FrameObservable):
    """Mass density, kg/m3.

    Parameters
    ----------
    mass
        Of all atoms of a frame, amu.
    """

    labels, unit, held = ("density",), "kg/m3", "pressure"

    def __init__(self, mass: float) -> None:
        self.mass = float(mass)

    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return the mean density, [1]."""
        return (weights @ (density(self.mass, 1.0) / values["volume"])).reshape(1)


class LatticeConstants(FrameObservable):
    """Lattice constants from the lengths of the cell's vectors, Angstrom.

    Parameters
    ----------
    multiples
        By name of a constant the cell vectors that are multiples of it, and how many times it: the means of
        the lengths over these are averaged. An orthorhombic hexagonal cell of 4 x 2 x 3 has
        ``{"a": [(0, 4.0), (1, 2.0 * 3**0.5)], "c": [(2, 3.0)]}``.

    Raises
    ------
    UserError
        A cell vector other than 0, 1 and 2, or a multiple that is not positive.
    """

    unit, held = "Angstrom", "pressure"

    def __init__(self, multiples: Mapping[str, Sequence[tuple[int, float]]]) -> None:
        self.multiples = checked_multiples(multiples)
        self.labels = tuple(self.multiples)

    def of_frames(self, frames: StoredFrames) -> Values:
        """Return the lengths of the cell vectors, Angstrom, [n_frames, 3]."""
        return {"lengths": frames.cells.norm(dim=2)}

    def value(self, weights: Tensor, values: Values) -> Tensor:
        """Return the constants, [n_values]."""
        return _of_lengths(weights @ values["lengths"], self.multiples)


def checked_multiples(multiples: Mapping[str, Sequence[tuple[int, float]]]) -> Multiples:
    """Return multiples as :class:`LatticeConstants` has them.

    Raises
    ------
    UserError
        A cell vector other than 0, 1 and 2, or a multiple that is not positive.
    """
    for name, each in multiples.items():
        if not each or any(axis not in (0, 1, 2) or not number > 0.0 for axis, number in each):
            raise UserError(
                f"{name} is {list(each)}", where="multiples", accepted="(cell vector 0, 1 or 2, multiple > 0)"
            )
    return {name: tuple(each) for name, each in multiples.items()}


def lattice_constants(cell: Tensor, multiples: Multiples) -> Tensor:
    """Return the constants of a cell [3, 3], [n_values]; differentiable."""
    return _of_lengths(cell.norm(dim=1), multiples)


def _of_lengths(lengths: Tensor, multiples: Multiples) -> Tensor:
    found = [torch.stack([lengths[axis] / number for axis, number in each]) for each in multiples.values()]
    return torch.stack([each.mean() for each in found])
