"""One frame as its file has it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RawFrame:
    """Numbers as they are in the file: units and meaning are for the settings to say.

    Attributes
    ----------
    numbers, positions
        Atomic numbers [n_atoms]; in the file's length [n_atoms, 3].
    cell, pbc
        Rows are lattice vectors [3, 3] (zeros: none); periodic directions [3].
    values
        Everything else of this frame by its name in the file.
    origin
        Frame (and group) inside the file, for messages.
    group
        Group that the file puts it in; empty where it has no groups.
    """

    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    cell: NDArray[np.float64]
    pbc: NDArray[np.bool_]
    values: dict[str, Any]
    origin: str
    group: str = ""
