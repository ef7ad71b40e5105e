"""Pairs of a low and a high level of theory, by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from metal import ani, chgnet
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
    own_melts
        Levels that are fast enough for melts of their own; for others those of the heads are reweighted.
    """

    low: str
    high: str
    data: Callable[[Path], LabelledFrames]
    more: Callable[[Path], LabelledFrames] | None
    teacher: Callable[[str], Evaluator]
    energies: Callable[[str, Sequence[Atoms]], NDArray[np.float64]]
    own_melts: frozenset[str] = frozenset()

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
    ),
    **{
        f"{low}_{ani.HIGH}": Pair(
            low,
            ani.HIGH,
            partial(ani.data, low=low),
            None,
            ani.teacher,
            ani.energies_of,
            own_melts=frozenset({ani.HIGH, "eam"}),
        )
        for low in ani.TEACHERS
        if low != ani.HIGH
    },
}
