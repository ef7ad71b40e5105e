"""Which of a stretch of points are near one: eight at a time, without a branch."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from votca_mlp.kernels import simd
from votca_mlp.kernels.simd import INT32, WIDTH, Columns, Lanes, load, splat, store, vector


def _packed() -> NDArray[np.int32]:
    rows = np.zeros((2**WIDTH, WIDTH), np.int32)
    for bits in range(2**WIDTH):
        lanes = [lane for lane in range(WIDTH) if bits >> lane & 1]
        rows[bits, : len(lanes)] = lanes
    return rows


PACKED = _packed()
"""The lanes whose bits are set in the number of the row, then zeros, [256, 8]."""


@intrinsic
def pack_near(
    typing: Any,
    points: Any,
    begin: Any,
    stop: Any,
    own: Any,
    centre: Any,
    square: Any,
    packed: Any,
    found: Any,
    n: Any,
) -> Any:
    """Write the points from ``begin`` to before ``stop`` near ``centre`` to found[n:]; return the new n.

    points [3, n_points + WIDTH] (C-contiguous): so many are read from each on. Near is what is no farther
    than the root of ``square`` and not the point number ``own``; centre is (x, y, z). ``found`` is int32,
    with room for WIDTH more than there are; ``packed`` is PACKED.
    """
    real = points.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        columns = Columns(context, builder, points, arguments[0])
        middle = [splat(builder, builder.extract_value(arguments[4], k)) for k in range(3)]
        far = splat(builder, arguments[5])
        table = context.make_array(packed)(context, builder, arguments[6]).data
        target = context.make_array(found)(context, builder, arguments[7]).data
        itself, last = (splat(builder, builder.trunc(arguments[k], INT32)) for k in (3, 2))
        lanes = ir.Constant(vector(INT32), list(range(WIDTH)))
        count = cgutils.alloca_once_value(builder, arguments[8])
        loop = cgutils.for_range_slice(builder, arguments[1], arguments[2], simd.int64(WIDTH), simd.INT64)
        with loop as (at, _):
            squares = None
            for k in range(3):
                d = Lanes(builder, [load(builder, columns.at(k, at))]) - middle[k]
                squares = d * d if squares is None else squares + d * d
            assert squares is not None
            first = splat(builder, builder.trunc(at, INT32))
            numbers = builder.add(first, lanes)
            near = builder.and_(
                builder.fcmp_ordered("<=", squares.vectors[0], far),
                builder.and_(
                    builder.icmp_signed("<", numbers, last), builder.icmp_signed("!=", numbers, itself)
                ),
            )
            bits = builder.zext(builder.bitcast(near, ir.IntType(WIDTH)), simd.INT64)
            row = builder.gep(table, [builder.mul(bits, simd.int64(WIDTH))])
            n = builder.load(count)
            store(builder, builder.add(load(builder, row), first), builder.gep(target, [n]))
            builder.store(builder.add(n, builder.ctpop(bits)), count)
        return builder.load(count)

    numbers = types.int64
    result = numbers(points, numbers, numbers, numbers, centre, real, packed, found, numbers)
    return result, generate
