"""Vectors of several numbers at a time in numba functions, written as LLVM's own vectors.

numba vectorises a simple loop, but not one over small blocks of atoms; LLVM compiles these operations for
whatever vector registers the machine has. ``Lanes`` holds several vectors and does each operation on all of
them before the next: so the processor finds independent work while one of them waits for its operands.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numpy.typing import NDArray

WIDTH = 8
"""Numbers in a vector."""

INT32, INT64 = ir.IntType(32), ir.IntType(64)
# no "nnan"/"ninf": a broken configuration must give nan, not something plausible
FAST = ("nsz", "arcp", "contract", "reassoc")


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy that begins at a line of the cache: a vector across two of them takes twice as long."""
    line = 64
    room = np.empty(array.nbytes + line, np.uint8)
    begin = -room.ctypes.data % line
    copy = room[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def int64(value: int) -> ir.Constant:
    """Return a number of INT64."""
    return ir.Constant(INT64, value)


def vector(element: ir.Type, width: int = WIDTH) -> ir.VectorType:
    """Return the type of a vector."""
    return ir.VectorType(element, width)


def constant(element: ir.Type, value: float) -> ir.Constant:
    """Return a vector of equal numbers."""
    return ir.Constant(vector(element), [value] * WIDTH)


def shuffle(builder: Any, x: Any, y: Any, lanes: Sequence[int]) -> Any:
    """Return the numbers of x (0 to WIDTH - 1) and y (from WIDTH) in the order of ``lanes``."""
    return builder.shuffle_vector(x, y, ir.Constant(vector(INT32, len(lanes)), list(lanes)))


def splat(builder: Any, x: Any) -> Any:
    """Return a vector of the same number."""
    undefined = ir.Constant(vector(x.type), ir.Undefined)
    first = builder.insert_element(undefined, x, ir.Constant(INT32, 0))
    return shuffle(builder, first, undefined, [0] * WIDTH)


def total(builder: Any, x: Any) -> Any:
    """Return the sum of a vector's numbers."""
    element = x.type.element
    name = f"llvm.vector.reduce.fadd.v{WIDTH}{_suffix(element)}"
    reduce = cgutils.get_or_insert_function(builder.module, ir.FunctionType(element, [element, x.type]), name)
    return builder.call(reduce, [ir.Constant(element, 0.0), x], fastmath=("reassoc",))


def load(builder: Any, pointer: Any, width: int = WIDTH) -> Any:
    """Return the vector at a pointer to its first number."""
    element = pointer.type.pointee
    place = builder.bitcast(pointer, vector(element, width).as_pointer())
    return builder.load(place, align=size(element))


def store(builder: Any, x: Any, pointer: Any) -> None:
    """Store a vector from a pointer to its first number on."""
    builder.store(x, builder.bitcast(pointer, x.type.as_pointer()), align=size(x.type.element))


def size(element: ir.Type) -> int:
    """Return the bytes of a number."""
    return 4 if element in (ir.FloatType(), INT32) else 8


def _suffix(element: ir.Type) -> str:
    return f"f{8 * size(element)}"


class Columns:
    """The rows of a C-contiguous array [3, n] in LLVM code."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        self.builder, length = builder, builder.extract_value(array.shape, 1)
        self.begins = [
            builder.gep(array.data, [builder.mul(length, ir.Constant(length.type, k))]) for k in range(3)
        ]

    def at(self, k: int, place: Any) -> Any:
        """Return the pointer to number ``place`` of row k."""
        return self.builder.gep(self.begins[k], [place])


class Lanes:
    """Several vectors of floating-point numbers with the usual arithmetic.

    Parameters
    ----------
    builder
        Of the function's LLVM code.
    vectors
        At least one.
    """

    def __init__(self, builder: Any, vectors: Sequence[Any]) -> None:
        self.builder, self.vectors = builder, list(vectors)

    def map(self, function: Callable[..., Any], *others: Any) -> "Lanes":
        """Return function(vector, other, ...) of each vector; others are Lanes, or one vector for all."""
        columns = [other.vectors if isinstance(other, Lanes) else [other] * len(self) for other in others]
        return Lanes(self.builder, [function(*each) for each in zip(self.vectors, *columns, strict=True)])

    def __len__(self) -> int:
        return len(self.vectors)

    def __add__(self, other: Any) -> "Lanes":
        return self.map(lambda x, y: self.builder.fadd(x, y, flags=FAST), other)

    def __sub__(self, other: Any) -> "Lanes":
        return self.map(lambda x, y: self.builder.fsub(x, y, flags=FAST), other)

    def __mul__(self, other: Any) -> "Lanes":
        return self.map(lambda x, y: self.builder.fmul(x, y, flags=FAST), other)

    def larger(self, other: Any) -> "Lanes":
        """Return the larger numbers, those of ``other`` in place of nan."""
        return self._chosen(">", other)

    def smaller(self, other: Any) -> "Lanes":
        """Return the smaller numbers, those of ``other`` in place of nan."""
        return self._chosen("<", other)

    def inverse_root(self) -> "Lanes":
        """Return 1 / sqrt(x)."""
        kind = self.vectors[0].type
        name = f"llvm.sqrt.v{WIDTH}{_suffix(kind.element)}"
        root = cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(kind, [kind]), name)
        one = constant(kind.element, 1.0)
        return self.map(lambda x: self.builder.fdiv(one, self.builder.call(root, [x]), flags=FAST))

    def _chosen(self, order: str, other: Any) -> "Lanes":
        builder = self.builder
        return self.map(lambda x, y: builder.select(builder.fcmp_ordered(order, x, y), x, y), other)


def indices(builder: Any, vector_of_32: Any) -> list[Any]:
    """Return the numbers of a vector of INT32, none below 0, as INT64.

    Two at once leave the vector registers.
    """
    pairs = builder.bitcast(vector_of_32, vector(INT64, WIDTH // 2))
    found = []
    for pair in range(WIDTH // 2):
        word = builder.extract_element(pairs, ir.Constant(INT32, pair))
        found += [builder.and_(word, int64(2**32 - 1)), builder.lshr(word, int64(32))]
    return found


def rows_of_four(builder: Any, table: Any, index: Lanes) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """Return the four columns of rows of a table, for each lane the row of its index.

    table points to its first number, index holds vectors of INT32. Each row is one load, and the rows are
    transposed in registers: several times faster than gathering number by number.
    """
    places = [indices(builder, k) for k in index.vectors]
    loaded = [
        [load(builder, builder.gep(table, [builder.mul(row, int64(4))]), 4) for row in rows]
        for rows in places
    ]
    return columns(builder, loaded)


def columns(builder: Any, loaded: Sequence[list[Any]]) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """Return the columns of WIDTH vectors of four numbers, of each item of ``loaded``."""

    def by(lanes: Sequence[int], xs: list[Any], ys: list[Any]) -> list[Any]:
        return [shuffle(builder, x, y, lanes) for x, y in zip(xs, ys, strict=True)]

    low, high, even, odd = (
        [0, 8, 1, 9, 4, 12, 5, 13],
        [2, 10, 3, 11, 6, 14, 7, 15],
        [0, 1, 8, 9, 4, 5, 12, 13],
        [2, 3, 10, 11, 6, 7, 14, 15],
    )
    a, b, c, d = ([shuffle(builder, rows[q], rows[q + 4], range(8)) for rows in loaded] for q in range(4))
    ab_low, ab_high, cd_low, cd_high = by(low, a, b), by(high, a, b), by(low, c, d), by(high, c, d)
    return (
        Lanes(builder, by(even, ab_low, cd_low)),
        Lanes(builder, by(odd, ab_low, cd_low)),
        Lanes(builder, by(even, ab_high, cd_high)),
        Lanes(builder, by(odd, ab_high, cd_high)),
    )


def rows_of_three(builder: Any, x: Any, y: Any, z: Any) -> list[Any]:
    """Return x, y, z and a fourth number that means nothing of each lane: WIDTH vectors of four."""
    xy = [
        shuffle(builder, x, y, lanes) for lanes in ([0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15])
    ]
    zz = [shuffle(builder, z, z, lanes) for lanes in ([0, 0, 1, 1, 4, 4, 5, 5], [2, 2, 3, 3, 6, 6, 7, 7])]
    # lanes k and k + 4 beside each other
    both = [
        shuffle(
            builder, xy[k // 2], zz[k // 2], [[0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]][k % 2]
        )
        for k in range(4)
    ]
    return [
        shuffle(builder, both[k % 4], both[k % 4], range(k // 4 * 4, k // 4 * 4 + 4)) for k in range(WIDTH)
    ]
