"""The pair correction of an atom with clusters of eight others at a time, in vector registers."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from votca_mlp.kernels import simd
from votca_mlp.kernels.simd import INT32, Columns, Lanes, constant, load, splat, store, vector
from votca_mlp.kernels.transpose import rows_of_four
from votca_mlp.neighbours.cluster_order import SIZE, TOGETHER

_FAR = 1e12  # Angstrom^2, beyond every cutoff


@intrinsic
def row_sums(
    typing: Any,
    coordinates: Any,
    forces: Any,
    clusters: Any,
    begin: Any,
    count: Any,
    cluster: Any,
    lane: Any,
    centre: Any,
    table: Any,
    grid: Any,
) -> Any:
    """Return the force on an atom, x, y, z (eV/Angstrom), and the energy (eV) of its pairs with clusters.

    The opposite forces are added to ``forces`` [3, n]. coordinates [3, n] in Angstrom; the clusters are
    clusters[begin: begin + count], count a multiple of TOGETHER; the atom is number ``lane`` of ``cluster``
    and at ``centre``, and in its own cluster only those behind it count. ``table`` is a flat array of rows
    u, a, b, c of du/dr = a + t (b + t c), and ``grid`` its begin, 1 / step, number of intervals and step.
    The table is constant below its begin; its last row, from its end on, must be zero.
    """
    real = coordinates.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(real)
        columns = Columns(context, builder, coordinates, arguments[0])
        opposite = Columns(context, builder, forces, arguments[1])
        listed = context.make_array(clusters)(context, builder, arguments[2]).data
        rows = context.make_array(table)(context, builder, arguments[8]).data
        own, lane = (builder.trunc(arguments[k], INT32) for k in (5, 6))
        at_atom = [splat(builder, builder.extract_value(arguments[7], k)) for k in range(3)]
        begin, scale, end, step = (splat(builder, builder.extract_value(arguments[9], k)) for k in range(4))
        zero = constant(kind, 0.0)
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(4)]
        lanes = ir.Constant(vector(INT32), list(range(SIZE)))

        def square_or_far(square: Any, number: Any) -> Any:
            behind = builder.select(builder.icmp_signed("==", number, own), lane, ir.Constant(INT32, -1))
            counts = builder.icmp_signed(">", lanes, splat(builder, behind))
            return builder.select(counts, square, constant(kind, _FAR))

        loop = cgutils.for_range_slice(builder, simd.int64(0), arguments[4], simd.int64(TOGETHER), simd.INT64)
        with loop as (index, _):
            index = builder.add(arguments[3], index)
            numbers = [
                builder.load(builder.gep(listed, [builder.add(index, simd.int64(k))]))
                for k in range(TOGETHER)
            ]
            begins = [builder.mul(builder.sext(number, simd.INT64), simd.int64(SIZE)) for number in numbers]
            x, y, z = (
                Lanes(builder, [load(builder, columns.at(k, slot)) for slot in begins]) - at_atom[k]
                for k in range(3)
            )
            squares = x * x + y * y + z * z
            squares = squares.map(square_or_far, Lanes(builder, numbers))
            inverse = squares.inverse_root()
            # nan becomes an index too
            s = ((squares * inverse - begin) * scale).larger(zero).smaller(end)
            k = s.map(lambda each: builder.fptosi(each, vector(INT32)))
            t = s - k.map(lambda each: builder.sitofp(each, vector(kind)))
            u, a, b, c = rows_of_four(builder, rows, k)
            inner = b * constant(kind, 0.5) + t * (c * constant(kind, 1.0 / 3.0))
            energy = u + t * step * (a + t * inner)
            over_r = (a + t * (b + t * c)) * inverse
            force = over_r * x, over_r * y, over_r * z
            for total, part in zip(sums, (*force, energy), strict=True):
                value = builder.load(total)
                for each in part.vectors:
                    value = builder.fadd(value, each, flags=simd.FAST)
                builder.store(value, total)
            for axis, part in enumerate(force):
                for each, slot in zip(part.vectors, begins, strict=True):
                    pointer = opposite.at(axis, slot)
                    store(builder, builder.fsub(load(builder, pointer), each, flags=simd.FAST), pointer)
        found = [simd.total(builder, builder.load(total)) for total in sums]
        return context.make_tuple(builder, signature.return_type, found)

    result = types.UniTuple(real, 4)
    return result(coordinates, forces, clusters, begin, count, cluster, lane, centre, table, grid), generate
