"""A step that made it worse is taken back, and the next one goes half as far."""

import numpy as np

from votca_mlp.update.gauss_newton.response import Response
from votca_mlp.update.gauss_newton.solve import Wanted
from votca_mlp.update.gauss_newton.trust import Base, base_of, distances

N = 40
WANTED = Wanted(np.zeros(N), np.full(N, 0.01), np.ones(N), np.full(N, 0.5), np.ones(N, bool))


def runs(*chi2: float) -> list[Response]:
    """Return simulations at these chi2, of errors as large as the data's."""
    signs = np.where(np.arange(N) % 2, 1.0, -1.0)
    blocks = np.zeros((2, N, 3))
    return [Response(signs * np.sqrt(0.02 * value), np.full(N, 0.01), blocks) for value in chi2]


def test_a_step_that_made_it_worse_is_taken_back() -> None:
    assert np.allclose(distances(runs(9.0, 1.0), WANTED), [9.0, 1.0])
    assert base_of(runs(9.0), WANTED) == Base(0)
    assert base_of(runs(9.0, 4.0), WANTED) == Base(1)
    # near agreement chi2 scatters
    assert base_of(runs(9.0, 1.0, 1.4), WANTED) == Base(2)
    assert base_of(runs(9.0, 1.0, 1.6), WANTED) == Base(1, 0.5)
    assert base_of(runs(9.0, 1.0, 8.0, 3.6), WANTED) == Base(1, 0.25)
    # found again
    assert base_of(runs(9.0, 1.0, 8.0, 0.9), WANTED) == Base(3)
    assert base_of(runs(9.0, 1.0, 1.2, 8.0), WANTED) == Base(1, 0.5)
