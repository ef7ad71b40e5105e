"""Neighbour lists with a skin, reused while they stay complete."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.neighbours.skin import VerletSkin

if TYPE_CHECKING:
    from votca_mlp.neighbours.clusters import Clusters
    from votca_mlp.neighbours.full_list import FullList
    from votca_mlp.neighbours.half_list import HalfList


class VerletFullList(VerletSkin):
    """A full list, see :mod:`.full_list`; parameters as of :class:`VerletSkin`."""

    rows: "FullList"

    def update(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> bool:
        """Make ``rows`` complete for this configuration; return whether they were rebuilt."""
        if self._complete(positions, cell, pbc):
            return False
        from votca_mlp.neighbours.full_list import find_full_list

        positions, cell = self._place(positions, cell, pbc)
        self.rows = find_full_list(positions, cell, pbc, self.cutoff + self.skin)
        self._built(positions, cell, pbc)
        return True


class VerletHalfList(VerletSkin):
    """A half list; see :mod:`votca_mlp.neighbours.half_list`. Parameters as of :class:`VerletSkin`."""

    rows: "HalfList"

    def update(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> bool:
        """Make ``rows`` complete for this configuration; return whether they were rebuilt."""
        if self._complete(positions, cell, pbc):
            return False
        from votca_mlp.neighbours.half_list import find_half_list

        positions, cell = self._place(positions, cell, pbc)
        self.rows = find_half_list(positions, cell, pbc, self.cutoff + self.skin)
        self._built(positions, cell, pbc)
        return True


class VerletClusterList(VerletSkin):
    """Clusters near every atom; see :mod:`votca_mlp.neighbours.clusters`.

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
        from votca_mlp.neighbours.clusters import find_clusters, shell_of

        needed = self._needed(positions, cell, pbc)
        if needed < self.cutoff + self.skin and kinds is self._kinds:
            self.shell = shell_of(needed - self.cutoff, self.skin)
            return False
        at, cell_then = self._place(positions, cell, pbc)
        self.clusters = find_clusters(at, cell_then, pbc, kinds, self._cutoffs, self.skin)
        self.shell = shell_of(0.0, self.skin)
        self._kinds = kinds
        self._built(at, cell_then, pbc)
        if at is not positions:
            self.shell = shell_of(self._needed(positions, cell, pbc) - self.cutoff, self.skin)
        return True


class VerletPairList(VerletSkin):
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

        positions, cell = self._place(positions, cell, pbc)
        if np.all(pbc):
            from votca_mlp.neighbours.ghost_atoms import checked_cell

            checked_cell(positions, cell, pbc, self.cutoff + self.skin)
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

    def closest(self, squared: float, pair: float) -> tuple[int, int, float] | None:
        """Return atoms and distance of a pair of the list by its number; None where the list is empty."""
        if not len(self.first):
            return None
        return int(self.first[int(pair)]), int(self.second[int(pair)]), float(np.sqrt(squared))

    def vectors(self, positions: NDArray[np.float64], cell: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return x_second - x_first + shift for every pair, Angstrom, shape [n_pairs, 3]."""
        return positions[self.second] - positions[self.first] + self.shifts @ cell
