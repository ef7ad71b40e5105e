"""Compiled loops over the model's pairs: their vectors, and forces and virial from the model's gradient.

Work is cut into a fixed number of chunks, each with its own sums that are added in order at the end: same
input, same bits, whatever the number of threads.
"""

import threading

import numba
import numpy as np
import torch

CHUNKS = 8
"""Parts of a loop that need no sums of their own."""
# numba need not ask whether such an index is negative, and the compiler may gather
INDEX = np.int32(0x7FFFFFFF)

# Starting numba's pool overwrites torch's number of threads where both share one OpenMP library: start it
# here, with torch's number, and put that back.
_threads = torch.get_num_threads()
_MOST_THREADS = int(vars(numba.config)["NUMBA_NUM_THREADS"])
numba.set_num_threads(min(_threads, _MOST_THREADS))
torch.set_num_threads(_threads)

_using = threading.local()
_NOWHERE = 1e6  # Angstrom; beyond every cutoff, and its square is a number in float32


def use_threads(most: int) -> None:
    """Let compiled loops use torch's number of threads, but no more than ``most``."""
    wanted = torch.get_num_threads(), most
    # numba's number belongs to the thread that sets it, and setting it takes longer than asking here
    if wanted != getattr(_using, "wanted", None):
        numba.set_num_threads(max(1, min(*wanted, _MOST_THREADS)))
        _using.wanted = wanted


def chunks_for(atoms: int) -> int:
    """Return how many parts with sums of their own a loop over pairs of so many atoms has.

    The number of atoms alone decides, so that the number of threads changes no bit; no more threads can be
    used. Waking a thread takes as long as the pairs of some dozen atoms, and adding up eight parts a tenth as
    long as the pairs of some hundred.
    """
    for atoms_up_to, chunks in ((256, 1), (1024, 2), (4096, 4)):
        if atoms < atoms_up_to:
            return chunks
    return CHUNKS


@numba.njit(cache=True, nogil=True)
def place(positions, cell, source, images, where):  # type: ignore[no-untyped-def]
    """Fill ``where`` [3 or more, n] with places of atoms and images about the cell's centre.

    positions [n_atoms, 3] and cell [3, 3] in Angstrom; source and images as in
    :class:`votca_mlp.neighbours.full_list.Rows`; padding, a source of -1, is put far away. One thread: there
    is less to do than waking the others takes.
    """
    for e in range(len(source)):
        i = source[e]
        if i < 0:
            where[:, e] = _NOWHERE
            continue
        a, b, c = images[e, 0] - 0.5, images[e, 1] - 0.5, images[e, 2] - 0.5
        where[0, e] = positions[i, 0] + a * cell[0, 0] + b * cell[1, 0] + c * cell[2, 0]
        where[1, e] = positions[i, 1] + a * cell[0, 1] + b * cell[1, 1] + c * cell[2, 1]
        where[2, e] = positions[i, 2] + a * cell[0, 2] + b * cell[1, 2] + c * cell[2, 2]


@numba.njit(parallel=True, cache=True, nogil=True)
def compact(source, centres, begins, counts, neighbours, room):  # type: ignore[no-untyped-def]
    """Return the rows without gaps: starts [n_atoms + 1], near, first and second [n_pairs].

    The arguments are those of :class:`votca_mlp.neighbours.full_list.Rows`, and ``room`` [3, n_pairs or
    more], in which the result is put: memory that is new takes as long as filling it. ``near`` are extended
    atoms; first and second count the atoms in the order of the rows.
    """
    atoms, extended = len(centres), len(source)
    starts = np.zeros(atoms + 1, np.int64)
    row_of, row_of_extended = np.empty(atoms, np.int64), np.empty(extended, np.int64)
    for row in range(atoms):
        starts[row + 1] = starts[row] + counts[row]
        row_of[source[centres[row]]] = row
    for e in range(extended):
        row_of_extended[e] = row_of[source[e]]
    pairs = starts[atoms]
    near, first, second = room[0, :pairs], room[1, :pairs], room[2, :pairs]
    for row in numba.prange(atoms):
        begin, stop, shift = starts[row], starts[row + 1], begins[row] - starts[row]
        first[begin:stop] = row
        for p in range(begin, stop):
            e = neighbours[p + shift] & INDEX
            near[p] = e
            second[p] = row_of_extended[e]
    return starts, near, first, second


@numba.njit(parallel=True, cache=True, nogil=True)
def pair_vectors(where, centres, starts, near, vectors):  # type: ignore[no-untyped-def]
    """Fill ``vectors`` [n_pairs, 3] (any float dtype); return (row, pair, squared distance) of the closest.

    ``where`` of :func:`place`, in Angstrom, the others of :func:`compact`. Without pairs the result is
    (-1, -1, inf).
    """
    atoms = len(centres)
    x, y, z = where[0], where[1], where[2]
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
def pair_sums(where, source, centres, starts, near, gradient, chunks):  # type: ignore[no-untyped-def]
    """Return forces [n_atoms, 3] and sum of d x dE/dd [3, 3] of gradients dE/dd [n_pairs, 3], float64.

    The other arguments as for :func:`pair_vectors`, and the number of :func:`chunks_for`. The virial comes
    from the forces on the extended atoms: sum over pairs of d x g = - sum over extended atoms of place x
    force.
    """
    atoms, extended = len(centres), len(source)
    parts = np.zeros((chunks, extended, 3))
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
    for e in range(extended):
        for k in range(3):
            total = 0.0
            for chunk in range(chunks):
                total += parts[chunk, e, k]
            forces[source[e], k] += total
            for m in range(3):
                virial[k, m] -= total * where[m, e]
    return forces, virial
