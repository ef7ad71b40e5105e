"""How strongly atoms scatter: neutron lengths of isotopes, X-ray form factors (package ``periodictable``).

Neutron coherent lengths b are those of V. F. Sears, Neutron News 3, 26 (1992) with later corrections; form
factors f(Q) of the free atoms those of D. Waasmaier, A. Kirfel, Acta Cryst. A 51, 416 (1995).
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.elements import SYMBOLS
from votca_mlp.errors import UserError

Array = NDArray[np.float64]
Isotopes = Mapping[str, Mapping[str, float]]
"""By chemical symbol: isotopes such as D or 36Ar with their fractions, which sum to 1."""

_ISOTOPE = re.compile(r"(\d*)([A-Z][a-z]?)")
_HYDROGEN = {"D": ("H", 2), "T": ("H", 3)}
FM2_PER_BARN = 100.0
NEEDED = "pip install periodictable"


@cache
def _elements() -> Any:
    try:
        import periodictable
    except ImportError:
        raise UserError("scattering lengths need the package periodictable", accepted=NEEDED) from None
    return periodictable.elements


def element_of(isotope: str) -> str:
    """Return the chemical symbol of an isotope such as D, 36Ar or Ar.

    Raises
    ------
    UserError
        It is none.
    """
    match = _ISOTOPE.fullmatch(isotope)
    symbol = _HYDROGEN.get(isotope, (match.group(2) if match else "", 0))[0]
    if symbol not in SYMBOLS:
        raise UserError(f"'{isotope}' is no isotope", accepted="a symbol (natural), D, T or such as 36Ar")
    return symbol


def neutron_length(isotope: str) -> float:
    """Return the real part of the bound coherent scattering length of an isotope, fm.

    Parameters
    ----------
    isotope
        ``D``, ``36Ar``, or an element for its natural mixture.

    Raises
    ------
    UserError
        No such isotope, or its length is not known.
    """
    symbol = element_of(isotope)
    element = getattr(_elements(), symbol)
    digits = isotope[: -len(symbol)] if isotope.endswith(symbol) else ""
    number = _HYDROGEN[isotope][1] if isotope in _HYDROGEN else int(digits or 0)
    known = f"{symbol}, or one of {', '.join(f'{n}{symbol}' for n in element.isotopes)}"
    if number and number not in element.isotopes:
        raise UserError(f"{symbol} has no isotope of mass number {number}", accepted=known)
    length = (element[number] if number else element).neutron.b_c
    if length is None:
        raise UserError(f"the scattering length of {isotope} is not known", accepted=known)
    return float(length)


def mean_length(symbol: str, isotopes: Isotopes) -> float:
    """Return the mean scattering length of an element in a sample, fm.

    Parameters
    ----------
    symbol
        Chemical symbol.
    isotopes
        Elements that are not there are natural.

    Raises
    ------
    UserError
        Fractions that do not sum to 1, an isotope of another element.
    """
    mixture = isotopes.get(symbol, {symbol: 1.0})
    total = sum(mixture.values())
    if abs(total - 1.0) > 1e-6 or min(mixture.values()) < 0.0:
        raise UserError(
            f"the isotopes of {symbol} sum to {total:g}", accepted="fractions >= 0 whose sum is 1"
        )
    for isotope in mixture:
        if element_of(isotope) != symbol:
            raise UserError(f"{isotope} is no isotope of {symbol}", accepted=f"isotopes of {symbol}")
    return sum(fraction * neutron_length(isotope) for isotope, fraction in mixture.items())


def parsed_isotopes(text: str) -> dict[str, dict[str, float]]:
    """Return the isotopes that a text such as ``H:0.5 D:0.5 36Ar`` names; without a number the fraction is 1.

    Raises
    ------
    UserError
        A word that is no isotope, a fraction that is no number.
    """
    found: dict[str, dict[str, float]] = {}
    for word in text.replace(",", " ").split():
        isotope, _, number = word.partition(":")
        try:
            fraction = float(number) if number else 1.0
        except ValueError:
            raise UserError(f"'{word}' has no number behind the colon", accepted="such as D:0.5") from None
        found.setdefault(element_of(isotope), {})[isotope] = fraction
    for symbol in found:
        mean_length(symbol, found)
    return found


def strength_of(text: str) -> float:
    """Return b^2 of a sample of one element, barn/sr: what its F(Q) has in the place of S(Q) - 1.

    Parameters
    ----------
    text
        As for :func:`parsed_isotopes`; ``Al`` for the natural element.

    Raises
    ------
    UserError
        None or several elements.
    """
    found = parsed_isotopes(text)
    if len(found) != 1:
        raise UserError(
            f"F(Q) of {', '.join(found) or 'no element'} cannot be made S(Q): of a mixture it is a sum of "
            "partials, for one element only it is b^2 (S - 1)",
            accepted="isotopes of one element, such as 36Ar; for mixtures <scattering> in settings.xml, with "
            "rule gauss_newton",
        )
    ((symbol, _),) = found.items()
    return mean_length(symbol, found) ** 2 / FM2_PER_BARN


def form_factor(symbol: str, q: Array) -> Array:
    """Return the X-ray form factor f(Q) of a free atom in electrons, shape of q (1/Angstrom).

    Raises
    ------
    UserError
        An element without one.
    """
    element_of(symbol)
    values = np.asarray(getattr(_elements(), symbol).xray.f0(np.asarray(q, float)), float)
    if not np.all(np.isfinite(values)):
        raise UserError(
            f"the form factor of {symbol} is not known to {np.max(q):g} 1/Angstrom", accepted="smaller Q"
        )
    return values
