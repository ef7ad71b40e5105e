"""What an engine asks of an evaluator, and what all of them share. No torch: not every model needs it."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.evaluation.result import Evaluation
from votca_mlp.neighbours.skin import VerletSkin

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.evaluation.device import DeviceForces

CORRECTION_SKIN = 1.5
"""Skin of the correction's list by the model's: its pairs cost little beside building its list."""


class Evaluator(ABC):
    """Energy, forces and stress of an ``ase.Atoms``.

    Attributes
    ----------
    gives_stress
        Whether there is a stress; where not, as with some calculators, its numbers are nan.
    """

    gives_stress: bool = True

    @abstractmethod
    def evaluate(self, atoms: "Atoms") -> Evaluation:
        """Return the evaluation of one configuration."""

    def on_device(self) -> "DeviceForces | None":
        """Return what evaluates positions that are on a device already, where the model runs on one."""
        return None

    def lists(self) -> list[VerletSkin] | None:
        """Return the neighbour lists that, beside the configuration, shape the bits of an evaluation.

        Always in the same order; None where there may be others, as in somebody else's calculator.
        """
        return None

    def forget(self) -> None:  # noqa: B027  an evaluator without a list has nothing to forget
        """Drop what is kept between calls, so that the next one depends on the configuration alone."""


class SameNumbers:
    """The same array as long as a configuration's atomic numbers are the same: others keep things by it."""

    def __init__(self) -> None:
        self._bytes, self._numbers = b"", np.empty(0, np.int64)

    def of(self, atoms: "Atoms") -> NDArray[np.int64]:
        """Return the atomic numbers, [n_atoms]; not to be changed."""
        # a comparison of arrays takes ten times as long
        found = atoms.numbers.tobytes()
        if found != self._bytes:
            self._bytes, self._numbers = found, atoms.numbers.astype(np.int64)
        return self._numbers


def check_elements(numbers: NDArray[np.int64], known: tuple[int, ...]) -> None:
    """Refuse atomic numbers outside ``known``.

    Raises
    ------
    UserError
        Naming the elements.
    """
    unknown = sorted(set(numbers.tolist()) - set(known))
    if unknown:
        from ase.data import chemical_symbols

        raise UserError(
            "the model does not know " + ", ".join(chemical_symbols[z] for z in unknown),
            where="cg.inverse.mlp.model",
            accepted="configurations of " + ", ".join(chemical_symbols[z] for z in known),
        )
