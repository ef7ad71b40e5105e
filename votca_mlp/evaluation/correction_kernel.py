"""The pair correction's energy, forces and virial, compiled for the CPU.

Work is cut into a fixed number of chunks, each with its own sums that are added in order at the end: same
input, same bits, whatever the number of threads.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.evaluation.correction_lanes import row_sums
from votca_mlp.kernels.chunks import chunks_for
from votca_mlp.kernels.simd import aligned
from votca_mlp.neighbours.cluster_order import SIZE, TOGETHER
from votca_mlp.neighbours.clusters import Clusters
from votca_mlp.neighbours.ghost_atoms import fill_coordinates
from votca_mlp.potentials.correction import StackedTables

Array = NDArray[np.float64]
Floats = NDArray[np.floating]


class KernelTables(NamedTuple):
    """Tables by kinds of the two atoms, in the kernel's precision.

    ``rows`` [4 n_rows] holds for each interval u at its begin, then a, b, c of du/dr = a + t (b + t c),
    0 <= t < 1; behind each table is an interval of zeros. ``offset`` [n_kinds, n_kinds] says where a table
    begins there, ``grid`` [n_kinds, n_kinds, 4] where it begins (Angstrom), its 1 / step, its intervals and
    its step.
    """

    rows: Floats
    offset: NDArray[np.int64]
    grid: Floats


def kernel_tables(tables: StackedTables, index: NDArray[np.int64], dtype: type[np.floating]) -> KernelTables:
    """Return the tables for kinds of atoms; ``index`` [n_kinds, n_kinds] names the table of two kinds."""
    parts = []
    for number, last in enumerate(tables.last):
        rows = tables.coefficients[tables.offset[number] : tables.offset[number] + last + 1]
        h = 1.0 / tables.inverse_step[number]
        c3, c2, c1, c0 = rows.T
        parts.append(np.append(np.stack([c0, c1, 2.0 * h * c2, 3.0 * h * h * c3], axis=1), np.zeros((1, 4))))
    lengths = np.array([len(part) for part in parts])
    grids = np.stack([tables.first, tables.inverse_step, tables.last + 1, 1.0 / tables.inverse_step], axis=1)
    offset = np.cumsum(lengths) - lengths
    return KernelTables(
        aligned(np.concatenate(parts).astype(dtype)), offset[index], grids[index].astype(dtype)
    )


def correction_sums(
    positions: Array,
    cell: Array,
    kinds: NDArray[np.int64],
    clusters: Clusters,
    shell: int,
    tables: KernelTables,
) -> tuple[float, Array, Array]:
    """Return energy (eV), forces (eV/Angstrom, [n_atoms, 3]) and sum of d x dE/dd over pairs (eV, [3, 3]).

    positions [n_atoms, 3] and cell [3, 3] in Angstrom; kinds [n_atoms] as the clusters and tables were made
    for; of the clusters those up to ``shell`` are looked at. Distances are formed in the tables' precision
    from positions about the cell's centre: in float32 they are right to some 1e-6 Angstrom in boxes of up to
    60 Angstrom.
    """
    energies, forces, virial = _sums(
        positions, cell, kinds, *clusters, shell, *tables, chunks_for(len(positions))
    )
    xx, yy, zz, yz, xz, xy = virial
    return float(energies.sum()), forces, np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


@numba.njit(parallel=True, cache=True, nogil=True, error_model="numpy")
def _sums(  # type: ignore[no-untyped-def]
    positions,
    cell,
    kinds,
    source,
    images,
    centres,
    begins,
    counts,
    clusters,
    shell,
    rows,
    offset,
    grid,
    chunks,
):
    atoms, slots, n_kinds = len(centres), len(source), len(offset)
    coordinates = np.empty((3, slots), rows.dtype)
    fill_coordinates(positions, cell, source, images, coordinates)
    parts = np.empty((chunks, 3, slots), rows.dtype)
    energies = np.zeros(chunks)
    for chunk in numba.prange(chunks):
        own = parts[chunk]
        own[:] = 0.0
        energy = 0.0
        for row in range(chunk * atoms // chunks, (chunk + 1) * atoms // chunks):
            i = centres[row]
            kind = kinds[source[i]]
            centre = coordinates[0, i], coordinates[1, i], coordinates[2, i]
            for other in range(n_kinds):
                count = (counts[shell, row, other] + TOGETHER - 1) // TOGETHER * TOGETHER
                if count:
                    table = rows[offset[kind, other] :]
                    four = grid[kind, other]
                    fx, fy, fz, e = row_sums(
                        coordinates,
                        own,
                        clusters,
                        begins[row, other],
                        count,
                        i // SIZE,
                        i % SIZE,
                        centre,
                        table,
                        (four[0], four[1], four[2], four[3]),
                    )
                    own[0, i] += fx
                    own[1, i] += fy
                    own[2, i] += fz
                    energy += e
        energies[chunk] = energy
    for chunk in range(1, chunks):
        for k in range(3):
            for e in range(slots):
                parts[0, k, e] += parts[chunk, k, e]
    forces, virial = _folded(parts[0], coordinates, source, len(positions))
    return energies, forces, virial


@numba.njit(cache=True, nogil=True)
def _folded(on_slots, coordinates, source, atoms):  # type: ignore[no-untyped-def]
    """Return forces [n_atoms, 3] and xx, yy, zz, yz, xz, xy of the virial of forces on slots, [3, n].

    Sum over pairs of d x dE/dd = - sum over slots of coordinates x force.
    """
    forces = np.zeros((atoms, 3))
    xx = yy = zz = yz = xz = xy = 0.0
    for e in range(len(source)):
        if source[e] >= 0:
            fx, fy, fz = np.float64(on_slots[0, e]), np.float64(on_slots[1, e]), np.float64(on_slots[2, e])
            x, y, z = coordinates[0, e], coordinates[1, e], coordinates[2, e]
            forces[source[e], 0] += fx
            forces[source[e], 1] += fy
            forces[source[e], 2] += fz
            xx -= x * fx
            yy -= y * fy
            zz -= z * fz
            yz -= y * fz
            xz -= x * fz
            xy -= x * fy
    return forces, (xx, yy, zz, yz, xz, xy)
