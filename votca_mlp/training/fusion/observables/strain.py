"""What derivatives of the energy by strain are, for the ways to them."""

from typing import NamedTuple

import torch
from torch import Tensor

from votca_mlp.models.contract import PairModel


class StrainDerivatives(NamedTuple):
    """Of each frame, in eV; strains as of :mod:`.voigt`.

    Attributes
    ----------
    energy
        [n_frames].
    virial
        First derivatives, [n_frames, 6]; None where they were not asked for.
    born
        Second ones, [n_frames, 6, 6]; None likewise.
    """

    energy: Tensor
    virial: Tensor | None
    born: Tensor | None

    def detached(self) -> "StrainDerivatives":
        """Return the same without a graph."""
        virial = None if self.virial is None else self.virial.detach()
        return StrainDerivatives(
            self.energy.detach(), virial, None if self.born is None else self.born.detach()
        )


def dtype_of(model: PairModel) -> torch.dtype:
    """Return the precision that a model is in: that of its parameters, else of its buffers."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            return tensor.dtype
    return torch.float64
