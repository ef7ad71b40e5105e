"""Whether a neighbour list with a skin is still complete."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Reference = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Positions [n_atoms, 3] and cell [3, 3], Angstrom."""


class VerletSkin:
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
    inverse
        Of the cell at the last build, 1/Angstrom, [3, 3].
    """

    _changes: Callable[..., tuple[float, float]]

    def __init__(self, cutoff: float, skin: float) -> None:
        self.cutoff, self.skin = cutoff, skin
        self.builds = 0
        self._positions: NDArray[np.float64] | None = None
        self._cell = self._pbc = b""
        self._recalled: Reference | None = None
        self.inverse: NDArray[np.float64] = np.zeros((3, 3))

    def forget(self) -> None:
        """Rebuild at the next update (a checkpoint does, so that a resumed run has the same list)."""
        self._positions = self._recalled = None

    @property
    def reference(self) -> Reference | None:
        """Positions and cell at the last build (Angstrom), None before the first."""
        if self._positions is None:
            return None
        return self._positions, np.frombuffer(self._cell).reshape(3, 3)

    def recall(self, reference: Reference) -> None:
        """Build at the next update for these positions and cell, and use the list as if built then.

        So that a run goes on with the list, and the bits, that it would have had.
        """
        self.forget()
        self._recalled = reference

    def _place(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> Reference:
        """Return the positions and cell to build for: these, or those recalled where they will do."""
        recalled, self._recalled = self._recalled, None
        if recalled is None:
            return positions, cell
        self._built(*recalled, pbc)
        self.builds -= 1
        return recalled if self._complete(positions, cell, pbc) else (positions, cell)

    def _built(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> None:
        self._positions, self._cell, self._pbc = positions.copy(), cell.tobytes(), pbc.tobytes()
        self.inverse = np.asarray(np.linalg.inv(cell), float) if np.all(pbc) else np.zeros((3, 3))
        self.builds += 1
        # not above: reading a box or a list once need not wait for numba
        from votca_mlp.neighbours.skin_kernel import changes

        self._changes = changes

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
        displacement, stretch = self._changes(positions, cell, old, self.inverse, same)
        if stretch < 0.0:
            stretch = stretch_of(self.inverse @ cell)
        return self.needed_after(displacement, stretch)

    def needed_after(self, displacement: float, stretch: float) -> float:
        """Return the same of atoms that have moved so far (Angstrom) beyond the stretch of the cell."""
        # a larger cell helps large cutoffs more than small ones: not counted
        return float((self.cutoff + 2.0 * displacement) / min(stretch, 1.0))

    def _complete(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> bool:
        return self._needed(positions, cell, pbc) < self.cutoff + self.skin


def stretch_of(deformation: NDArray[np.float64]) -> float:
    """Return the smallest factor that a matrix [3, 3] changes a length by."""
    return float(np.linalg.svd(deformation, compute_uv=False)[-1])
