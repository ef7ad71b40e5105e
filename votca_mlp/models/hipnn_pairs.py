"""Eight pairs of HIP-NN at a time in vector registers: sensitivities, and forces from their gradient."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from votca_mlp.models import simd
from votca_mlp.models.simd import INT32, WIDTH, Lanes, constant, int64, load, shuffle, splat, store, vector


class _Eight:
    """Distances of eight pairs, and the rows of the table that they need.

    Pairs beyond the cutoff, too close for the table, or not there (from ``count`` on) get the last row, which
    is zero.
    """

    def __init__(self, context: Any, builder: Any, kinds: tuple[Any, ...], values: tuple[Any, ...]) -> None:
        vectors, table = kinds
        self.builder, self.type = builder, context.get_value_type(vectors.dtype)
        pairs, at, count, rows, numbers = values
        array = context.make_array(vectors)(context, builder, pairs)
        first = builder.gep(array.data, [builder.mul(at, int64(3))])
        # x y z x y z ... of eight pairs in three vectors, to x, y, z
        flat = [load(builder, builder.gep(first, [int64(WIDTH * k)])) for k in range(3)]
        two = shuffle(builder, flat[0], flat[1], range(16))
        three = shuffle(builder, flat[2], flat[2], [*range(8), *[0] * 8])
        self.d = [
            Lanes(builder, [shuffle(builder, two, three, [3 * n + k for n in range(WIDTH)])])
            for k in range(3)
        ]
        array = context.make_array(table)(context, builder, rows)
        self.rows = array.data
        last = builder.sub(builder.extract_value(array.shape, 0), int64(1))
        intervals = Lanes(builder, [splat(builder, builder.sitofp(last, self.type))])
        begin, scale = (Lanes(builder, [splat(builder, builder.extract_value(numbers, k))]) for k in (0, 1))
        self.scale = scale
        x, y, z = self.d
        self.inverse = (x * x + y * y + z * z).inverse_root()
        u = (self.inverse - begin) * scale
        there = builder.icmp_signed(
            "<", ir.Constant(vector(INT32), list(range(WIDTH))), splat(builder, builder.trunc(count, INT32))
        )
        # not ">=": a nan is no index either
        fits = builder.fcmp_ordered("<", u.vectors[0], intervals.vectors[0])
        self.missed = builder.and_(there, builder.not_(fits))
        near = builder.fcmp_ordered(">", u.vectors[0], constant(self.type, 0.0))
        self.counts = builder.and_(builder.and_(near, fits), there)
        u = Lanes(builder, [builder.select(self.counts, u.vectors[0], intervals.vectors[0])])
        k = u.map(lambda each: builder.fptosi(each, vector(INT32)))
        self.t = u - k.map(lambda each: builder.sitofp(each, vector(self.type)))
        self.index = simd.indices(builder, k.vectors[0])

    def coefficients(self, pair: int, chunk: int, chunks: int) -> list[Any]:
        """Return c0 to c3 of eight sensitivities for one of the pairs."""
        row = self.builder.mul(self.index[pair], int64(4 * chunks * WIDTH))
        return [
            load(
                self.builder,
                self.builder.gep(self.rows, [self.builder.add(row, int64((power * chunks + chunk) * WIDTH))]),
            )
            for power in range(4)
        ]

    def of_pair(self, pair: int) -> Lanes:
        """Return t of one pair in all lanes."""
        t = self.t.vectors[0]
        return Lanes(self.builder, [shuffle(self.builder, t, t, [pair] * WIDTH)])


@intrinsic
def add_sensitivities(
    typing: Any, vectors: Any, at: Any, count: Any, table: Any, grid: Any, chunks: Any, row: Any
) -> Any:
    """Add the sensitivities of up to eight pairs to ``row`` [n]; return how many of them are too close.

    Those from ``at`` on, and no more than ``count``.

    vectors [n_pairs, 3] in Angstrom, float32, to be read eight from ``at`` on; table [n_intervals + 1, 4, n],
    C-contiguous, the last row zero; grid: 1/r at the table's begin, intervals per 1/Angstrom; chunks: a tuple
    of n / 8 things, which tells the compiler how many.
    """
    many = len(chunks)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pairs, first, number, rows, numbers, _, target = arguments
        eight = _Eight(context, builder, (vectors, table), (pairs, first, number, rows, numbers))
        data = context.make_array(row)(context, builder, target).data
        places = [builder.gep(data, [int64(WIDTH * chunk)]) for chunk in range(many)]
        sums = [Lanes(builder, [load(builder, place)]) for place in places]
        for pair in range(WIDTH):
            t = eight.of_pair(pair)
            for chunk in range(many):
                c0, c1, c2, c3 = (Lanes(builder, [c]) for c in eight.coefficients(pair, chunk, many))
                sums[chunk] = sums[chunk] + (c0 + t * (c1 + t * (c2 + t * c3)))
        for place, total in zip(places, sums, strict=True):
            store(builder, total.vectors[0], place)
        bits = builder.zext(builder.bitcast(eight.missed, ir.IntType(WIDTH)), simd.INT64)
        return builder.ctpop(bits)

    return types.int64(vectors, at, count, table, grid, chunks, row), generate


@intrinsic
def put_gradients(
    typing: Any,
    vectors: Any,
    at: Any,
    count: Any,
    table: Any,
    grid: Any,
    chunks: Any,
    slopes: Any,
    out: Any,
    to: Any,
) -> Any:
    """Write dE/d(vector) of eight pairs from ``at`` on to ``out`` [n, 3] from ``to`` on.

    From the pair ``count`` on they are 0. slopes [n] is dE/d(sensitivity); the others are as of
    :func:`add_sensitivities`.
    """
    many = len(chunks)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pairs, first, number, rows, numbers, _, given, target, place = arguments
        eight = _Eight(context, builder, (vectors, table), (pairs, first, number, rows, numbers))
        data = context.make_array(slopes)(context, builder, given).data
        weights = [
            Lanes(builder, [load(builder, builder.gep(data, [int64(WIDTH * chunk)]))])
            for chunk in range(many)
        ]
        two, three = (constant(eight.type, value) for value in (2.0, 3.0))
        parts = []
        for pair in range(WIDTH):
            t, total = eight.of_pair(pair), None
            for chunk in range(many):
                _, c1, c2, c3 = (Lanes(builder, [c]) for c in eight.coefficients(pair, chunk, many))
                term = weights[chunk] * (c1 + t * (c2 * two + t * (c3 * three)))
                total = term if total is None else total + term
            assert total is not None
            parts.append(total.vectors[0])
        pull = Lanes(builder, [_sums(builder, parts)]) * eight.scale
        inverse = eight.inverse
        pull = (pull * inverse * inverse * inverse).map(
            lambda each: builder.select(eight.counts, builder.fneg(each), constant(eight.type, 0.0))
        )
        x, y, z = ((pull * d).vectors[0] for d in eight.d)
        array = context.make_array(out)(context, builder, target)
        begin = builder.gep(array.data, [builder.mul(place, int64(3))])
        xy = shuffle(builder, x, y, range(16))
        zz = shuffle(builder, z, z, [*range(8), *[0] * 8])
        for k in range(3):
            lanes = [(n % 3) * WIDTH + n // 3 for n in range(WIDTH * k, WIDTH * (k + 1))]
            store(
                builder,
                shuffle(builder, xy, zz, lanes),
                builder.gep(begin, [int64(WIDTH * k)]),
            )
        return context.get_dummy_value()

    return types.none(vectors, at, count, table, grid, chunks, slopes, out, to), generate


def _sums(builder: Any, parts: list[Any]) -> Any:
    """Return the sum of each of eight vectors in one vector."""
    # halves: add neighbours of two vectors at a time
    while len(parts) > 1:
        halved = []
        for one, other in zip(parts[::2], parts[1::2], strict=True):
            even = shuffle(builder, one, other, range(0, 2 * WIDTH, 2))
            odd = shuffle(builder, one, other, range(1, 2 * WIDTH, 2))
            halved.append(builder.fadd(even, odd, flags=simd.FAST))
        parts = halved
    return parts[0]
