"""One measured total scattering function, and what a simulation gives for it.

    F(Q) = sum_{a <= b} (2 - delta_ab) c_a c_b w_a(Q) w_b(Q) [S_ab(Q) - 1]

w is the coherent scattering length of a neutron (F in barn/sr an atom, 100 fm^2 = 1 barn) or the form factor
of an X-ray (F in electrons^2). A data set names its normalisation: F as it is, over <w>^2, or over <w^2>;
averages over all atoms (D. A. Keen, J. Appl. Cryst. 34, 172 (2001), eqs. 13 to 22).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from votca_mlp.observables.low_q import LowFactors
from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.observables.structure_factor import SHARP, PartialFactors, Resolution, composition
from votca_mlp.observables.tail import tail_factors
from votca_mlp.scattering.lengths import FM2_PER_BARN, Isotopes, form_factor, mean_length

Array = NDArray[np.float64]
Radiation = Literal["neutron", "xray"]
Normalisation = Literal["none", "square_of_mean", "mean_of_squares"]

LOW = ".low"
"""Ends the name of the part of a data set at the smallest wave vectors."""


@dataclass(frozen=True)
class ScatteringData:
    """A measured F(Q), by its own normalisation.

    Attributes
    ----------
    name
        Of the data set, unique in a run.
    radiation
        ``neutron`` or ``xray``.
    q
        1/Angstrom, > 0, increasing, shape [n].
    values
        F(Q), zero at large Q, shape [n].
    errors
        Standard errors, shape [n]; None where they are not known.
    isotopes
        Of the sample, for neutrons; elements that are not there are natural.
    normalisation
        What F is divided by: ``none``, ``square_of_mean`` <w>^2 or ``mean_of_squares`` <w^2>.
    resolution
        Of the instrument.
    weight
        Of the data set in a fit.
    fit_scale, fit_background
        Whether a factor and a constant of the measurement are fitted: measured = scale F + background.
    low_q
        Whether the part that pair counts to half the box do not tell of is compared at the smallest wave
        vectors of the box.
    direct
        Whether this is that part.
    source
        The file, for messages.
    """

    name: str
    radiation: Radiation
    q: Array
    values: Array
    errors: Array | None = None
    isotopes: Isotopes = field(default_factory=dict)
    normalisation: Normalisation = "none"
    resolution: Resolution = SHARP
    weight: float = 1.0
    fit_scale: bool = False
    fit_background: bool = False
    low_q: bool = False
    direct: bool = False
    source: str = ""

    @property
    def unit(self) -> str:
        """Unit of F."""
        if self.normalisation != "none":
            return "1"
        return "barn/sr" if self.radiation == "neutron" else "electrons^2"

    def strengths(self, symbols: Sequence[str]) -> dict[str, Array]:
        """Return w(Q) of each element: fm for neutrons, electrons for X-rays, shape [n].

        Raises
        ------
        UserError
            An element or isotope without one.
        """
        if self.radiation == "xray":
            return {symbol: form_factor(symbol, self.q) for symbol in symbols}
        return {symbol: np.full(len(self.q), mean_length(symbol, self.isotopes)) for symbol in symbols}

    def divisor(self, fractions: Mapping[str, float]) -> Array:
        """Return what F as it is, in fm^2 or electrons^2, is divided by, shape [n]."""
        strengths = self.strengths(list(fractions))
        if self.normalisation == "square_of_mean":
            mean = sum(c * strengths[name] for name, c in fractions.items())
            return np.asarray(mean**2)
        if self.normalisation == "mean_of_squares":
            return np.asarray(sum(c * strengths[name] ** 2 for name, c in fractions.items()))
        return np.full(len(self.q), FM2_PER_BARN if self.radiation == "neutron" else 1.0)

    def pair_weights(self, fractions: Mapping[str, float], pairs: Sequence[tuple[str, str]]) -> Array:
        """Return by what each S_ab(Q) - 1 enters F(Q), shape [n_pairs, n].

        Parameters
        ----------
        fractions
            c_a of each element.
        pairs
            Every pair of elements once.
        """
        strengths, divisor = self.strengths(list(fractions)), self.divisor(fractions)
        return np.stack(
            [
                (1.0 if a == b else 2.0) * fractions[a] * fractions[b] * strengths[a] * strengths[b] / divisor
                for a, b in pairs
            ]
        )


def total(data: ScatteringData, partials: PartialFactors) -> Array:
    """Return F(Q) of every frame in the normalisation of a data set, shape [n_frames, n].

    Parameters
    ----------
    partials
        At the Q and with the resolution of the data set.
    """
    weights = data.pair_weights(partials.fractions, partials.pairs)
    return np.asarray(np.einsum("pq,fpq->fq", weights, partials.values))


def beyond(data: ScatteringData, counted: PairHistograms) -> Array:
    """Return what g(r) beyond half the box adds to F(Q), shape [n]; see :mod:`votca_mlp.observables.tail`."""
    _, fractions = composition(counted)
    weights = data.pair_weights(fractions, counted.pairs)
    return np.asarray(
        (weights * tail_factors(counted, data.q, data.resolution.deviation(data.q))).sum(axis=0)
    )


def split_low(
    data: ScatteringData, low: LowFactors, half: float
) -> tuple[ScatteringData, ScatteringData | None]:
    """Return a data set from 2 pi over half the box on, and what it is at the smallest wave vectors below.

    Parameters
    ----------
    half
        Of the box, Angstrom.
    """
    limit = 2.0 * np.pi / half
    above = data.q >= limit - 1e-9
    there = (low.q >= data.q[0]) & (low.q <= min(limit, data.q[-1]) + 1e-9)
    if above.all() or not there.any():
        return data, None
    part = replace(
        data,
        name=f"{data.name}{LOW}",
        q=low.q[there],
        values=np.interp(low.q[there], data.q, data.values),
        errors=None if data.errors is None else np.interp(low.q[there], data.q, data.errors),
        # scale and background are those that the rest has
        fit_scale=False,
        fit_background=False,
        direct=True,
    )
    rest = replace(
        data,
        q=data.q[above],
        values=data.values[above],
        errors=None if data.errors is None else data.errors[above],
    )
    return rest, part


def r_factor(measured: Array, found: Array) -> float:
    """Return the mean square deviation, as EPSR and Dissolve print it."""
    return float(np.mean((measured - found) ** 2))
