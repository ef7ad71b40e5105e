"""Neighbour lists with a skin, reused while they stay complete."""

from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from votca_mlp.models.clusters import Clusters
    from votca_mlp.models.half_rows import HalfRows
    from votca_mlp.models.rows import Rows


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


class SkinRows(Skin):
    """Neighbour rows of every atom; see :mod:`votca_mlp.models.rows`. Parameters as of :class:`Skin`."""

    rows: "Rows"

    def update(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> bool:
        """Make ``rows`` complete for this configuration; return whether they were rebuilt."""
        if self._complete(positions, cell, pbc):
            return False
        from votca_mlp.models.rows import find_rows

        self.rows = find_rows(positions, cell, pbc, self.cutoff + self.skin)
        self._built(positions, cell, pbc)
        return True


class SkinHalfRows(Skin):
    """Half rows of neighbours; see :mod:`votca_mlp.models.half_rows`. Parameters as of :class:`Skin`."""

    rows: "HalfRows"

    def update(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> bool:
        """Make ``rows`` complete for this configuration; return whether they were rebuilt."""
        if self._complete(positions, cell, pbc):
            return False
        from votca_mlp.models.half_rows import find_half_rows

        self.rows = find_half_rows(positions, cell, pbc, self.cutoff + self.skin)
        self._built(positions, cell, pbc)
        return True


class SkinClusters(Skin):
    """Clusters near every atom; see :mod:`votca_mlp.models.clusters`.

    Parameters
    ----------
    cutoffs
        By kinds of the two atoms, Angstrom, shape [n_kinds, n_kinds]; 0 for no pairs.
    skin
        Angstrom.

    Attributes
    ----------
    clusters
        Complete for the last configuration.
    shell
        Its atoms have neighbours in the clusters' shells up to this one.
    """

    clusters: "Clusters"
    shell: int

    def __init__(self, cutoffs: NDArray[np.float64], skin: float) -> None:
        super().__init__(float(cutoffs.max()), skin)
        self._cutoffs = cutoffs
        self._kinds = np.empty(0, np.int64)

    def update(
        self,
        positions: NDArray[np.float64],
        cell: NDArray[np.float64],
        pbc: NDArray[np.bool_],
        kinds: NDArray[np.int64],
    ) -> bool:
        """Make ``clusters`` complete for this configuration; return whether they were rebuilt.

        They are for another array of ``kinds`` [n_atoms], which is not to be changed.
        """
        from votca_mlp.models.clusters import find_clusters, shell_of

        needed = self._needed(positions, cell, pbc)
        if needed < self.cutoff + self.skin and kinds is self._kinds:
            self.shell = shell_of(needed - self.cutoff, self.skin)
            return False
        self.clusters = find_clusters(positions, cell, pbc, kinds, self._cutoffs, self.skin)
        self.shell = shell_of(0.0, self.skin)
        self._kinds = kinds
        self._built(positions, cell, pbc)
        return True


class SkinList(Skin):
    """Pair list out to cutoff + skin, rebuilt only when a pair could have been missed.

    Parameters
    ----------
    cutoff, skin
        Angstrom.
    full
        Every ordered pair once, sorted by its first atom; otherwise every unordered pair once, which vesin
        finds several times faster.

    Attributes
    ----------
    first, second
        Atoms of the pairs, shape [n_pairs].
    shifts
        Cell shifts of the second atoms in units of the cell vectors, shape [n_pairs, 3].
    """

    def __init__(self, cutoff: float, skin: float, *, full: bool = True) -> None:
        super().__init__(cutoff, skin)
        self.full = full
        self.first = self.second = np.empty(0, np.int64)
        self.shifts = np.empty((0, 3), np.int32)

    def update(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> bool:
        """Make the list complete for this configuration; return whether it was rebuilt."""
        if self._complete(positions, cell, pbc):
            return False
        from vesin import NeighborList

        if np.any(pbc) and not np.all(pbc) and np.any(~cell[~pbc].any(axis=1)):
            # vesin wants a full cell; the missing directions are not periodic, so any length will do
            cell_used = cell.copy()
            for axis in np.flatnonzero(~pbc):
                if not cell_used[axis].any():
                    cell_used[axis, axis] = 1.0
        else:
            cell_used = cell
        finder = NeighborList(cutoff=self.cutoff + self.skin, full_list=self.full, sorted=self.full)
        first, second, shifts = finder.compute(
            points=positions, box=cell_used, periodic=[bool(p) for p in pbc], quantities="ijS"
        )
        self.first, self.second = first.astype(np.int64), second.astype(np.int64)
        self.shifts = shifts.astype(np.int32)
        self._built(positions, cell, pbc)
        return True

    def vectors(self, positions: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return x_second - x_first + shift for every pair, Angstrom, shape [n_pairs, 3]."""
        return positions[self.second] - positions[self.first] + self.shifts @ cell


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
