"""The update of a correction shared by several states: the same u(r), or one continuous in temperature.

One u for all states (Moore, Iacovella, McCabe, J. Chem. Phys. 140, 224104 (2014)):
u^{t+1}(r) = u^t(r) + sum_s W_s Delta_s(r), Delta_s = alpha_s kB T_s w_s(r) ln[g_s(r)/g_s*(r)], sum_s W_s = 1.

The same rule with u(r; T) = sum_{k<K} c_k(T) u_k(r), c_k(T) = ((T - T_ref)/T_scale)^k: at every r the changes
of the u_k are the weighted least-squares fit of sum_k c_k(T_s) du_k to Delta_s with the weights W_s, of which
the weighted mean is the case K = 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.update.wibi import hold

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class TemperatureBasis:
    """c_k(T) = ((T - reference)/scale)^k for k < terms; reference and scale in K."""

    terms: int
    reference: float
    scale: float

    def values(self, temperature: float) -> Array:
        """Return c_k(T), shape [terms]."""
        return np.asarray(((temperature - self.reference) / self.scale) ** np.arange(self.terms))


def temperature_basis(
    terms: int, temperatures: Sequence[float], weights: Sequence[float]
) -> TemperatureBasis:
    """Return the c_k for the states' temperatures (K) and weights.

    ``reference`` is the weighted mean; ``scale`` half the range of the temperatures of weight above 0 (the
    reference itself when they are all alike), so that u_1 is the change of u from the middle to an end.
    """
    fitted = [t for t, weight in zip(temperatures, weights, strict=True) if weight > 0]
    reference = float(np.average(temperatures, weights=weights))
    half = 0.5 * (max(fitted) - min(fitted))
    return TemperatureBasis(terms, reference, half if half > 0 else reference)


@dataclass(frozen=True)
class SharedUpdate:
    """Changes of the u_k.

    Attributes
    ----------
    terms
        Shape [K, n].
    flags
        ``i`` where the states determine all K, ``o`` where something is held, shape [n].
    """

    terms: Array
    flags: NDArray[np.str_]


def shared_update(
    updates: Array, usable: Flags, weights: Array, factors: Array, *, start: int = 0
) -> SharedUpdate:
    """Fit the changes of the shared u_k to the states' updates.

    Where a state's update is not usable the state drops out of the sum at that r and the weights of the
    others are normalised to 1 again. Where the states left have fewer temperatures than there are terms, the
    highest terms keep the value of the nearest r at which they are determined, on the side of ``start``, and
    the others are fitted to what remains; where no state is left all terms do. A constant adds no force.

    Parameters
    ----------
    updates
        Delta_s(r), shape [n_states, n], one unit of energy.
    usable
        Where each is determined by its g and g*, same shape.
    weights
        W_s >= 0, shape [n_states]; need not be normalised.
    factors
        c_k(T_s), shape [n_states, K].
    start
        Index of the grid from which values are held outward: that of the main peak of g.

    Raises
    ------
    ValueError
        Shapes that do not fit.
    """
    n_states, n = updates.shape
    n_terms = factors.shape[1]
    if usable.shape != updates.shape or weights.shape != (n_states,) or len(factors) != n_states:
        raise ValueError("updates, flags, weights and factors are of different states")
    used = usable & (weights > 0)[:, None]
    patterns, which = np.unique(used, axis=1, return_inverse=True)
    which = which.reshape(-1)
    # how many terms the states at r can tell apart
    known = np.array([len(np.unique(factors[column], axis=0)) for column in patterns.T])
    known = np.minimum(known, n_terms)[which]
    terms = np.zeros((n_terms, n))
    for count in range(n_terms, -1, -1):
        if count < n_terms:
            # now that they are known at all points that determine more of them
            terms[count, start:] = hold(terms[count], known > count, start)[start:]
            # the point at start counts for its left side too
            terms[count, :start] = hold(terms[count], known > count, start + 1)[:start]
        for k in np.unique(which[known == count]) if count else ():
            states, points = patterns[:, k], (which == k) & (known == count)
            rest = updates[states][:, points] - factors[states, count:] @ terms[count:, points]
            terms[:count, points] = _fit(factors[states, :count], weights[states], rest)
    return SharedUpdate(terms, np.where(known == n_terms, "i", "o"))


def _fit(factors: Array, weights: Array, values: Array) -> Array:
    """Return the weighted least-squares coefficients, shape [n_terms, n]."""
    if factors.shape[1] == 1:
        c = factors[:, 0]
        # c_0 is 1: exactly the weighted mean
        return np.asarray(((weights * c) @ values / (weights @ c**2))[None])
    root = np.sqrt(weights)[:, None]
    return np.asarray(np.linalg.lstsq(root * factors, root * values, rcond=None)[0])
