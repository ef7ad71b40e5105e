"""Energy, forces and virial of HIP-NN for one species from half rows, float32, compiled for the CPU.

Both atoms of a pair have the same sensitivities, and the force between them is the sum of what either's
environment asks for: half the pairs are read, and each row of the table serves two atoms. Nothing of the size
of pairs leaves the loops but the pairs' vectors.
"""

import numba
import numpy as np

from votca_mlp.kernels.simd import WIDTH
from votca_mlp.models.hipnn.half_pairs import SUMS, add_to_both, pull_both
from votca_mlp.models.hipnn.layers import energies_and_slopes


@numba.njit(parallel=True, cache=True, nogil=True)
def environments(where, begins, counts, near, partners, edges, vectors, table, grid, chunks):  # type: ignore[no-untyped-def]
    """Return parts of the environments [n_parts, n_atoms + 1, n], closest pair, pairs that the table misses.

    where [n_places, 4] in Angstrom; begins, counts, near, partners: of
    :class:`votca_mlp.neighbours.half_list.HalfRows`; ``edges`` of
    :func:`votca_mlp.neighbours.half_pairs.parts_of`; table, grid, chunks: as of
    :func:`votca_mlp.models.hipnn.kernel.environments`. ``vectors`` [3 x len(near)] are filled for
    :func:`forces`. The closest pair is (row, place, squared distance), (-1, -1, inf) without pairs.
    """
    parts, atoms = len(edges) - 1, len(counts)
    found = np.empty((parts, atoms + 1, table.shape[2]), np.float32)
    missed, rows, smallest = np.zeros(parts, np.int64), np.full(parts, -1), np.full(parts, np.inf, np.float32)
    for part in numba.prange(parts):
        environment = found[part]
        environment[:] = np.float32(0.0)
        own, least = np.empty(table.shape[2], np.float32), np.empty(WIDTH, np.float32)
        for row in range(edges[part], edges[part + 1]):
            own[:], least[:] = np.float32(0.0), np.float32(np.inf)
            centre = where[row, 0], where[row, 1], where[row, 2], where[row, 3]
            for at in range(begins[row], begins[row] + counts[row], WIDTH):
                missed[part] += add_to_both(
                    where, near, partners, at, centre, vectors, least, table, grid, chunks, own, environment
                )
            for k in range(len(own)):
                environment[row, k] += own[k]
            if least.min() < smallest[part]:
                rows[part], smallest[part] = row, least.min()
    row, place, squared = rows[np.argmin(smallest)], -1, np.inf
    if row >= 0:
        for at in range(begins[row], begins[row] + counts[row]):
            square = 0.0
            for k in range(3):
                square += (where[near[at], k] - where[row, k]) ** 2
            if square < squared:
                place, squared = near[at], square
    return found, (row, place, squared), missed.sum()


@numba.njit(parallel=True, cache=True, nogil=True)
def atoms_alone(blocks, environment, layers, outputs):  # type: ignore[no-untyped-def]
    """Fill ``outputs`` [n_atoms] (float64) with energies; environment[0] becomes their gradient.

    ``blocks`` are the ends of the atoms that are one thread's work at a time, environment the parts of
    :func:`environments`.
    """
    for block in numba.prange(len(blocks) - 1):
        low, high = blocks[block], blocks[block + 1]
        own = environment[0, low:high]
        for part in range(1, len(environment)):
            own += environment[part, low:high]
        energies_and_slopes(own, layers, outputs[low:high])


@numba.njit(parallel=True, cache=True, nogil=True)
def forces(source, begins, counts, partners, edges, vectors, table, grid, chunks, slopes):  # type: ignore[no-untyped-def]
    """Return forces [n_atoms, 3] and the sum of d x dE/dd over pairs, xx, yy, zz, yz, xz, xy.

    slopes [n_atoms + 1, n] of :func:`atoms_alone`, the others as of :func:`environments`, and ``source`` as
    of :class:`votca_mlp.neighbours.half_list.HalfRows`.
    """
    parts, atoms = len(edges) - 1, len(counts)
    found, virials = np.empty((parts, atoms + 1, 4)), np.zeros((parts, SUMS - 3))
    for part in numba.prange(parts):
        pulled = found[part]
        pulled[:] = 0.0
        sums = np.empty((SUMS, WIDTH), np.float32)
        for row in range(edges[part], edges[part + 1]):
            sums[:] = np.float32(0.0)
            own = slopes[row]
            for at in range(begins[row], begins[row] + counts[row], WIDTH):
                pull_both(partners, at, vectors, table, grid, chunks, own, slopes, sums, pulled)
            for k in range(3):
                pulled[row, k] += sums[k].sum()
            for k in range(SUMS - 3):
                virials[part, k] += sums[3 + k].sum()
    result = np.empty((atoms, 3))
    for row in range(atoms):
        for k in range(3):
            total = 0.0
            for part in range(parts):
                total += found[part, row, k]
            result[source[row], k] = total
    return result, virials.sum(axis=0)
