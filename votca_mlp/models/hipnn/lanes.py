"""Eight pairs of HIP-NN at a time in vector registers: sensitivities, and the slopes of the energy."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from votca_mlp.kernels import simd
from votca_mlp.kernels.simd import INT32, WIDTH, Lanes, constant, int64, load, shuffle, splat, vector
from votca_mlp.kernels.transpose import indices


class PairLanes:
    """A pair in each lane: distances, and the rows of the table that they need.

    Pairs beyond the cutoff, too close for the table, or missing (from ``count`` on, where it is given) get
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
            given = builder.icmp_signed("<", numbers, splat(builder, builder.trunc(count, INT32)))
            self.missed, self.counts = builder.and_(given, self.missed), builder.and_(given, self.counts)
        u = Lanes(builder, [builder.select(self.counts, u.vectors[0], intervals.vectors[0])])
        k = u.map(lambda each: builder.fptosi(each, vector(INT32)))
        self.t = u - k.map(lambda each: builder.sitofp(each, vector(self.type)))
        self.index = indices(builder, k.vectors[0])

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

    def force_scales(self, weights: Callable[[int], list[Lanes]], chunks: int) -> Lanes:
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
        scales = Lanes(builder, [_sums(builder, parts)]) * self.scale
        inverse = self.inverse
        return (scales * inverse * inverse * inverse).map(
            lambda each: builder.select(self.counts, builder.fneg(each), constant(self.type, 0.0))
        )

    def too_close(self) -> Any:
        """Return how many of the pairs are too close for the table."""
        builder = self.builder
        return builder.ctpop(builder.zext(builder.bitcast(self.missed, ir.IntType(WIDTH)), simd.INT64))


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
