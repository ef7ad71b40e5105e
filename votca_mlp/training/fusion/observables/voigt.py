"""Tensors in Voigt's order: xx, yy, zz, yz, xz, xy.

Strains are engineering strains, eta_4 = 2 eta_yz, so that dU/d(eta_I) is the element of a stress and
d2U/d(eta_I)d(eta_J) that of an elastic tensor, both without factors of 2.
"""

import torch
from torch import Tensor

PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
"""Indices of the tensor by Voigt's."""

LABELS = ("xx", "yy", "zz", "yz", "xz", "xy")

QUARTICS = tuple((i, j) for i in range(6) for j in range(i, 6))
"""Elements I <= J of a symmetric 6 x 6 tensor, 21 of them."""


def tensor_of(voigt: Tensor, *, strain: bool = False) -> Tensor:
    """Return symmetric tensors [..., 3, 3] of six elements [..., 6], which are engineering strains or not."""
    found = voigt.new_zeros(*voigt.shape[:-1], 3, 3)
    for k, (i, j) in enumerate(PAIRS):
        value = 0.5 * voigt[..., k] if strain and i != j else voigt[..., k]
        found[..., i, j] = value
        found[..., j, i] = value
    return found


def dyads_of(vectors: Tensor) -> Tensor:
    """Return d_i d_j of vectors [..., 3] in Voigt's order, [..., 6]."""
    rows, columns = (list(each) for each in zip(*PAIRS, strict=True))
    return vectors[..., rows] * vectors[..., columns]


def full_of(matrix: Tensor) -> Tensor:
    """Return the tensor [3, 3, 3, 3] of a symmetric matrix [6, 6]."""
    index = torch.empty(3, 3, dtype=torch.long)
    for k, (i, j) in enumerate(PAIRS):
        index[i, j] = index[j, i] = k
    flat = index.flatten()
    return matrix[flat][:, flat].reshape(3, 3, 3, 3)


def matrix_of(tensor: Tensor) -> Tensor:
    """Return the matrix [6, 6] of a tensor [3, 3, 3, 3] that has the symmetries of an elastic one."""
    flat = torch.tensor([3 * i + j for i, j in PAIRS])
    return tensor.reshape(9, 9)[flat][:, flat]
