"""Eight pairs of HIP-NN's half rows at a time: sensitivities for both atoms, and forces on both."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from votca_mlp.kernels import simd
from votca_mlp.kernels.simd import WIDTH, Lanes, int64, load, shuffle, store
from votca_mlp.models.hipnn.pairs import Eight

SUMS = 9
"""Sums over a row's pairs: force on its atom (x, y, z), then d x dE/dd (xx, yy, zz, yz, xz, xy)."""


def _data(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value).data


def _numbers(context: Any, builder: Any, kind: Any, value: Any, at: Any) -> list[Any]:
    """Return eight numbers from ``at`` on of an array of int32."""
    return simd.indices(builder, load(builder, builder.gep(_data(context, builder, kind, value), [at])))


def _add(builder: Any, pointer: Any, x: Any) -> None:
    store(builder, builder.fadd(load(builder, pointer), x, flags=simd.FAST), pointer)


@intrinsic
def add_to_both(
    typing: Any,
    where: Any,
    near: Any,
    partners: Any,
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

    Those whose places are near[at:] and whose atoms partners[at:] (int32). where [n_places, 4]: x, y, z,
    Angstrom, float64; centre: x, y, z, 0 of the row's atom. The vectors of the pairs, float32, are kept from
    vectors[3 at] on, first all x, then y, then z; ``least`` [8] becomes the smallest squares of distances.
    table, grid, chunks: as of :func:`votca_mlp.models.hipnn.pairs.add_sensitivities`. ``own`` [n] is the
    row's atom's, ``environment`` [n_atoms + 1, n] everyone else's.
    """
    many = len(chunks)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first, real = arguments[3], context.get_value_type(vectors.dtype)
        places = _data(context, builder, where, arguments[0])
        middle = ir.Constant(ir.VectorType(context.get_value_type(where.dtype), 4), ir.Undefined)
        for k in range(4):
            component = builder.extract_value(arguments[4], k)
            middle = builder.insert_element(middle, component, ir.Constant(simd.INT32, k))
        rows = []
        for number in _numbers(context, builder, near, arguments[1], first):
            place = load(builder, builder.gep(places, [builder.mul(number, int64(4))]), 4)
            rows.append(builder.fptrunc(builder.fsub(place, middle), ir.VectorType(real, 4)))
        d = list(simd.columns(builder, [rows])[:3])
        kept = builder.gep(_data(context, builder, vectors, arguments[5]), [builder.mul(first, int64(3))])
        for k in range(3):
            store(builder, d[k].vectors[0], builder.gep(kept, [int64(WIDTH * k)]))
        eight = Eight(context, builder, d, table, arguments[7], arguments[8])
        smallest = _data(context, builder, least, arguments[6])
        squares = eight.squares.smaller(load(builder, smallest))
        store(builder, squares.vectors[0], smallest)
        base = _data(context, builder, own, arguments[10])
        places = [builder.gep(base, [int64(WIDTH * chunk)]) for chunk in range(many)]
        sums = [Lanes(builder, [load(builder, place)]) for place in places]
        others = _data(context, builder, environment, arguments[11])
        for pair, partner in enumerate(_numbers(context, builder, partners, arguments[2], first)):
            row = builder.gep(others, [builder.mul(partner, int64(WIDTH * many))])
            for chunk in range(many):
                value = eight.sensitivity(pair, chunk, many)
                sums[chunk] = sums[chunk] + value
                _add(builder, builder.gep(row, [int64(WIDTH * chunk)]), value.vectors[0])
        for place, total in zip(places, sums, strict=True):
            store(builder, total.vectors[0], place)
        return eight.too_close()

    result = types.int64(
        where, near, partners, at, centre, vectors, least, table, grid, chunks, own, environment
    )
    return result, generate


@intrinsic
def pull_both(
    typing: Any,
    partners: Any,
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

    own [n] is dE/d(environment) of the row's atom, ``slopes`` [n_atoms + 1, n] everyone's; the others are as
    of :func:`add_to_both`, which left ``vectors``. forces are float64.
    """
    many = len(chunks)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first, double = arguments[1], ir.VectorType(context.get_value_type(forces.dtype), 4)
        kept = builder.gep(_data(context, builder, vectors, arguments[2]), [builder.mul(first, int64(3))])
        d = [Lanes(builder, [load(builder, builder.gep(kept, [int64(WIDTH * k)]))]) for k in range(3)]
        eight = Eight(context, builder, d, table, arguments[3], arguments[4])
        base = _data(context, builder, own, arguments[6])
        mine = [load(builder, builder.gep(base, [int64(WIDTH * chunk)])) for chunk in range(many)]
        others = _data(context, builder, slopes, arguments[7])
        numbers = _numbers(context, builder, partners, arguments[0], first)

        def weights(pair: int) -> list[Lanes]:
            row = builder.gep(others, [builder.mul(numbers[pair], int64(WIDTH * many))])
            theirs = [load(builder, builder.gep(row, [int64(WIDTH * chunk)])) for chunk in range(many)]
            return [Lanes(builder, [a]) + b for a, b in zip(mine, theirs, strict=True)]

        pull = eight.pulls(weights, many)
        force = [pull * each for each in d]
        products = [force[a] * d[b] for a, b in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))]
        totals = _data(context, builder, sums, arguments[8])
        for k, each in enumerate((*force, *products)):
            _add(builder, builder.gep(totals, [int64(WIDTH * k)]), each.vectors[0])
        target = _data(context, builder, forces, arguments[9])
        rows = simd.rows_of_three(builder, *(each.vectors[0] for each in force))
        for row, number in zip(rows, numbers, strict=True):
            place = builder.gep(target, [builder.mul(number, int64(4))])
            wide = builder.fpext(shuffle(builder, row, row, range(4)), double)
            store(builder, builder.fsub(load(builder, place, 4), wide, flags=simd.FAST), place)
        return context.get_dummy_value()

    result = types.none(partners, at, vectors, table, grid, chunks, own, slopes, sums, forces)
    return result, generate
