"""Neighbours in clusters: for every atom the groups of eight atoms of which any is near.

Atoms and half of their periodic images are sorted by place into groups of eight, "clusters", so that a loop
over pairs reads whole vectors from memory and needs no indices of atoms (Pall, Hess, Comput. Phys. Commun.
184, 2641 (2013)). Every pair is found from one of its atoms only: of two atoms from the one that comes first,
of an atom and an image if the first component of the image's shift that is not 0 is positive.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.kernels.pairs import CHUNKS
from votca_mlp.neighbours.cluster_order import SIZE, arrange
from votca_mlp.neighbours.cluster_sums import TOGETHER, nearest
from votca_mlp.neighbours.ghost_atoms import checked_cell, images_within

SHELLS = 8
"""Parts of the skin: a loop stops at those that nothing can have left inwards yet."""
_BLOCK = 8  # clusters that are looked at in one go
_ROUNDING = 1e-3  # Angstrom; the search is in float32


class Clusters(NamedTuple):
    """For each atom the clusters near it, by kind of neighbour, and within these by distance.

    Attributes
    ----------
    source, images
        Atom and cell shift of each place, [n_places], [n_places, 3]: its coordinates are
        positions[source] + images @ cell. Places SIZE c to SIZE c + SIZE - 1 are cluster c. Where source is
        -1 there is nobody, as in all of the last cluster.
    centres
        The place of the atom of each row, [n_atoms].
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
    positions, cell = checked_cell(positions, cell, pbc)
    reach = float(cutoffs.max()) + skin + _ROUNDING
    source, images, where = images_within(reach, positions, cell, pbc, half=True)
    order, ends = arrange(where, kinds[source], len(positions), len(cutoffs))
    nobody = order < 0
    centres = np.flatnonzero(~nobody[: SIZE * ends[len(cutoffs) - 1]])
    # half a sphere's clusters, twice as many that it cuts, and half as many again for uneven chunks
    density = where.shape[1] / np.prod(where.max(axis=1, initial=0.0) + 1.0)
    room = 2000 + int(len(positions) * (reach**3 * density + 10.0))
    places, source, images = _placed(where, source, images, order)
    boxes = _boxes(places)
    while True:
        clusters = np.empty((CHUNKS, room // CHUNKS), np.int32)
        arguments = (places, *boxes, centres, kinds[source], ends, cutoffs, _part(skin))
        begins, counts, full = _search(*arguments, clusters)  # type: ignore[call-arg]
        if not full:
            return Clusters(source, images, centres, begins, counts, clusters.reshape(-1))
        room *= 2


def shell_of(margin: float, skin: float) -> int:
    """Return up to which shell clusters within the cutoff + ``margin`` (Angstrom) at the last build are."""
    return min(int((margin + _ROUNDING) / _part(skin)), SHELLS - 1)


def _part(skin: float) -> float:
    return max(skin, 1e-6) / SHELLS


@numba.njit(cache=True, nogil=True)
def _placed(where, source, images, order):  # type: ignore[no-untyped-def]
    """Return coordinates [3, n_places] in float32, source and images in the order of the places."""
    n = len(order)
    places = np.full((3, n), np.inf, np.float32)
    sources, shifts = np.full(n, -1), np.zeros((n, 3), np.int32)
    for place in range(n):
        e = order[place]
        if e >= 0:
            sources[place] = source[e]
            for k in range(3):
                places[k, place], shifts[place, k] = where[k, e], images[e, k]
    return places, sources, shifts


@numba.njit(cache=True, nogil=True)
def _boxes(places):  # type: ignore[no-untyped-def]
    """Return lower and upper corners, [3, n], of each cluster and of each _BLOCK of them."""
    clusters = places.shape[1] // SIZE
    groups = (clusters + _BLOCK - 1) // _BLOCK
    low, high = np.full((3, clusters), np.inf, np.float32), np.full((3, clusters), -np.inf, np.float32)
    lows, highs = np.full((3, groups), np.inf, np.float32), np.full((3, groups), -np.inf, np.float32)
    for k in range(3):
        for c in range(clusters):
            for place in range(SIZE * c, SIZE * c + SIZE):
                x = places[k, place]
                if x < np.inf:
                    low[k, c], high[k, c] = min(low[k, c], x), max(high[k, c], x)
            g = c // _BLOCK
            lows[k, g], highs[k, g] = min(lows[k, g], low[k, c]), max(highs[k, g], high[k, c])
    return low, high, lows, highs


@numba.njit(inline="always")
def _apart(low, high, a, lows, highs, b):  # type: ignore[no-untyped-def]
    """Squared distance of two boxes."""
    total = np.float32(0.0)
    for k in range(3):
        gap = max(lows[k, b] - high[k, a], low[k, a] - highs[k, b], np.float32(0.0))
        total += gap * gap
    return total


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy")
def _search(places, low, high, lows, highs, centres, kinds, ends, cutoffs, part, clusters):  # type: ignore[no-untyped-def]
    """Fill ``clusters`` [CHUNKS, room]; return begins, counts and whether there was too little room."""
    atoms, n_kinds, room, empty = len(centres), len(cutoffs), clusters.shape[1], np.int32(low.shape[1] - 1)
    begins = np.zeros((atoms, n_kinds), np.int64)
    counts = np.zeros((SHELLS, atoms, n_kinds), np.int32)
    full = np.zeros(CHUNKS, np.bool_)
    for chunk in numba.prange(CHUNKS):
        own, n = clusters[chunk], 0
        near, found = np.empty(len(low[0]), np.int32), np.empty(len(low[0]), np.int32)
        shells = np.empty(len(low[0]), np.int64)
        last = chunk * atoms // CHUNKS
        stop_row = (chunk + 1) * atoms // CHUNKS
        while last < stop_row:
            first, cluster = last, centres[last] // SIZE
            while last < stop_row and centres[last] // SIZE == cluster:
                last += 1
            for kind in range(n_kinds):
                cutoff = cutoffs[kinds[centres[first]], kind]
                begins[first:last, kind] = chunk * room + n
                if cutoff <= 0.0:
                    continue
                reach = np.float32(cutoff + part * SHELLS + _ROUNDING)
                some = 0
                for section in (kind, n_kinds + kind):
                    start = ends[section - 1] if section else 0
                    some = _near(
                        low, high, lows, highs, cluster, max(start, cluster), ends[section], reach, near, some
                    )
                for row in range(first, last):
                    i = centres[row]
                    x, y, z = places[0, i], places[1, i], places[2, i]
                    hits = 0
                    for c in range(some):
                        distance = np.sqrt(nearest(places, near[c], x, y, z))
                        shell = max(np.int64((distance - cutoff) / part), 0)
                        found[hits], shells[hits] = near[c], min(shell, SHELLS - 1)
                        hits += distance < reach
                    if n + hits + TOGETHER > room:
                        full[chunk] = True
                        break
                    begins[row, kind] = chunk * room + n
                    n = _by_shell(found[:hits], shells[:hits], own, n, counts[:, row, kind], empty)
    return begins, counts, full.any()


@numba.njit(cache=True, nogil=True)
def _near(low, high, lows, highs, cluster, start, stop, reach, near, some):  # type: ignore[no-untyped-def]
    """Append the clusters start to stop within ``reach`` of a cluster's box to near[:some]; return some."""
    square = reach * reach
    for group in range(start // _BLOCK, (stop + _BLOCK - 1) // _BLOCK):
        if _apart(low, high, cluster, lows, highs, group) < square:
            for c in range(max(start, _BLOCK * group), min(stop, _BLOCK * (group + 1))):
                near[some] = c
                some += _apart(low, high, cluster, low, high, c) < square
    return some


@numba.njit(cache=True, nogil=True)
def _by_shell(found, shells, own, n, counts, empty):  # type: ignore[no-untyped-def]
    """Write ``found`` by shells to own[n:], with empty ones up to a whole TOGETHER; return the new n."""
    for shell in shells:
        counts[shell] += 1
    for shell in range(1, SHELLS):
        counts[shell] += counts[shell - 1]
    begins = np.empty(SHELLS, np.int64)
    begins[0] = n
    begins[1:] = n + counts[:-1]
    for k in range(len(found)):
        own[begins[shells[k]]] = found[k]
        begins[shells[k]] += 1
    n += len(found)
    for _ in range(-len(found) % TOGETHER):
        own[n] = empty
        n += 1
    return n
