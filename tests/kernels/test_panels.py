"""Products with a matrix in panels."""

import numpy as np
import pytest

from votca_mlp.kernels.panels import panels_of, panels_product


@pytest.mark.parametrize("columns", [8, 16, 24, 32, 40, 56])
def test_a_product_is_numpys_for_every_width(columns: int) -> None:
    rng = np.random.default_rng(columns)
    rows, depth = 12, 20
    a, b, before = (
        rng.normal(size=s).astype(np.float32) for s in ((rows, depth), (depth, columns), (rows, columns))
    )
    # from a number on
    weights = np.concatenate([np.full(8, np.nan, np.float32), panels_of(b)])
    for add in (False, True):
        out = before.ravel().copy()
        panels_product(rows, columns, depth, a.ravel(), 0, weights, 8, out, 0, add)
        assert np.allclose(out.reshape(rows, columns), a @ b + add * before, atol=1e-5)
