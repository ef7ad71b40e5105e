"""Rows of small tables to and from vectors of WIDTH numbers: transposing in registers.

Reading a row at a time and turning rows into columns in registers is several times faster than gathering
number by number.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from votca_mlp.kernels.simd import INT32, INT64, WIDTH, Lanes, int64, load, shuffle, vector


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

    table points to its first number, index holds vectors of INT32. Each row is one load.
    """
    numbers = [indices(builder, k) for k in index.vectors]
    loaded = [
        [load(builder, builder.gep(table, [builder.mul(row, int64(4))]), 4) for row in rows]
        for rows in numbers
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
