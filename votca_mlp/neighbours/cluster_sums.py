"""An atom against clusters of eight: the nearest of one, and the correction's forces, in vector registers."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from votca_mlp.kernels import simd
from votca_mlp.kernels.simd import INT32, Columns, Lanes, constant, load, shuffle, splat, store, vector
from votca_mlp.neighbours.cluster_order import SIZE

TOGETHER = 4
"""Clusters that are worked on at a time, so that none waits for another's numbers."""
_FAR = 1e12  # Angstrom^2, beyond every cutoff


def _first_place(builder: Any, cluster: Any) -> Any:
    return builder.mul(builder.sext(cluster, simd.INT64), simd.int64(SIZE))


@intrinsic
def nearest(typing: Any, places: Any, cluster: Any, x: Any, y: Any, z: Any) -> Any:
    """Return the squared distance of the nearest atom of a cluster from x, y, z; places [3, n]."""
    real = places.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        columns = Columns(context, builder, places, arguments[0])
        at = _first_place(builder, arguments[1])
        squares = None
        for k in range(3):
            d = Lanes(builder, [load(builder, columns.at(k, at))]) - splat(builder, arguments[2 + k])
            squares = d * d if squares is None else squares + d * d
        assert squares is not None
        least = squares.vectors[0]
        for width in (4, 2, 1):  # halves against each other
            other = shuffle(builder, least, least, [(lane + width) % SIZE for lane in range(SIZE)])
            least = builder.select(builder.fcmp_ordered("<", least, other), least, other)
        return builder.extract_element(least, ir.Constant(INT32, 0))

    return real(places, cluster, x, y, z), generate


@intrinsic
def row_sums(
    typing: Any,
    places: Any,
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

    The opposite forces are added to ``forces`` [3, n]. places [3, n] in Angstrom; the clusters are
    clusters[begin: begin + count], count a multiple of TOGETHER; the atom is number ``lane`` of ``cluster``
    and at ``centre``, and in its own cluster only those behind it count. ``table`` is a flat array of rows
    u, a, b, c of du/dr = a + t (b + t c), and ``grid`` its begin, 1 / step, number of intervals and step.
    The table is constant below its begin; its last row, from its end on, must be zero.
    """
    real = places.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(real)
        columns = Columns(context, builder, places, arguments[0])
        pulled = Columns(context, builder, forces, arguments[1])
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
            begins = [_first_place(builder, number) for number in numbers]
            x, y, z = (
                Lanes(builder, [load(builder, columns.at(k, place)) for place in begins]) - at_atom[k]
                for k in range(3)
            )
            squares = x * x + y * y + z * z
            squares = squares.map(square_or_far, Lanes(builder, numbers))
            inverse = squares.inverse_root()
            # nan becomes an index too
            s = ((squares * inverse - begin) * scale).larger(zero).smaller(end)
            k = s.map(lambda each: builder.fptosi(each, vector(INT32)))
            t = s - k.map(lambda each: builder.sitofp(each, vector(kind)))
            u, a, b, c = simd.rows_of_four(builder, rows, k)
            inner = b * constant(kind, 0.5) + t * (c * constant(kind, 1.0 / 3.0))
            energy = u + t * step * (a + t * inner)
            pull = (a + t * (b + t * c)) * inverse
            pulls = pull * x, pull * y, pull * z
            for total, part in zip(sums, (*pulls, energy), strict=True):
                value = builder.load(total)
                for each in part.vectors:
                    value = builder.fadd(value, each, flags=simd.FAST)
                builder.store(value, total)
            for axis, part in enumerate(pulls):
                for each, place in zip(part.vectors, begins, strict=True):
                    pointer = pulled.at(axis, place)
                    store(builder, builder.fsub(load(builder, pointer), each, flags=simd.FAST), pointer)
        found = [simd.total(builder, builder.load(total)) for total in sums]
        return context.make_tuple(builder, signature.return_type, found)

    result = types.UniTuple(real, 4)
    return result(places, forces, clusters, begin, count, cluster, lane, centre, table, grid), generate
