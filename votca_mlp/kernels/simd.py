"""Vectors of several numbers at a time in numba functions, written as LLVM's own vectors.

numba vectorises a simple loop, but not one over small blocks of points; LLVM compiles these operations for
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
    start = builder.bitcast(pointer, vector(element, width).as_pointer())
    return builder.load(start, align=size(element))


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

    def at(self, k: int, index: Any) -> Any:
        """Return the pointer to number ``index`` of row k."""
        return self.builder.gep(self.begins[k], [index])


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
