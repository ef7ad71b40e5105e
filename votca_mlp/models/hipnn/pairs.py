"""Eight pairs of HIP-NN at a time in vector registers: sensitivities, and forces from their gradient."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from votca_mlp.kernels import simd
from votca_mlp.kernels.simd import INT32, WIDTH, Lanes, constant, int64, load, shuffle, splat, store, vector


class Eight:
    """Distances of eight pairs, and the rows of the table that they need.

    Pairs beyond the cutoff, too close for the table, or not there (from ``count`` on, where it is given) get
    the last row, which is zero.

    Parameters
    ----------
    context, builder
        Of the function's LLVM code.
    d
        x, y, z of the pairs' vectors.
    kind, table, grid
        Type and value of the table [n_intervals + 1, 4, n], and of 1/r at its begin and intervals per
        1/Angstrom.
    count
        How many pairs there are.
    """

    def __init__(
        self, context: Any, builder: Any, d: list[Lanes], kind: Any, table: Any, grid: Any, count: Any = None
    ) -> None:
        self.builder, self.type, self.d = builder, context.get_value_type(kind.dtype), d
        array = context.make_array(kind)(context, builder, table)
        self.rows = array.data
        last = builder.sub(builder.extract_value(array.shape, 0), int64(1))
        intervals = Lanes(builder, [splat(builder, builder.sitofp(last, self.type))])
        begin, scale = (Lanes(builder, [splat(builder, builder.extract_value(grid, k))]) for k in (0, 1))
        self.scale = scale
        x, y, z = self.d
        self.squares = x * x + y * y + z * z
        self.inverse = self.squares.inverse_root()
        u = (self.inverse - begin) * scale
        # not ">=": a nan is no index either
        fits = builder.fcmp_ordered("<", u.vectors[0], intervals.vectors[0])
        self.missed = builder.not_(fits)
        near = builder.fcmp_ordered(">", u.vectors[0], constant(self.type, 0.0))
        self.counts = builder.and_(near, fits)
        if count is not None:
            numbers = ir.Constant(vector(INT32), list(range(WIDTH)))
            there = builder.icmp_signed("<", numbers, splat(builder, builder.trunc(count, INT32)))
            self.missed, self.counts = builder.and_(there, self.missed), builder.and_(there, self.counts)
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

    def sensitivity(self, pair: int, chunk: int, chunks: int) -> Lanes:
        """Return eight sensitivities of one of the pairs."""
        c0, c1, c2, c3 = (Lanes(self.builder, [c]) for c in self.coefficients(pair, chunk, chunks))
        t = self.of_pair(pair)
        return c0 + t * (c1 + t * (c2 + t * c3))

    def pulls(self, weights: Callable[[int], list[Lanes]], chunks: int) -> Lanes:
        """Return dE/dr / r of the pairs; ``weights`` gives dE/d(sensitivity) of one of them."""
        builder = self.builder
        two, three = (constant(self.type, value) for value in (2.0, 3.0))
        parts = []
        for pair in range(WIDTH):
            t, total = self.of_pair(pair), None
            for chunk, weight in enumerate(weights(pair)):
                _, c1, c2, c3 = (Lanes(builder, [c]) for c in self.coefficients(pair, chunk, chunks))
                term = weight * (c1 + t * (c2 * two + t * (c3 * three)))
                total = term if total is None else total + term
            assert total is not None
            parts.append(total.vectors[0])
        pull = Lanes(builder, [_sums(builder, parts)]) * self.scale
        inverse = self.inverse
        return (pull * inverse * inverse * inverse).map(
            lambda each: builder.select(self.counts, builder.fneg(each), constant(self.type, 0.0))
        )

    def too_close(self) -> Any:
        """Return how many of the pairs are too close for the table."""
        builder = self.builder
        return builder.ctpop(builder.zext(builder.bitcast(self.missed, ir.IntType(WIDTH)), simd.INT64))


def _in_turn(context: Any, builder: Any, kind: Any, vectors: Any, at: Any) -> list[Lanes]:
    """Return x, y, z of eight vectors from ``at`` on of an array [n, 3]."""
    array = context.make_array(kind)(context, builder, vectors)
    first = builder.gep(array.data, [builder.mul(at, int64(3))])
    flat = [load(builder, builder.gep(first, [int64(WIDTH * k)])) for k in range(3)]
    two = shuffle(builder, flat[0], flat[1], range(16))
    three = shuffle(builder, flat[2], flat[2], [*range(8), *[0] * 8])
    lanes = [[3 * n + k for n in range(WIDTH)] for k in range(3)]
    return [Lanes(builder, [shuffle(builder, two, three, lanes[k])]) for k in range(3)]


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
        d = _in_turn(context, builder, vectors, pairs, first)
        eight = Eight(context, builder, d, table, rows, numbers, number)
        data = context.make_array(row)(context, builder, target).data
        places = [builder.gep(data, [int64(WIDTH * chunk)]) for chunk in range(many)]
        sums = [Lanes(builder, [load(builder, place)]) for place in places]
        for pair in range(WIDTH):
            for chunk in range(many):
                sums[chunk] = sums[chunk] + eight.sensitivity(pair, chunk, many)
        for place, total in zip(places, sums, strict=True):
            store(builder, total.vectors[0], place)
        return eight.too_close()

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
        d = _in_turn(context, builder, vectors, pairs, first)
        eight = Eight(context, builder, d, table, rows, numbers, number)
        data = context.make_array(slopes)(context, builder, given).data
        weights = [
            Lanes(builder, [load(builder, builder.gep(data, [int64(WIDTH * chunk)]))])
            for chunk in range(many)
        ]
        pull = eight.pulls(lambda pair: weights, many)
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
