"""Products of small float32 matrices in vector registers, and single vectors of rows.

A library's product divides its sums differently for another number of threads, and for matrices of some ten
rows it spends most of its time on getting ready. Here a tile of the result stays in registers while the sum
runs: four rows by up to three vectors, so that each number that is read serves several multiplications.

All arrays are flat, C-contiguous and read from a number on; columns are multiples of WIDTH, rows are filled
up to multiples of ROWS.
"""

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from votca_mlp.kernels import simd
from votca_mlp.kernels.simd import WIDTH, int64, load, splat, store

ROWS = 4
"""Rows of a tile."""


@register_jitable
def filled(count: int, multiple: int = WIDTH) -> int:
    """Return the next multiple, where a row of so many numbers ends."""
    return -(-count // multiple) * multiple


@register_jitable
def tile_of(left: int) -> int:
    """Return how many of the columns that are left a tile has: as a single vector waits for itself, five
    vectors are three and two, four are two and two."""
    vectors = left // WIDTH
    return WIDTH * (3 if vectors == 3 or vectors > 4 else min(vectors, 2))


def _data(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value).data


def tile_function(vectors: int, *, ahead: bool = False) -> Any:
    """Return the intrinsic for tiles of so many vectors in each of ROWS rows.

    With ``ahead`` the processor is asked meanwhile, one number a step of the sum, for what comes in b from
    ``coming`` on, so that it is in its second cache when it is read; it may be beyond b.
    """

    @intrinsic
    def tile(
        typing: Any,
        a: Any,
        a_at: Any,
        a_row: Any,
        a_deep: Any,
        b: Any,
        b_at: Any,
        b_deep: Any,
        c: Any,
        c_at: Any,
        c_row: Any,
        depth: Any,
        add: Any,
        coming: Any,
    ) -> Any:
        real = a.dtype
        number = types.int64

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            element = context.get_value_type(real)
            kind, nothing = simd.vector(element), simd.constant(element, 0.0)
            left = builder.gep(_data(context, builder, a, arguments[0]), [arguments[1]])
            lefts = [builder.gep(left, [builder.mul(arguments[2], int64(row))]) for row in range(ROWS)]
            right = builder.gep(_data(context, builder, b, arguments[4]), [arguments[5]])
            out = builder.gep(_data(context, builder, c, arguments[7]), [arguments[8]])
            targets = [
                builder.gep(out, [builder.add(builder.mul(arguments[9], int64(row)), int64(WIDTH * v))])
                for row in range(ROWS)
                for v in range(vectors)
            ]
            sums = [cgutils.alloca_once(builder, kind) for _ in targets]
            with builder.if_else(builder.trunc(arguments[11], ir.IntType(1))) as (then, otherwise):
                with then:
                    for total, target in zip(sums, targets, strict=True):
                        builder.store(load(builder, target), total)
                with otherwise:
                    for total in sums:
                        builder.store(nothing, total)
            if ahead:
                byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
                kind_of_ask = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
                ask = cgutils.get_or_insert_function(builder.module, kind_of_ask, "llvm.prefetch.p0")
                # to be read, in the second cache, data
                how = [ir.Constant(flag, value) for value in (0, 2, 1)]
                next_one = builder.gep(_data(context, builder, b, arguments[4]), [arguments[12]])
            with cgutils.for_range(builder, arguments[10]) as loop:
                start = builder.gep(right, [builder.mul(loop.index, arguments[6])])
                if ahead:
                    builder.call(ask, [builder.bitcast(builder.gep(next_one, [loop.index]), byte), *how])
                columns = [load(builder, builder.gep(start, [int64(WIDTH * v)])) for v in range(vectors)]
                step = builder.mul(loop.index, arguments[3])
                for row in range(ROWS):
                    each = splat(builder, builder.load(builder.gep(lefts[row], [step])))
                    for v in range(vectors):
                        total = sums[row * vectors + v]
                        term = builder.fmul(each, columns[v], flags=simd.FAST)
                        builder.store(builder.fadd(builder.load(total), term, flags=simd.FAST), total)
            for total, target in zip(sums, targets, strict=True):
                store(builder, builder.load(total), target)
            return context.get_dummy_value()

        arguments = (a, *3 * (number,), b, *2 * (number,), c, *3 * (number,), types.boolean, number)
        return types.none(*arguments), generate

    return tile


_tile_1, _tile_2, _tile_3 = tile_function(1), tile_function(2), tile_function(3)


@numba.njit(cache=True, nogil=True)
def product(rows, columns, depth, a, a_at, a_row, a_deep, b, b_at, b_deep, c, c_at, c_row, add):  # type: ignore[no-untyped-def]
    """c[r, m] = (c[r, m] where ``add``) + sum over k < depth of a[r, k] b[k, m].

    a[r, k] is at a_at + r a_row + k a_deep, b[k, m] at b_at + k b_deep + m, c[r, m] at c_at + r c_row + m of
    flat arrays. rows: a multiple of ROWS, columns: of WIDTH.
    """
    m = 0
    while m < columns:
        count = tile_of(columns - m) // WIDTH
        for r in range(0, rows, ROWS):
            at, to = a_at + r * a_row, c_at + r * c_row + m
            if count == 3:
                _tile_3(a, at, a_row, a_deep, b, b_at + m, b_deep, c, to, c_row, depth, add, 0)
            elif count == 2:
                _tile_2(a, at, a_row, a_deep, b, b_at + m, b_deep, c, to, c_row, depth, add, 0)
            else:
                _tile_1(a, at, a_row, a_deep, b, b_at + m, b_deep, c, to, c_row, depth, add, 0)
        m += count * WIDTH


@intrinsic
def put_cubics(
    typing: Any,
    table: Any,
    at: Any,
    power: Any,
    t: Any,
    values: Any,
    to: Any,
    slopes: Any,
    slopes_to: Any,
    both: Any,
) -> Any:
    """values[to:] = c0 + t (c1 + t (c2 + t c3)) of WIDTH numbers; where ``both``, slopes[slopes_to:] = d/dt.

    The coefficients of each power are ``power`` numbers behind those of the one before, from ``at`` on.
    """
    number = types.int64

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start = builder.gep(_data(context, builder, table, arguments[0]), [arguments[1]])
        c = [
            simd.Lanes(builder, [load(builder, builder.gep(start, [builder.mul(arguments[2], int64(k))]))])
            for k in range(4)
        ]
        x = splat(builder, arguments[3])
        value = c[0] + (c[1] + (c[2] + c[3] * x) * x) * x
        target = builder.gep(_data(context, builder, values, arguments[4]), [arguments[5]])
        store(builder, value.vectors[0], target)
        with builder.if_then(builder.trunc(arguments[8], ir.IntType(1))):
            two, three = (simd.constant(x.type.element, each) for each in (2.0, 3.0))
            slope = c[1] + (c[2] * two + c[3] * three * x) * x
            target = builder.gep(_data(context, builder, slopes, arguments[6]), [arguments[7]])
            store(builder, slope.vectors[0], target)
        return context.get_dummy_value()

    arguments = (table, number, number, table.dtype, values, number, slopes, number, types.boolean)
    return types.none(*arguments), generate


@intrinsic
def put_scaled(typing: Any, x: Any, at: Any, factor: Any, out: Any, to: Any) -> Any:
    """out[to:] = factor x[at:], WIDTH numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = load(builder, builder.gep(_data(context, builder, x, arguments[0]), [arguments[1]]))
        value = builder.fmul(given, splat(builder, arguments[2]), flags=simd.FAST)
        store(builder, value, builder.gep(_data(context, builder, out, arguments[3]), [arguments[4]]))
        return context.get_dummy_value()

    return types.none(x, types.int64, x.dtype, out, types.int64), generate


@intrinsic
def add_to(typing: Any, x: Any, at: Any, out: Any, to: Any) -> Any:
    """out[to:] += x[at:], WIDTH numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = load(builder, builder.gep(_data(context, builder, x, arguments[0]), [arguments[1]]))
        target = builder.gep(_data(context, builder, out, arguments[2]), [arguments[3]])
        store(builder, builder.fadd(load(builder, target), given, flags=simd.FAST), target)
        return context.get_dummy_value()

    return types.none(x, types.int64, out, types.int64), generate


@intrinsic
def dot(typing: Any, x: Any, at: Any, y: Any, y_at: Any, count: Any) -> Any:
    """Return the sum of x[at + k] y[y_at + k] over k < count, a multiple of WIDTH."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        one = builder.gep(_data(context, builder, x, arguments[0]), [arguments[1]])
        other = builder.gep(_data(context, builder, y, arguments[2]), [arguments[3]])
        kind = simd.vector(context.get_value_type(x.dtype))
        total = cgutils.alloca_once(builder, kind)
        builder.store(simd.constant(kind.element, 0.0), total)
        steps = builder.sdiv(arguments[4], int64(WIDTH))
        with cgutils.for_range(builder, steps) as loop:
            offset = [builder.mul(loop.index, int64(WIDTH))]
            a, b = (load(builder, builder.gep(start, offset)) for start in (one, other))
            term = builder.fmul(a, b, flags=simd.FAST)
            builder.store(builder.fadd(builder.load(total), term, flags=simd.FAST), total)
        return simd.total(builder, builder.load(total))

    return x.dtype(x, types.int64, y, types.int64, types.int64), generate
