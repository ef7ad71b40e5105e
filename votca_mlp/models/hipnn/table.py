"""HIP-NN's sensitivities as cubic polynomials in 1/r."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.kernels.simd import WIDTH, aligned

Grid = tuple[np.float32, np.float32]
"""1/r at a table's begin, and intervals per 1/Angstrom."""

_CLOSEST = 0.8  # Angstrom; closer pairs are left to hippynn's own layers
_VALUE_ERROR, _SLOPE_ERROR = 3e-8, 1e-6  # of the table, relative to the largest value and slope
_MOST_INTERVALS = 1 << 14
_NOTHING = 1e-20  # coefficients below become zero: Intel's cores take 150 cycles for a denormal number


def closest_of(cutoff: float) -> float:
    """Return the distance that tables begin at, Angstrom."""
    return min(_CLOSEST, 0.5 * cutoff)


def sensitivity_table(module: Any, cutoff: float) -> tuple[NDArray[np.float32], Grid]:
    """Return table and grid for a float64 sensitivity module.

    They are those of :func:`votca_mlp.models.hipnn.full_list.environments`. Cubic Hermite polynomials in 1/r
    from values and derivatives; the intervals are halved until values and slopes in their middles are right
    to float32's rounding.

    Raises
    ------
    ValueError
        When the sensitivities are too narrow for any table of sensible size.
    """
    begin, end = 1.0 / cutoff, 1.0 / closest_of(cutoff)
    intervals = 256
    while intervals <= _MOST_INTERVALS:
        step = (end - begin) / intervals
        nodes = begin + step * np.arange(intervals + 1)
        values, slopes = _sensitivities(module, nodes, cutoff)
        c0, c1 = values[:-1], slopes[:-1] * step
        rise, c1_next = values[1:] - values[:-1], slopes[1:] * step
        c2, c3 = 3 * rise - 2 * c1 - c1_next, c1 + c1_next - 2 * rise
        middle, middle_slope = _sensitivities(module, nodes[:-1] + 0.5 * step, cutoff)
        wrong = np.abs(c0 + 0.5 * c1 + 0.25 * c2 + 0.125 * c3 - middle).max()
        # the slope of the cubic is worst at a quarter of the interval; its middle is right to higher order
        quarter_slope = _sensitivities(module, nodes[:-1] + 0.25 * step, cutoff)[1]
        wrong_slope = np.abs((c1 + 0.5 * c2 + 0.1875 * c3) / step - quarter_slope).max()
        largest, steepest = np.abs(middle).max(), np.abs(middle_slope).max()
        if wrong <= _VALUE_ERROR * largest and wrong_slope <= _SLOPE_ERROR * steepest:
            break
        intervals *= 2
    else:
        raise ValueError("the sensitivities are too narrow to be tabulated")
    width = -(-values.shape[1] // WIDTH) * WIDTH
    table = np.zeros((intervals + 1, 4, width), np.float32)
    table[:-1, :, : values.shape[1]] = np.stack([c0, c1, c2, c3], axis=1)
    table[np.abs(table) < _NOTHING] = 0.0
    return aligned(table), (np.float32(begin), np.float32(1.0 / step))


def _sensitivities(
    module: Any, inverse: NDArray[Any], cutoff: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sensitivities and their derivatives by 1/r, shape [n, n_sensitivities]."""
    x = torch.from_numpy(inverse).requires_grad_(True)
    # the first node may round to just beyond the cutoff, where the module is zero anyway
    values = module((1.0 / x).clamp(max=cutoff))
    slopes = [torch.autograd.grad(column.sum(), x, retain_graph=True)[0] for column in values.unbind(1)]
    return values.detach().numpy(), torch.stack(slopes, 1).numpy()
