"""A pair correction continuous in temperature: u(r; T) = sum_k c_k(T) u_k(r).

The sum is formed of the splines' coefficients, not of the tables: Akima's rule is not linear in the data, so
the spline through a sum of tables is not the sum of their splines. In this way u(r; T_k) is exactly the
spline of table k, and the force is exactly -du/dr at every temperature.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.potentials.akima import AkimaPair
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.potentials.temperature_functions import (
    TemperatureFunctions,
    power_functions,
    spline_functions,
)
from votca_mlp.units import ANGSTROM_PER_NM

GRID_TOLERANCE = 1e-5
"""Grids agree when first point, spacing and end differ by less, Angstrom."""
EDGE = 1e-6
"""K; a thermostat's kB T over kB is not the temperature to the last bit."""


@dataclass(frozen=True)
class TemperatureCorrection:
    """u(r; T) of all pairs of species.

    Attributes
    ----------
    terms
        The u_k, all of the same pairs on the same grids.
    functions
        The c_k(T).
    minimum, maximum
        Fitted range, K.
    allow_extrapolation
        Whether temperatures outside are answered (with a warning) instead of refused.
    """

    terms: tuple[PairCorrection, ...]
    functions: TemperatureFunctions
    minimum: float
    maximum: float
    allow_extrapolation: bool = False

    @property
    def cutoff(self) -> float:
        """Largest r_max, Angstrom."""
        return self.terms[0].cutoff

    @property
    def nodes(self) -> list[float]:
        """The temperatures at which a table is met exactly, K; of powers of T the ends of the range."""
        return list(self.functions.parameters.get("temperatures", [self.minimum, self.maximum]))

    def at(self, temperature: float) -> PairCorrection:
        """Return the correction at a temperature in K.

        Raises
        ------
        UserError
            No temperature, or one outside the fitted range without ``allow_extrapolation``.
        """
        self.check(temperature)
        return self._combined(self.functions.values(temperature))

    def slope_at(self, temperature: float) -> PairCorrection:
        """Return du/dT at a temperature in K: eV/K where :meth:`at` has eV.

        Raises
        ------
        UserError
            As :meth:`at`.
        """
        self.check(temperature)
        return self._combined(self.functions.slopes(temperature))

    def change(self, before: float, after: float) -> PairCorrection:
        """Return u(r; after) - u(r; before), temperatures in K.

        Raises
        ------
        UserError
            As :meth:`at`.
        """
        for temperature in (before, after):
            self.check(temperature)
        return self._combined(self.functions.values(after) - self.functions.values(before))

    def check(self, temperature: float) -> None:
        """Refuse a temperature (K) that the correction was not made for.

        Raises
        ------
        UserError
            See :meth:`at`.
        """
        if not (np.isfinite(temperature) and temperature > 0):
            raise UserError(f"{temperature} is no temperature", accepted="a number above 0, in K")
        if self.inside(temperature):
            return
        if not self.allow_extrapolation:
            raise UserError(
                f"{temperature:g} K is outside the fitted range of u(r; T), "
                f"{self.minimum:g} to {self.maximum:g} K",
                accepted="a temperature in this range; an extrapolated correction does harm, so it must be "
                "allowed: --extrapolate, or allow_extrapolation=True",
            )
        warnings.warn(
            f"u(r; T) is extrapolated: it was fitted from {self.minimum:g} to {self.maximum:g} K",
            stacklevel=3,
        )

    def inside(self, temperature: float) -> bool:
        """Return whether a temperature (K) is in the fitted range."""
        return self.minimum - EDGE <= temperature <= self.maximum + EDGE

    def with_extrapolation(self, allowed: bool = True) -> "TemperatureCorrection":
        """Return the same correction that answers, or refuses, temperatures outside its range."""
        return replace(self, allow_extrapolation=allowed)

    def _combined(self, factors: NDArray[np.float64]) -> PairCorrection:
        pairs = {}
        for pair, spline in self.terms[0].pairs.items():
            stack = np.stack([term.pairs[pair].coefficients for term in self.terms])
            pairs[pair] = replace(spline, coefficients=np.tensordot(factors, stack, axes=1))
        return PairCorrection(pairs)


def interpolated(
    corrections: Mapping[float, PairCorrection],
    *,
    names: Sequence[str] | None = None,
    allow_extrapolation: bool = False,
) -> TemperatureCorrection:
    """Join corrections that were fitted separately, by their temperatures in K.

    Parameters
    ----------
    names
        What messages call the corrections, in their order; by default their temperatures.

    Raises
    ------
    UserError
        Fewer than two temperatures, one that is no temperature, other pairs of species, other grids.
    """
    if len(corrections) < 2:
        raise UserError("one temperature is not enough", accepted="corrections of two or more temperatures")
    for temperature in corrections:
        if not (np.isfinite(temperature) and temperature > 0):
            raise UserError(f"{temperature} is no temperature", accepted="a number above 0, in K")
    called = dict(zip(corrections, names or [f"{kelvin:g} K" for kelvin in corrections], strict=True))
    ordered = sorted(corrections)
    terms = tuple(corrections[kelvin] for kelvin in ordered)
    _check_same(terms, [called[kelvin] for kelvin in ordered])
    functions = spline_functions(ordered)
    return TemperatureCorrection(terms, functions, ordered[0], ordered[-1], allow_extrapolation)


def from_terms(
    terms: Sequence[PairCorrection],
    reference: float,
    scale: float,
    *,
    minimum: float,
    maximum: float,
    allow_extrapolation: bool = False,
) -> TemperatureCorrection:
    """Return u(r; T) = sum_k ((T - reference) / scale)^k u_k(r), fitted from ``minimum`` to ``maximum``; K.

    Raises
    ------
    UserError
        No term, a scale or range that is none, other pairs of species or grids in a term.
    """
    if (
        not terms
        or not scale > 0
        or not 0 < minimum <= maximum < np.inf
        or not np.isfinite(reference + scale)
    ):
        raise UserError(
            f"no correction from {len(terms)} terms in (T - {reference:g}) / {scale:g}, "
            f"{minimum:g} to {maximum:g} K",
            accepted="at least one term, a scale above 0, a range of temperatures above 0",
        )
    _check_same(terms, [f"term {k}" for k in range(len(terms))])
    functions = power_functions(len(terms), reference, scale)
    return TemperatureCorrection(tuple(terms), functions, minimum, maximum, allow_extrapolation)


def _check_same(terms: Sequence[PairCorrection], names: Sequence[str]) -> None:
    from ase.data import chemical_symbols

    def words(pairs: set[tuple[int, int]]) -> str:
        return ", ".join("-".join(chemical_symbols[z] for z in pair) for pair in sorted(pairs)) or "none"

    first = terms[0]
    for term, name in zip(terms[1:], names[1:], strict=True):
        if set(term.pairs) != set(first.pairs):
            raise UserError(
                f"interactions {words(set(term.pairs))}, but {names[0]} has {words(set(first.pairs))}",
                where=name,
                accepted="the same interactions at every temperature",
            )
        for pair, spline in term.pairs.items():
            if not _same_grid(spline, first.pairs[pair]):
                wanted = _grid(first.pairs[pair])
                raise UserError(
                    f"u(r) of {words({pair})} is on the grid {_grid(spline)} nm, {names[0]} has {wanted}",
                    where=name,
                    accepted="one grid at all temperatures; "
                    f"csg_resample --in OLD --out NEW --grid {wanted} makes it where OLD covers the range",
                )


def _same_grid(a: AkimaPair, b: AkimaPair) -> bool:
    differences = np.array([a.first - b.first, a.cutoff - b.cutoff])
    return len(a.coefficients) == len(b.coefficients) and bool((np.abs(differences) < GRID_TOLERANCE).all())


def _grid(spline: AkimaPair) -> str:
    values = (spline.first, spline.step, spline.cutoff)
    return ":".join(f"{value / ANGSTROM_PER_NM:.6g}" for value in values)
