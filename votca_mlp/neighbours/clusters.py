"""The neighbour list in clusters: for every atom the clusters of eight atoms of which any is near.

Local atoms and half of the ghost atoms are sorted by position into clusters, so that a loop over pairs reads
whole vectors from memory and needs no indices of atoms (Pall, Hess, Comput. Phys. Commun. 184, 2641 (2013)).
Every pair is found from one of its atoms only: of two local atoms from the one that comes first, of a local
and a ghost atom if the first component of the ghost's cell shift that is not 0 is positive.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.kernels.chunks import CHUNKS
from votca_mlp.neighbours.cluster_order import SIZE, arrange
from votca_mlp.neighbours.cluster_search import ROUNDING, SHELLS, boxes_of, search
from votca_mlp.neighbours.ghost_atoms import checked_cell, images_within


class Clusters(NamedTuple):
    """For each atom the clusters near it, by kind of neighbour, and within these by distance.

    Attributes
    ----------
    source, images
        Atom of the configuration and cell shift of each slot, [n_slots], [n_slots, 3]: its coordinates are
        positions[source] + images @ cell. Slots SIZE c to SIZE c + SIZE - 1 are cluster c. Where source is
        -1 there is padding, as in all of the last cluster.
    centres
        The slot of the atom of each row, [n_atoms].
    begins, counts
        Where the rows are in ``clusters``, [n_atoms, n_kinds], and how many of their clusters had an atom
        within the cutoff and k + 1 parts of the skin, [SHELLS, n_atoms, n_kinds].
    clusters
        int32; behind each row come up to TOGETHER - 1 times the last cluster, to a multiple of TOGETHER.
    """

    source: NDArray[np.int64]
    images: NDArray[np.int32]
    centres: NDArray[np.int64]
    begins: NDArray[np.int64]
    counts: NDArray[np.int32]
    clusters: NDArray[np.int32]


def find_clusters(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    pbc: NDArray[np.bool_],
    kinds: NDArray[np.int64],
    cutoffs: NDArray[np.float64],
    skin: float,
) -> Clusters:
    """Return the clusters near each atom.

    Parameters
    ----------
    positions, cell, pbc
        Angstrom; [n_atoms, 3], [3, 3], [3].
    kinds
        Of the atoms, 0 and up, [n_atoms].
    cutoffs
        By the kinds of two atoms, Angstrom, symmetric, [n_kinds, n_kinds]; 0 for no pairs.
    skin
        Angstrom, added to the cutoffs.

    Raises
    ------
    UserError
        A periodic direction without a cell vector, or a cell without a volume.
    """
    reach = float(cutoffs.max()) + skin + ROUNDING
    positions, cell = checked_cell(positions, cell, pbc, reach)
    source, images, coordinates = images_within(reach, positions, cell, pbc, half=True)
    order, ends = arrange(coordinates, kinds[source], len(positions), len(cutoffs))
    padding = order < 0
    centres = np.flatnonzero(~padding[: SIZE * ends[len(cutoffs) - 1]])
    # half a sphere's clusters, twice as many that it cuts, and half as many again for uneven chunks
    density = coordinates.shape[1] / np.prod(coordinates.max(axis=1, initial=0.0) + 1.0)
    room = 2000 + int(len(positions) * (reach**3 * density + 10.0))
    ordered, source, images = _in_slots(coordinates, source, images, order)
    boxes = boxes_of(ordered)
    while True:
        clusters = np.empty((CHUNKS, room // CHUNKS), np.int32)
        arguments = (ordered, *boxes, centres, kinds[source], ends, cutoffs, _shell_width(skin))
        begins, counts, full = search(*arguments, clusters)  # type: ignore[call-arg]
        if not full:
            return Clusters(source, images, centres, begins, counts, clusters.reshape(-1))
        room *= 2


def shell_of(margin: float, skin: float) -> int:
    """Return up to which shell clusters within the cutoff + ``margin`` (Angstrom) at the last build are."""
    return min(int((margin + ROUNDING) / _shell_width(skin)), SHELLS - 1)


def _shell_width(skin: float) -> float:
    """Return the thickness of a shell, Angstrom."""
    return max(skin, 1e-6) / SHELLS


@numba.njit(cache=True, nogil=True)
def _in_slots(coordinates, source, images, order):  # type: ignore[no-untyped-def]
    """Return coordinates [3, n_slots] in float32, source and images in the order of the slots."""
    n = len(order)
    ordered = np.full((3, n), np.inf, np.float32)
    sources, shifts = np.full(n, -1), np.zeros((n, 3), np.int32)
    for slot in range(n):
        e = order[slot]
        if e >= 0:
            sources[slot] = source[e]
            for k in range(3):
                ordered[k, slot], shifts[slot, k] = coordinates[k, e], images[e, k]
    return ordered, sources, shifts
