"""Compiled loops over the pairs of a full list: their vectors, and the sums of their gradient over atoms."""

import numba
import numpy as np

from votca_mlp.kernels.chunks import CHUNKS, INDEX


@numba.njit(parallel=True, cache=True, nogil=True)
def compact(source, centres, begins, counts, neighbours, room):  # type: ignore[no-untyped-def]
    """Return the rows without gaps: starts [n_atoms + 1], near, first and second [n_pairs].

    The arguments are those of :class:`votca_mlp.neighbours.full_list.FullList`, and ``room`` [3, n_pairs or
    more], in which the result is put: memory that is new takes as long as filling it. ``near`` are local and
    ghost atoms; first and second count the local atoms in the order of the rows.
    """
    atoms, all_atoms = len(centres), len(source)
    starts = np.zeros(atoms + 1, np.int64)
    row_of, row_of_source = np.empty(atoms, np.int64), np.empty(all_atoms, np.int64)
    for row in range(atoms):
        starts[row + 1] = starts[row] + counts[row]
        row_of[source[centres[row]]] = row
    for e in range(all_atoms):
        row_of_source[e] = row_of[source[e]]
    pairs = starts[atoms]
    near, first, second = room[0, :pairs], room[1, :pairs], room[2, :pairs]
    for row in numba.prange(atoms):
        begin, stop, shift = starts[row], starts[row + 1], begins[row] - starts[row]
        first[begin:stop] = row
        for p in range(begin, stop):
            e = neighbours[p + shift] & INDEX
            near[p] = e
            second[p] = row_of_source[e]
    return starts, near, first, second


@numba.njit(parallel=True, cache=True, nogil=True)
def pair_vectors(coordinates, centres, starts, near, vectors):  # type: ignore[no-untyped-def]
    """Fill ``vectors`` [n_pairs, 3] (any float dtype); return (row, pair, squared distance) of the closest.

    ``coordinates`` of :func:`votca_mlp.neighbours.ghost_atoms.fill_coordinates`, in Angstrom, the
    others of :func:`compact`. Without pairs the result is (-1, -1, inf).
    """
    atoms = len(centres)
    x, y, z = coordinates[0], coordinates[1], coordinates[2]
    rows, smallest = np.full(CHUNKS, -1), np.full(CHUNKS, INDEX)
    for chunk in numba.prange(CHUNKS):
        best, best_row = INDEX, -1
        for row in range(chunk * atoms // CHUNKS, (chunk + 1) * atoms // CHUNKS):
            i = centres[row]
            least = INDEX
            for p in range(starts[row], starts[row + 1]):
                j = near[p] & INDEX
                dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
                vectors[p, 0], vectors[p, 1], vectors[p, 2] = dx, dy, dz
                # the bits of numbers >= 0 are in the numbers' order, and smallest integers vectorise
                least = min(least, np.float32(dx * dx + dy * dy + dz * dz).view(np.int32) & INDEX)
            if least < best:
                best, best_row = least, row
        rows[chunk], smallest[chunk] = best_row, best
    row = rows[np.argmin(smallest)]
    pair, squared = -1, np.inf
    if row >= 0:
        i = centres[row]
        for p in range(starts[row], starts[row + 1]):
            j = near[p]
            square = (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 + (z[j] - z[i]) ** 2
            if square < squared:
                pair, squared = p, square
    return row, pair, squared


@numba.njit(parallel=True, cache=True, nogil=True)
def pair_sums(coordinates, source, centres, starts, near, gradient, chunks):  # type: ignore[no-untyped-def]
    """Return forces [n_atoms, 3] and sum of d x dE/dd [3, 3] of gradients dE/dd [n_pairs, 3], float64.

    The other arguments as for :func:`pair_vectors`, and the number of :func:`chunks_for`. The virial comes
    from the forces on local and ghost atoms: sum over pairs of d x g = - sum over these of their position x
    force.
    """
    atoms, all_atoms = len(centres), len(source)
    parts = np.zeros((chunks, all_atoms, 3))
    for chunk in numba.prange(chunks):
        own = parts[chunk]
        for row in range(chunk * atoms // chunks, (chunk + 1) * atoms // chunks):
            fx = fy = fz = 0.0
            for p in range(starts[row], starts[row + 1]):
                j = near[p] & INDEX
                gx, gy, gz = gradient[p, 0], gradient[p, 1], gradient[p, 2]
                fx += gx
                fy += gy
                fz += gz
                own[j, 0] -= gx
                own[j, 1] -= gy
                own[j, 2] -= gz
            i = centres[row]
            own[i, 0] += fx
            own[i, 1] += fy
            own[i, 2] += fz
    forces, virial = np.zeros((atoms, 3)), np.zeros((3, 3))
    for e in range(all_atoms):
        for k in range(3):
            total = 0.0
            for chunk in range(chunks):
                total += parts[chunk, e, k]
            forces[source[e], k] += total
            for m in range(3):
                virial[k, m] -= total * coordinates[m, e]
    return forces, virial
