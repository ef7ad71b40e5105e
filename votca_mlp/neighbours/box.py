"""A periodic box: its volume, and whether it is rectangular and large enough."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError

TILT = 1e-6
"""Of the shortest edge: what writing and reading a rectangular box in single precision leaves."""
RECTANGULAR = "a rectangular box with its edges along x, y and z: csg_stat and the package take no other"


def volume_of(cell: NDArray[np.float64]) -> float:
    """Return the volume of a cell [3, 3]; by hand, as numpy's way for one matrix takes six times as long."""
    (a, b, c), (d, e, f), (g, h, i) = cell.tolist()
    return abs(float(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)))


def edges_of(cell: NDArray[np.float64], where: str | Path) -> NDArray[np.float64]:
    """Return the edges of a cell [3, 3] that is rectangular along x, y and z; shape [3].

    Raises
    ------
    UserError
        A tilted, turned or empty box, with the size of what is too much.
    """
    edges, tilt = np.diag(cell).copy(), tilt_of(cell)
    if not tilt <= TILT * max(edges.min(), 0.0):
        raise UserError(f"the box is tilted by {tilt:.3g} Angstrom", where=where, accepted=RECTANGULAR)
    if edges.min() <= 0.0:
        raise UserError("the box has no volume", where=where, accepted=RECTANGULAR)
    return edges


def tilt_of(cell: NDArray[np.float64]) -> float:
    """Return by how much a cell [3, 3] is off the axes, Angstrom."""
    return float(np.abs(cell - np.diag(np.diag(cell))).max())


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
