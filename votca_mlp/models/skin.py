"""Whether a neighbour list with a skin is still complete."""

import numba
import numpy as np
from numpy.typing import NDArray


class Skin:
    """Tells whether a list out to cutoff + skin may still be used.

    Atoms that were r apart at the last build are now at least s r - 2 d apart, where s is the smallest
    stretch of the cell since then and d the largest displacement beyond that stretch; the list is complete
    while this exceeds the cutoff at r = cutoff + skin.

    Attributes
    ----------
    cutoff, skin
        Angstrom.
    builds
        How often the list was built.
    """

    def __init__(self, cutoff: float, skin: float) -> None:
        self.cutoff, self.skin = cutoff, skin
        self.builds = 0
        self._positions: NDArray[np.float64] | None = None
        self._cell = self._pbc = b""
        self._inverse: NDArray[np.float64] = np.zeros((3, 3))

    def forget(self) -> None:
        """Rebuild at the next update (a checkpoint does, so that a resumed run has the same list)."""
        self._positions = None

    def _built(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> None:
        self._positions, self._cell, self._pbc = positions.copy(), cell.tobytes(), pbc.tobytes()
        self._inverse = np.asarray(np.linalg.inv(cell), float) if np.all(pbc) else np.zeros((3, 3))
        self.builds += 1

    def _needed(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> float:
        """Return how far apart two atoms now within the cutoff may have been at the last build, Angstrom."""
        old = self._positions
        # bytes are compared several times faster than arrays
        if old is None or old.shape != positions.shape or pbc.tobytes() != self._pbc:
            return np.inf
        same = cell.tobytes() == self._cell
        if not same and not np.all(pbc):
            return np.inf
        displacement, stretch = _changes(positions, cell, old, self._inverse, same)
        if stretch < 0.0:
            stretch = stretch_of(self._inverse @ cell)
        # a larger cell helps large cutoffs more than small ones: not counted
        return float((self.cutoff + 2.0 * displacement) / min(stretch, 1.0))

    def _complete(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> bool:
        return self._needed(positions, cell, pbc) < self.cutoff + self.skin


def stretch_of(deformation: NDArray[np.float64]) -> float:
    """Return the smallest factor that a matrix [3, 3] changes a length by."""
    return float(np.linalg.svd(deformation, compute_uv=False)[-1])


@numba.njit(cache=True, nogil=True)
def _changes(positions, cell, old, inverse, same):  # type: ignore[no-untyped-def]
    """Return how far an atom has moved beyond the stretch of the cell (Angstrom, or nan), and that stretch.

    ``old`` positions; the inverse of the old cell; whether the cell is the same. The stretch is -1 where it
    is not the same in all directions.
    """
    deformation, stretch = np.eye(3), 1.0
    if not same:
        deformation[:] = 0.0
        for k in range(3):
            for m in range(3):
                for n in range(3):
                    deformation[k, m] += inverse[k, n] * cell[n, m]
        stretch = deformation[0, 0]
        for k in range(3):
            for m in range(3):
                if not abs(deformation[k, m] - (stretch if k == m else 0.0)) < 1e-12:
                    stretch = -1.0
    largest = 0.0
    for i in range(len(old)):
        square = 0.0
        for k in range(3):
            there = 0.0
            for m in range(3):
                there += old[i, m] * deformation[m, k]
            square += (positions[i, k] - there) ** 2
        if square > largest or square != square:
            largest = square
    return np.sqrt(largest), stretch
