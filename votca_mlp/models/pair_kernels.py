"""Compiled loops over the model's pairs: their vectors, and forces and virial from the model's gradient.

Work is cut into a fixed number of chunks, each with its own sums that are added in order at the end: same
input, same bits, whatever the number of threads.
"""

import numba
import numpy as np
import torch

CHUNKS = 8

# Starting numba's pool overwrites torch's number of threads where both share one OpenMP library: start it
# here, with torch's number, and put that back.
_threads = torch.get_num_threads()
numba.set_num_threads(min(_threads, int(vars(numba.config)["NUMBA_NUM_THREADS"])))
torch.set_num_threads(_threads)


@numba.njit(parallel=True, cache=True, nogil=True)
def pair_vectors(positions, cell, first, second, shifts, vectors):  # type: ignore[no-untyped-def]
    """Fill ``vectors`` [n_pairs, 3] (any float dtype) and return (pair, squared distance) of the closest.

    positions [n_atoms, 3] and cell [3, 3] in Angstrom, float64; shifts [n_pairs, 3] in cell vectors. Without
    pairs the result is (-1, inf).
    """
    n = len(first)
    closest = np.full(CHUNKS, -1)
    smallest = np.full(CHUNKS, np.inf)
    for chunk in numba.prange(CHUNKS):
        best, best_pair = np.inf, -1
        for p in range(chunk * n // CHUNKS, (chunk + 1) * n // CHUNKS):
            i, j = first[p], second[p]
            a, b, c = shifts[p, 0], shifts[p, 1], shifts[p, 2]
            squared = 0.0
            for k in range(3):
                d = positions[j, k] - positions[i, k] + a * cell[0, k] + b * cell[1, k] + c * cell[2, k]
                vectors[p, k] = d
                squared += d * d
            if squared < best:
                best, best_pair = squared, p
        closest[chunk], smallest[chunk] = best_pair, best
    winner = np.argmin(smallest)
    return closest[winner], smallest[winner]


@numba.njit(parallel=True, cache=True, nogil=True)
def pair_sums(first, second, gradient, vectors, atoms):  # type: ignore[no-untyped-def]
    """Return forces [atoms, 3] and sum of d x dE/dd [3, 3] of gradients dE/dd [n_pairs, 3], float64."""
    n = len(first)
    forces = np.zeros((CHUNKS, atoms, 3))
    virials = np.zeros((CHUNKS, 3, 3))
    for chunk in numba.prange(CHUNKS):
        own, virial = forces[chunk], virials[chunk]
        for p in range(chunk * n // CHUNKS, (chunk + 1) * n // CHUNKS):
            i, j = first[p], second[p]
            for k in range(3):
                own[i, k] += gradient[p, k]
                own[j, k] -= gradient[p, k]
                for m in range(3):
                    virial[k, m] += gradient[p, k] * vectors[p, m]
    total, virial_total = forces[0], virials[0]
    for chunk in range(1, CHUNKS):
        total += forces[chunk]
        virial_total += virials[chunk]
    return total, virial_total
