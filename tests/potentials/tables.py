"""Rough corrections to try: random walks on a grid."""

import numpy as np

from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection


def wiggle(seed: int, n: int = 41, first: float = 2.0, last: float = 6.0):
    random = np.random.default_rng(seed)
    r = np.linspace(first, last, n)
    return r, 0.1 * np.cumsum(random.standard_normal(n))


def correction() -> PairCorrection:
    return PairCorrection(
        {
            (13, 13): akima_from_points(*wiggle(1)),
            (13, 28): akima_from_points(*wiggle(2, n=33, first=1.5, last=5.0)),
        }
    )
