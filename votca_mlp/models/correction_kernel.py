"""The pair correction's sums over neighbour rows, compiled for the CPU.

Every atom adds up its own row: nothing is scattered, so that the loop runs in vector registers, and an atom's
force does not depend on the number of threads. Energy and virial are added in a fixed number of chunks.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from votca_mlp.models.pair_kernels import CHUNKS, INDEX, place
from votca_mlp.models.rows import LANES, Rows
from votca_mlp.potentials.correction import StackedTables

# no "nnan"/"ninf": a broken configuration must give nan, not something plausible
_FAST = {"reassoc", "contract", "nsz", "arcp"}
_NOWHERE = 1e6  # Angstrom; beyond every cutoff, and its square is a number in float32

Array = NDArray[np.float64]
Floats = NDArray[np.floating]


class KernelTables(NamedTuple):
    """Tables by kinds of the two atoms, in the kernel's precision.

    ``rows`` [4, n_rows] holds for each interval u at its begin, then a, b, c of du/dr = a + t (b + t c),
    0 <= t < 1; behind each table is an interval of zeros. ``begin``, ``step`` (Angstrom), ``offset`` and
    ``intervals`` are [n_kinds, n_kinds].
    """

    rows: Floats
    begin: Floats
    step: Floats
    offset: NDArray[np.int64]
    intervals: NDArray[np.int64]


def kernel_tables(tables: StackedTables, index: NDArray[np.int64], dtype: type[np.floating]) -> KernelTables:
    """Return the tables for kinds of atoms; ``index`` [n_kinds, n_kinds] names the table of two kinds."""
    parts = []
    for number, last in enumerate(tables.last):
        rows = tables.coefficients[tables.offset[number] : tables.offset[number] + last + 1]
        h = 1.0 / tables.inverse_step[number]
        c3, c2, c1, c0 = rows.T
        parts.append(np.append(np.stack([c0, c1, 2.0 * h * c2, 3.0 * h * h * c3]), np.zeros((4, 1)), axis=1))
    lengths = tables.last + 2
    offset = np.cumsum(lengths) - lengths
    return KernelTables(
        np.concatenate(parts, axis=1).astype(dtype),
        tables.first[index].astype(dtype),
        (1.0 / tables.inverse_step)[index].astype(dtype),
        offset[index],
        tables.last[index] + 1,
    )


def correction_sums(
    positions: Array, cell: Array, rows: Rows, kinds: NDArray[np.int64], tables: KernelTables
) -> tuple[float, Array, Array]:
    """Return energy (eV), forces (eV/Angstrom, [n_atoms, 3]) and sum of d x dE/dd over pairs (eV, [3, 3]).

    positions [n_atoms, 3] and cell [3, 3] in Angstrom; kinds [n_atoms] as the rows and tables were made for.
    Distances are formed in the tables' precision from positions about the cell's centre: in float32 they are
    right to some 1e-6 Angstrom in boxes of up to 60 Angstrom.
    """
    energies, forces, virials = _sums(positions, cell, kinds, *rows, *tables)
    xx, yy, zz, yz, xz, xy = 0.5 * virials.sum(axis=0)
    # every pair is in two rows
    return 0.5 * float(energies.sum()), forces, np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


@numba.njit(parallel=True, cache=True, nogil=True, fastmath=_FAST, error_model="numpy")
def _sums(  # type: ignore[no-untyped-def]
    positions,
    cell,
    kinds,
    source,
    images,
    centres,
    begins,
    counts,
    neighbours,
    table,
    table_begin,
    table_step,
    offset,
    intervals,
):
    number = table.dtype.type
    extended, atoms, n_kinds = len(source), len(centres), len(offset)
    where = np.empty((3, extended + 1), table.dtype)
    for k in range(3):
        where[k, extended] = _NOWHERE
    place(positions, cell, source, images, where)
    forces = np.zeros((atoms, 3))
    energies, virials = np.zeros(CHUNKS), np.zeros((CHUNKS, 6))
    x, y, z = where[0], where[1], where[2]
    zero, one, half, third = number(0.0), number(1.0), number(0.5), number(1.0 / 3.0)
    for chunk in numba.prange(CHUNKS):
        energy = 0.0
        xx = yy = zz = yz = xz = xy = 0.0
        for row in range(chunk * atoms // CHUNKS, (chunk + 1) * atoms // CHUNKS):
            i = centres[row]
            for kind in range(n_kinds):
                if not counts[row, kind]:
                    continue
                own, start = kinds[source[i]], begins[row, kind]
                near = neighbours[start : start + (counts[row, kind] + LANES - 1) // LANES * LANES]
                o, n = offset[own, kind], intervals[own, kind]
                u, u1, u2, u3 = (
                    table[0, o : o + n + 1],
                    table[1, o : o + n + 1],
                    table[2, o : o + n + 1],
                    table[3, o : o + n + 1],
                )
                begin, h = table_begin[own, kind], table_step[own, kind]
                scale, end = one / h, number(n)
                fx = fy = fz = e = vxx = vyy = vzz = vyz = vxz = vxy = zero
                for p in range(len(near)):
                    j = near[p] & INDEX
                    dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
                    square = dx * dx + dy * dy + dz * dz
                    inverse = one / np.sqrt(square)
                    # constant below the table, zero from its end on; nan becomes an index too
                    s = (square * inverse - begin) * scale
                    s = s if s > zero else zero
                    s = s if s < end else end
                    k = np.int32(s)
                    t = s - number(k)
                    k = k & INDEX
                    a, b, c = u1[k], u2[k], u3[k]
                    pull = (a + t * (b + t * c)) * inverse
                    e += u[k] + h * t * (a + t * (half * b + t * (third * c)))
                    gx, gy, gz = pull * dx, pull * dy, pull * dz
                    fx += gx
                    fy += gy
                    fz += gz
                    vxx += gx * dx
                    vyy += gy * dy
                    vzz += gz * dz
                    vyz += gy * dz
                    vxz += gx * dz
                    vxy += gx * dy
                atom = source[i]
                forces[atom, 0] += fx
                forces[atom, 1] += fy
                forces[atom, 2] += fz
                energy += e
                xx += vxx
                yy += vyy
                zz += vzz
                yz += vyz
                xz += vxz
                xy += vxy
        energies[chunk] = energy
        virials[chunk] = (xx, yy, zz, yz, xz, xy)
    return energies, forces, virials
