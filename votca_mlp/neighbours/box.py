"""A periodic box: its volume, and whether it is large enough."""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError


def volume_of(cell: NDArray[np.float64]) -> float:
    """Return the volume of a cell [3, 3]; by hand, as numpy's way for one matrix takes six times as long."""
    (a, b, c), (d, e, f), (g, h, i) = cell.tolist()
    return abs(float(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)))


def check_box(cell: NDArray[np.float64], r_max: float, where: str) -> None:
    """Refuse a periodic box whose half height is not beyond r_max (Angstrom).

    Raises
    ------
    UserError
        Naming ``where``, half the box and r_max.
    """
    volume = volume_of(cell)
    if volume == 0.0:
        raise UserError("the configuration has no periodic box", where=where, accepted="three cell vectors")
    areas = [np.linalg.norm(np.cross(cell[(k + 1) % 3], cell[(k + 2) % 3])) for k in range(3)]
    half = 0.5 * float(min(volume / area for area in areas))
    if half <= r_max:
        raise UserError(
            f"half the box is {half:.2f} Angstrom, not more than the grid's maximum of {r_max:.2f} Angstrom",
            where=where,
            accepted="a smaller <max> (it is in nm), or more atoms",
        )
