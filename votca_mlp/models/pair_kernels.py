"""Compiled loops over pairs: vectors for the model, and the correction's energy, forces and virial.

Work is cut into a fixed number of chunks, each with its own sums that are added in order at the end: same
input, same bits, whatever the number of threads.
"""

from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.potentials.correction import StackedTables

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


@numba.njit(parallel=True, cache=True, nogil=True)
def _correction(  # type: ignore[no-untyped-def]
    positions,
    cell,
    numbers,
    first,
    second,
    shifts,
    pair_index,
    coefficients,
    begin,
    inverse_step,
    cutoffs,
    offset,
    last,
):
    n, size = len(first), len(pair_index)
    energies = np.zeros(CHUNKS)
    forces = np.zeros((CHUNKS, len(positions), 3))
    virials = np.zeros((CHUNKS, 6))
    widths = 1.0 / inverse_step
    c00, c01, c02 = cell[0, 0], cell[0, 1], cell[0, 2]
    c10, c11, c12 = cell[1, 0], cell[1, 1], cell[1, 2]
    c20, c21, c22 = cell[2, 0], cell[2, 1], cell[2, 2]
    for chunk in numba.prange(CHUNKS):
        own = forces[chunk]
        energy = vxx = vyy = vzz = vyz = vxz = vxy = 0.0
        # written out by components: a loop over three runs several times slower
        for p in range(chunk * n // CHUNKS, (chunk + 1) * n // CHUNKS):
            i, j = first[p], second[p]
            a, b, c = shifts[p, 0], shifts[p, 1], shifts[p, 2]
            x = positions[j, 0] - positions[i, 0]
            y = positions[j, 1] - positions[i, 1]
            z = positions[j, 2] - positions[i, 2]
            if a != 0 or b != 0 or c != 0:
                x += a * c00 + b * c10 + c * c20
                y += a * c01 + b * c11 + c * c21
                z += a * c02 + b * c12 + c * c22
            squared = x * x + y * y + z * z
            if numbers[i] >= size or numbers[j] >= size:
                continue
            kind = pair_index[numbers[i], numbers[j]]
            if squared >= cutoffs[kind] * cutoffs[kind]:
                continue
            r = np.sqrt(squared)
            scaled = max((r - begin[kind]) * inverse_step[kind], 0.0)
            interval = min(int(scaled), last[kind])
            t = (scaled - interval) * widths[kind]
            row = offset[kind] + interval
            c3, c2, c1 = coefficients[row, 0], coefficients[row, 1], coefficients[row, 2]
            energy += ((c3 * t + c2) * t + c1) * t + coefficients[row, 3]
            if r <= begin[kind]:
                continue
            pull = ((3.0 * c3 * t + 2.0 * c2) * t + c1) / r
            fx, fy, fz = pull * x, pull * y, pull * z
            own[i, 0] += fx
            own[i, 1] += fy
            own[i, 2] += fz
            own[j, 0] -= fx
            own[j, 1] -= fy
            own[j, 2] -= fz
            vxx += fx * x
            vyy += fy * y
            vzz += fz * z
            vyz += fy * z
            vxz += fx * z
            vxy += fx * y
        energies[chunk] = energy
        virials[chunk] = (vxx, vyy, vzz, vyz, vxz, vxy)
    return energies, forces, virials


def correction_forces(
    positions: NDArray[np.float64],
    cell: NDArray[np.float64],
    numbers: NDArray[np.int64],
    pairs: Any,
    tables: StackedTables,
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return energy (eV), forces (eV/Angstrom, [n_atoms, 3]) and sum of d x dE/dd (eV, [3, 3]).

    ``pairs`` is an up-to-date :class:`~votca_mlp.models.neighbours.SkinList` with ``full=False``.
    """
    energies, forces, virials = _correction(
        positions, cell, numbers, pairs.first, pairs.second, pairs.shifts, *tables
    )
    xx, yy, zz, yz, xz, xy = virials.sum(axis=0)
    virial = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    return float(energies.sum()), forces.sum(axis=0), virial
