"""The functions c_k(T) of u(r; T) = sum_k c_k(T) u_k(r), as piecewise polynomials.

Interpolation: the cardinal functions of the natural cubic spline (c_k is 1 at T_k and 0 at the others). The
result is linear in the tables, exact at the T_k, twice continuously differentiable, and of all curves through
the data the one of least curvature (Holladay, Math. Comput. 11, 233 (1957)), so that noise of one table is
not blown up between the others as by Lagrange's polynomial. Two temperatures give a straight line, and so do
both ends beyond the fitted range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SPLINE, POLYNOMIAL = "spline", "polynomial"


@dataclass(frozen=True)
class TemperatureFunctions:
    """All c_k(T).

    Attributes
    ----------
    breaks
        Temperatures between two intervals, K, shape [n_intervals - 1].
    origins, scale
        In interval j it is a polynomial in (T - origins[j]) / scale, K.
    coefficients
        Shape [n_intervals, n_terms, order + 1], lowest power first.
    parameters
        What the functions were made from, as plain data: ``form`` and its numbers.
    """

    breaks: Array
    origins: Array
    scale: float
    coefficients: Array
    parameters: dict[str, Any]

    def __len__(self) -> int:
        return int(self.coefficients.shape[1])

    def values(self, temperature: float) -> Array:
        """Return c_k(T), shape [n_terms]."""
        interval, x = self._locate(temperature)
        powers = np.arange(self.coefficients.shape[2])
        return np.asarray(self.coefficients[interval] @ x**powers)

    def slopes(self, temperature: float) -> Array:
        """Return dc_k/dT in 1/K, shape [n_terms]."""
        interval, x = self._locate(temperature)
        powers = np.arange(1, self.coefficients.shape[2])
        return np.asarray(self.coefficients[interval][:, 1:] @ (powers * x ** (powers - 1)) / self.scale)

    def _locate(self, temperature: float) -> tuple[int, float]:
        interval = int(np.searchsorted(self.breaks, temperature, side="right"))
        return interval, (temperature - self.origins[interval]) / self.scale


def spline_functions(temperatures: Sequence[float]) -> TemperatureFunctions:
    """Return the cardinal functions of the natural cubic spline through increasing temperatures, K.

    Raises
    ------
    ValueError
        Fewer than two temperatures, or temperatures that do not increase.
    """
    from scipy.interpolate import CubicSpline

    nodes = np.array(temperatures, float)
    if len(nodes) < 2 or not (np.diff(nodes) > 0).all():
        raise ValueError("a spline in T needs two or more increasing temperatures")
    spline = CubicSpline(nodes, np.eye(len(nodes)), bc_type="natural")
    inside = spline.c[::-1].transpose(1, 2, 0)
    # scipy's first and last column are zero and one to rounding only in its last interval's far end; the
    # pieces beyond the ends start from the temperature itself, so that every T_k gives exactly its table
    ends = np.zeros((2, len(nodes), 4))
    ends[:, :, 1] = spline(nodes[[0, -1]], 1)
    ends[0, 0, 0] = ends[1, -1, 0] = 1.0
    return TemperatureFunctions(
        breaks=nodes,
        origins=np.concatenate([nodes[:1], nodes]),
        scale=1.0,
        coefficients=np.concatenate([ends[:1], inside, ends[1:]]),
        parameters={"form": SPLINE, "temperatures": nodes.tolist()},
    )


def power_functions(terms: int, reference: float, scale: float) -> TemperatureFunctions:
    """Return c_k(T) = ((T - reference) / scale)^k for k = 0 to ``terms`` - 1; both in K.

    Raises
    ------
    ValueError
        No term, or a scale that is not above 0.
    """
    if terms < 1 or not scale > 0:
        raise ValueError("powers of T need at least one term and a scale above 0")
    return TemperatureFunctions(
        breaks=np.empty(0),
        origins=np.array([float(reference)]),
        scale=float(scale),
        coefficients=np.eye(terms)[None],
        parameters={"form": POLYNOMIAL, "reference": float(reference), "scale": float(scale)},
    )
