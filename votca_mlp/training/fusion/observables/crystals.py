"""Elastic tensors of crystal classes: what symmetry leaves of 21 constants, and averages over it.

The average of a tensor over the rotations of a class is the tensor of that symmetry which is nearest to it
(J. T. Browaeys and S. Chevrot, Geophys. J. Int. 159, 667 (2004)): noise that breaks the symmetry drops out,
and all elements that are equal by symmetry count.
"""

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.training.fusion.observables.voigt import QUARTICS, full_of, matrix_of


@dataclass(frozen=True)
class Crystal:
    """A crystal class, its axes along x, y and z.

    Attributes
    ----------
    rotations
        Axis and angle in degrees of rotations that generate the class.
    constants
        Elements of the matrix in Voigt's order that are named, from 1 on.
    """

    rotations: tuple[tuple[tuple[float, float, float], float], ...]
    constants: tuple[tuple[int, int], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the constants, such as C11."""
        return tuple(f"C{i}{j}" for i, j in self.constants)


_X, _Z, _DIAGONAL = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)
CRYSTALS = {
    "cubic": Crystal(((_Z, 90.0), (_DIAGONAL, 120.0)), ((1, 1), (1, 2), (4, 4))),
    "hexagonal": Crystal(((_Z, 60.0), (_X, 180.0)), ((1, 1), (3, 3), (4, 4), (1, 2), (1, 3))),
    "tetragonal": Crystal(((_Z, 90.0), (_X, 180.0)), ((1, 1), (3, 3), (4, 4), (6, 6), (1, 2), (1, 3))),
    "orthorhombic": Crystal(
        ((_Z, 180.0), (_X, 180.0)),
        ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (1, 2), (1, 3), (2, 3)),
    ),
    "triclinic": Crystal((), tuple((i + 1, j + 1) for i, j in QUARTICS)),
}
"""By name; hexagonal has its six-fold axis along z, triclinic leaves all as it is."""


def crystal_of(name: str) -> Crystal:
    """Return a crystal class by its name.

    Raises
    ------
    UserError
        An unknown one.
    """
    if name not in CRYSTALS:
        raise UserError(f"'{name}' is no crystal class", where="crystal", accepted=", ".join(CRYSTALS))
    return CRYSTALS[name]


def symmetrised(matrix: Tensor, crystal: str) -> Tensor:
    """Return the average of an elastic matrix [6, 6] over the rotations of a class, differentiable."""
    tensor = full_of(matrix)
    group = _group(crystal)
    rotated = torch.einsum("gai,gbj,gck,gdl,ijkl->abcd", group, group, group, group, tensor)
    return matrix_of(rotated / len(group))


def constants_of(matrix: Tensor, crystal: str) -> Tensor:
    """Return the named constants of a class from an elastic matrix [6, 6], averaged by symmetry."""
    average = symmetrised(matrix, crystal)
    return torch.stack([average[i - 1, j - 1] for i, j in crystal_of(crystal).constants])


def matrix_with(constants: Tensor, crystal: str) -> Tensor:
    """Return the elastic matrix [6, 6] of a class that has these named constants [n_constants]."""
    wanted = crystal_of(crystal).constants
    basis = []
    for i, j in wanted:
        one = torch.zeros(6, 6, dtype=torch.float64)
        one[i - 1, j - 1] = one[j - 1, i - 1] = 1.0
        basis.append(symmetrised(one, crystal))
    found = torch.stack(basis)
    # a constant's average has others with it: C66 of a hexagonal crystal goes with C11 and C12
    shares = torch.stack([constants_of(each, crystal) for each in found])
    return torch.einsum("k,kab->ab", torch.linalg.solve(shares.T, constants.double()), found)


@cache
def _group(crystal: str) -> Tensor:
    """Return all rotations of a class, [n_rotations, 3, 3]."""
    generators = [_rotation(axis, angle) for axis, angle in crystal_of(crystal).rotations]
    found = [torch.eye(3, dtype=torch.float64)]
    for known in found:  # grows as it is walked through
        for generator in generators:
            new = generator @ known
            if all((new - other).abs().max() > 1e-6 for other in found):
                found.append(new)
    return torch.stack(found)


def _rotation(axis: tuple[float, float, float], degrees: float) -> Tensor:
    direction = torch.tensor(axis, dtype=torch.float64)
    x, y, z = (direction / direction.norm()).tolist()
    cross = torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]], dtype=torch.float64)
    angle = math.radians(degrees)
    return torch.eye(3, dtype=torch.float64) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
