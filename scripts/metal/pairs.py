"""Pairs of a low and a high level of theory, by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from metal import chgnet, eam_ani
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.training.labelled import LabelledFrames


@dataclass(frozen=True)
class Pair:
    """Two levels of theory and the frames that they label.

    Attributes
    ----------
    low, high
        Names of the levels.
    data
        Frames with energies and forces of the low and energies of the high level, kept in a file.
    more
        Further frames with labels of the low level alone, kept in a file; None: there are none.
    teacher
        A level as an evaluator.
    energies
        Energies (eV) of frames at a level.
    own_melt
        The teachers are fast enough for melts of their own; else those of the heads are reweighted.
    """

    low: str
    high: str
    data: Callable[[Path], LabelledFrames]
    more: Callable[[Path], LabelledFrames] | None
    teacher: Callable[[str], Evaluator]
    energies: Callable[[str, Sequence[Atoms]], NDArray[np.float64]]
    own_melt: bool

    @property
    def levels(self) -> tuple[str, str]:
        """The low and the high level."""
        return self.low, self.high


PAIRS = {
    "chgnet": Pair(
        chgnet.LOW,
        chgnet.HIGH,
        chgnet.data,
        chgnet.more,
        chgnet.teacher,
        chgnet.energies_of,
        own_melt=False,
    ),
    "eam_ani": Pair(
        eam_ani.LOW,
        eam_ani.HIGH,
        eam_ani.data,
        None,
        eam_ani.teacher,
        eam_ani.energies_of,
        own_melt=True,
    ),
}
