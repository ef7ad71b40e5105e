"""HIP-NN for one species from a half list: energy, forces and virial, float32, compiled for the CPU.

Both atoms of a pair have the same sensitivities, and the force between them is the sum of what either's
environment asks for: half the pairs are read, and each row of the table serves two atoms. Nothing of the size
of pairs leaves the loops but the pairs' vectors.
"""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from votca_mlp.kernels import simd
from votca_mlp.kernels.simd import WIDTH, Lanes, int64, load, shuffle, store
from votca_mlp.kernels.transpose import columns, indices, rows_of_three
from votca_mlp.models.hipnn.lanes import PairLanes
from votca_mlp.models.hipnn.layers import energies_and_slopes

SUMS = 9
"""Sums over a row's pairs: force on its atom (x, y, z), then d x dE/dd (xx, yy, zz, yz, xz, xy)."""


def _data(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value).data


def _numbers(context: Any, builder: Any, kind: Any, value: Any, at: Any) -> list[Any]:
    """Return eight numbers from ``at`` on of an array of int32."""
    return indices(builder, load(builder, builder.gep(_data(context, builder, kind, value), [at])))


def _add(builder: Any, pointer: Any, x: Any) -> None:
    store(builder, builder.fadd(load(builder, pointer), x, flags=simd.FAST), pointer)


@intrinsic
def add_to_both(
    typing: Any,
    coordinates: Any,
    neighbours: Any,
    owners: Any,
    at: Any,
    centre: Any,
    vectors: Any,
    least: Any,
    table: Any,
    grid: Any,
    chunks: Any,
    own: Any,
    environment: Any,
) -> Any:
    """Add the sensitivities of eight pairs to both atoms' environments; return how many are too close.

    Those with neighbours[at:], which are images of owners[at:] (int32). coordinates [n_all, 4]: x, y, z, 0,
    Angstrom, float64; centre: those of the row's atom. The vectors of the pairs, float32, are kept from
    vectors[3 at] on, first all x, then y, then z; ``least`` [8] becomes the smallest squares of distances.
    table, grid, chunks: as of :func:`votca_mlp.models.hipnn.full_list.add_sensitivities`. ``own`` [n] is of
    the row's atom, ``environment`` [n_atoms + 1, n] of the owners.
    """
    many = len(chunks)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first, real = arguments[3], context.get_value_type(vectors.dtype)
        positions = _data(context, builder, coordinates, arguments[0])
        middle = ir.Constant(ir.VectorType(context.get_value_type(coordinates.dtype), 4), ir.Undefined)
        for k in range(4):
            component = builder.extract_value(arguments[4], k)
            middle = builder.insert_element(middle, component, ir.Constant(simd.INT32, k))
        rows = []
        for number in _numbers(context, builder, neighbours, arguments[1], first):
            position = load(builder, builder.gep(positions, [builder.mul(number, int64(4))]), 4)
            rows.append(builder.fptrunc(builder.fsub(position, middle), ir.VectorType(real, 4)))
        d = list(columns(builder, [rows])[:3])
        kept = builder.gep(_data(context, builder, vectors, arguments[5]), [builder.mul(first, int64(3))])
        for k in range(3):
            store(builder, d[k].vectors[0], builder.gep(kept, [int64(WIDTH * k)]))
        lanes = PairLanes(context, builder, d, table, arguments[7], arguments[8])
        smallest = _data(context, builder, least, arguments[6])
        squares = lanes.squares.smaller(load(builder, smallest))
        store(builder, squares.vectors[0], smallest)
        base = _data(context, builder, own, arguments[10])
        starts = [builder.gep(base, [int64(WIDTH * chunk)]) for chunk in range(many)]
        sums = [Lanes(builder, [load(builder, start)]) for start in starts]
        all_rows = _data(context, builder, environment, arguments[11])
        for pair, owner in enumerate(_numbers(context, builder, owners, arguments[2], first)):
            row = builder.gep(all_rows, [builder.mul(owner, int64(WIDTH * many))])
            for chunk in range(many):
                value = lanes.sensitivity(pair, chunk, many)
                sums[chunk] = sums[chunk] + value
                _add(builder, builder.gep(row, [int64(WIDTH * chunk)]), value.vectors[0])
        for start, total in zip(starts, sums, strict=True):
            store(builder, total.vectors[0], start)
        return lanes.too_close()

    result = types.int64(
        coordinates, neighbours, owners, at, centre, vectors, least, table, grid, chunks, own, environment
    )
    return result, generate


@intrinsic
def forces_on_both(
    typing: Any,
    owners: Any,
    at: Any,
    vectors: Any,
    table: Any,
    grid: Any,
    chunks: Any,
    own: Any,
    slopes: Any,
    sums: Any,
    forces: Any,
) -> Any:
    """Add eight pairs' forces to ``sums`` [SUMS, 8] and the opposite ones to ``forces`` [n_atoms + 1, 4].

    own [n] is dE/d(environment) of the row's atom, ``slopes`` [n_atoms + 1, n] of all; the others are as of
    :func:`add_to_both`, which left ``vectors``. forces are float64.
    """
    many = len(chunks)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first, double = arguments[1], ir.VectorType(context.get_value_type(forces.dtype), 4)
        kept = builder.gep(_data(context, builder, vectors, arguments[2]), [builder.mul(first, int64(3))])
        d = [Lanes(builder, [load(builder, builder.gep(kept, [int64(WIDTH * k)]))]) for k in range(3)]
        lanes = PairLanes(context, builder, d, table, arguments[3], arguments[4])
        base = _data(context, builder, own, arguments[6])
        first_atom = [load(builder, builder.gep(base, [int64(WIDTH * chunk)])) for chunk in range(many)]
        all_rows = _data(context, builder, slopes, arguments[7])
        numbers = _numbers(context, builder, owners, arguments[0], first)

        def weights(pair: int) -> list[Lanes]:
            row = builder.gep(all_rows, [builder.mul(numbers[pair], int64(WIDTH * many))])
            other = [load(builder, builder.gep(row, [int64(WIDTH * chunk)])) for chunk in range(many)]
            return [Lanes(builder, [a]) + b for a, b in zip(first_atom, other, strict=True)]

        scales = lanes.force_scales(weights, many)
        force = [scales * each for each in d]
        products = [force[a] * d[b] for a, b in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))]
        totals = _data(context, builder, sums, arguments[8])
        for k, each in enumerate((*force, *products)):
            _add(builder, builder.gep(totals, [int64(WIDTH * k)]), each.vectors[0])
        target = _data(context, builder, forces, arguments[9])
        rows = rows_of_three(builder, *(each.vectors[0] for each in force))
        for row, number in zip(rows, numbers, strict=True):
            pointer = builder.gep(target, [builder.mul(number, int64(4))])
            wide = builder.fpext(shuffle(builder, row, row, range(4)), double)
            store(builder, builder.fsub(load(builder, pointer, 4), wide, flags=simd.FAST), pointer)
        return context.get_dummy_value()

    result = types.none(owners, at, vectors, table, grid, chunks, own, slopes, sums, forces)
    return result, generate


@numba.njit(parallel=True, cache=True, nogil=True)
def environments(coordinates, begins, counts, neighbours, owners, edges, vectors, table, grid, chunks):  # type: ignore[no-untyped-def]
    """Return parts of the environments [n_parts, n_atoms + 1, n], closest pair, pairs that the table misses.

    coordinates [n_all, 4] in Angstrom; begins, counts, neighbours, owners: of
    :class:`votca_mlp.neighbours.half_list.HalfList`; ``edges`` of
    :func:`votca_mlp.neighbours.half_pairs.parts_of`; table, grid, chunks: as of
    :func:`votca_mlp.models.hipnn.full_list.environments`. ``vectors`` [3 x len(neighbours)] are filled for
    :func:`forces`. The closest pair is (row, neighbour, squared distance), (-1, -1, inf) without pairs.
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
            centre = coordinates[row, 0], coordinates[row, 1], coordinates[row, 2], coordinates[row, 3]
            for at in range(begins[row], begins[row] + counts[row], WIDTH):
                missed[part] += add_to_both(
                    coordinates,
                    neighbours,
                    owners,
                    at,
                    centre,
                    vectors,
                    least,
                    table,
                    grid,
                    chunks,
                    own,
                    environment,
                )
            for k in range(len(own)):
                environment[row, k] += own[k]
            if least.min() < smallest[part]:
                rows[part], smallest[part] = row, least.min()
    row, closest, squared = rows[np.argmin(smallest)], -1, np.inf
    if row >= 0:
        for at in range(begins[row], begins[row] + counts[row]):
            square = 0.0
            for k in range(3):
                square += (coordinates[neighbours[at], k] - coordinates[row, k]) ** 2
            if square < squared:
                closest, squared = neighbours[at], square
    return found, (row, closest, squared), missed.sum()


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
def forces(source, begins, counts, owners, edges, vectors, table, grid, chunks, slopes):  # type: ignore[no-untyped-def]
    """Return forces [n_atoms, 3] and the sum of d x dE/dd over pairs, xx, yy, zz, yz, xz, xy.

    slopes [n_atoms + 1, n] of :func:`atoms_alone`, the others as of :func:`environments`, and ``source`` as
    of :class:`votca_mlp.neighbours.half_list.HalfList`.
    """
    parts, atoms = len(edges) - 1, len(counts)
    found, virials = np.empty((parts, atoms + 1, 4)), np.zeros((parts, SUMS - 3))
    for part in numba.prange(parts):
        on_atoms = found[part]
        on_atoms[:] = 0.0
        sums = np.empty((SUMS, WIDTH), np.float32)
        for row in range(edges[part], edges[part + 1]):
            sums[:] = np.float32(0.0)
            own = slopes[row]
            for at in range(begins[row], begins[row] + counts[row], WIDTH):
                forces_on_both(owners, at, vectors, table, grid, chunks, own, slopes, sums, on_atoms)
            for k in range(3):
                on_atoms[row, k] += sums[k].sum()
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
