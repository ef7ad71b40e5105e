"""The (weighted) iterative Boltzmann inversion update as a function over arrays.

u^{t+1}(r) = u^t(r) + alpha kBT w(r) ln[g^t(r) / g_E(r)]    (Matin et al. 2023, eq. 1)
"""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError

Array = NDArray[np.float64]

ZERO_RDF = 1e-10
"""A g(r) not above this is zero and its logarithm undefined (the limit of VOTCA's update_ibi_pot.pl)."""


def wibi_update(
    rdf: Array,
    target: Array,
    kbt: float,
    *,
    alpha: float = 1.0,
    weight: Array | float = 1.0,
    defined: NDArray[np.bool_] | None = None,
) -> tuple[Array, NDArray[np.str_]]:
    """Return the update of u and its flags.

    Where g or g_E is zero the logarithm is undefined: such a point is flagged ``o`` and holds the value of
    the nearest defined point on the side of the RDF's maximum, a constant, which adds no force. All other
    points are flagged ``i``. No floor is added to either RDF. With ``alpha=1`` and ``weight=1`` this is
    VOTCA's own kernel.

    Parameters
    ----------
    rdf, target
        g^t and g_E on one grid, shape [n].
    kbt
        kB T; the update has its unit.
    alpha
        Non-negative step length, dimensionless.
    weight
        w(r), non-negative, shape [n] or a number.
    defined
        Points at which the current potential is defined, shape [n]; others are treated as undefined. All
        of them when None.

    Raises
    ------
    UserError
        A negative alpha or weight, or an RDF that is zero everywhere or nowhere defined with its partner.
    ValueError
        Shapes that differ.
    """
    if rdf.shape != target.shape or rdf.ndim != 1:
        raise ValueError("rdf and target must be on one grid")
    weight = np.broadcast_to(np.asarray(weight, float), rdf.shape)
    if alpha < 0:
        raise UserError(f"alpha is {alpha:g}", where="inverse.wibi.alpha", accepted="a number >= 0")
    if np.any(weight < 0):
        raise UserError("the weight is negative", where="inverse.wibi.weight", accepted="weights >= 0")
    for name, values in (("simulated", rdf), ("target", target)):
        if not np.any(values > ZERO_RDF):
            raise UserError(
                f"the {name} RDF is zero everywhere, so there is nothing to learn from it",
                accepted="an RDF with pairs: check bead types, the topology and the grid",
            )
    usable = (rdf > ZERO_RDF) & (target > ZERO_RDF)
    if defined is not None:
        usable &= defined
    if not usable.any():
        raise UserError("simulated and target RDF have no point in common at which both are non-zero")
    update = np.zeros_like(rdf, dtype=float)
    update[usable] = alpha * kbt * weight[usable] * np.log(rdf[usable] / target[usable])
    return hold(update, usable, int(np.argmax(rdf))), np.where(usable, "i", "o")


def hold(values: Array, usable: NDArray[np.bool_], start: int) -> Array:
    """Replace unusable values by the nearest usable one on the side of index ``start``, 0 without one."""
    held = np.empty_like(values)
    held[start:] = _hold(values[start:], usable[start:])
    # without the point at start itself, as VOTCA's kernel
    held[:start] = _hold(values[:start][::-1], usable[:start][::-1])[::-1]
    return held


def _hold(values: Array, usable: NDArray[np.bool_]) -> Array:
    """Replace unusable values by the last usable one before them (0 where there is none)."""
    last = np.maximum.accumulate(np.where(usable, np.arange(len(values)), -1))
    return np.where(last >= 0, values[last], 0.0)
