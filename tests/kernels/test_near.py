"""Packing of near points against numpy."""

import numba
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from votca_mlp.kernels.near import PACKED, pack_near
from votca_mlp.kernels.simd import WIDTH

MOST = 40


@numba.njit
def packed(points, begin, stop, own, centre, square, found, n):  # type: ignore[no-untyped-def]
    return pack_near(points, begin, stop, own, centre, square, PACKED, found, n)


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(0, MOST), st.integers(0, MOST)).map(sorted),
    st.integers(0, MOST - 1),
    st.floats(0.0, 4.0),
    st.integers(0, 5),
)
def test_packs_what_is_near(seed, stretch, own, far, n) -> None:
    begin, stop = stretch
    points = np.full((3, MOST + WIDTH), np.inf)
    points[:, :MOST] = np.random.default_rng(seed).uniform(-2.0, 2.0, (3, MOST))
    # what is read behind the stretch does not count, near or not
    points[:, MOST:] = 0.0
    found = np.full(n + MOST + WIDTH, -7, np.int32)
    end = packed(points, begin, stop, own, (0.1, 0.2, 0.3), far * far, found, n)
    distances = np.linalg.norm(points - np.array([[0.1], [0.2], [0.3]]), axis=0)
    expected = [j for j in range(begin, stop) if distances[j] <= far and j != own]
    assert found[n:end].tolist() == expected
    assert (found[:n] == -7).all()


def test_nothing_is_near_a_nan() -> None:
    points = np.zeros((3, MOST + WIDTH))
    points[0, 3] = np.nan
    found = np.zeros(MOST + WIDTH, np.int32)
    assert packed(points, 0, 10, 5, (0.0, 0.0, 0.0), 1.0, found, 0) == 8
    assert 3 not in found[:8]
    assert 5 not in found[:8]
