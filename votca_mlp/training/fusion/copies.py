"""One set of parameters in two precisions: MD and labels run in float32, observables in float64."""

import copy
import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.models.contract import PairModel

HELD = ("sensitivity",)
"""Parts of names of parameters that are held: sums over pairs are then constants of the stored frames."""


class Copies:
    """A model in float64 and in float32, with the parameters that fusion changes as one vector.

    Parameters
    ----------
    model
        Where to begin: a copy is taken.
    held
        Parameters whose names have one of these parts stay as they are.

    Raises
    ------
    UserError
        No parameter is left.
    """

    def __init__(self, model: PairModel, held: Sequence[str] = HELD) -> None:
        self.double = copy.deepcopy(model).to("cpu", torch.float64).eval()
        self.single = copy.deepcopy(model).to("cpu", torch.float32).eval()
        self.parameters: list[Tensor] = []
        self.singles: list[Tensor] = []
        theirs = dict(self.single.named_parameters())
        for name, parameter in self.double.named_parameters():
            free = parameter.requires_grad and not any(part in name for part in held)
            parameter.requires_grad_(free)
            theirs[name].requires_grad_(free)
            if free:
                self.parameters.append(parameter)
                self.singles.append(theirs[name])
        if not self.parameters:
            raise UserError("the model has no parameter that fusion may change", accepted="a torch model")

    @property
    def vector(self) -> Tensor:
        """The parameters, float64, [n_parameters]: a copy."""
        return torch.cat([p.detach().reshape(-1) for p in self.parameters])

    def put(self, vector: Tensor) -> None:
        """Take other parameters [n_parameters]."""
        at = 0
        with torch.no_grad():
            for double, single in zip(self.parameters, self.singles, strict=True):
                values = vector[at : at + double.numel()].reshape(double.shape)
                double.copy_(values)
                single.copy_(values)
                at += double.numel()

    @property
    def identity(self) -> str:
        """A digest of the parameters."""
        return identity_of(self.vector)


def identity_of(vector: Tensor) -> str:
    """Return a digest of parameters [n_parameters], float64."""
    return hashlib.sha256(vector.numpy().tobytes()).hexdigest()[:16]
