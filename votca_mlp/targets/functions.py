"""The functions that diffraction programs write, and what makes g(r) or S(Q) of each.

| name | function | becomes |
|---|---|---|
| g | g(r) | g |
| g-1 | g(r) - 1 (EPSR, Gudrun's .mgor01) | g = 1 + y |
| G, D | 4 pi rho r (g - 1): the reduced PDF (PDFgetX3, PDFgetN) | g = 1 + y/(4 pi rho r) |
| T | 4 pi rho r g: the total correlation function | g = y/(4 pi rho r) |
| RDF | 4 pi rho r^2 g | g = y/(4 pi rho r^2) |
| S | S(Q), one at large Q | S |
| S-1 | S(Q) - 1, also called i(Q) | S = 1 + y |
| Q(S-1) | Q [S(Q) - 1], the reduced F(Q) of .fq files | S = 1 + y/Q |
| F | F(Q) = b^2 [S(Q) - 1] of one element, in barn/sr an atom (neutrons) | S = 1 + y/b^2 |

Names as in Keen, J. Appl. Cryst. 34, 172 (2001). A file's name for its function is a hint, never a choice:
programs use one letter for several of them.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.targets.choices import Function
from votca_mlp.targets.measured import Measured

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Kind:
    """f = shift + y/factor(x, number), where f is g or S; whether of Q; what the number is that it needs."""

    meaning: str
    of_q: bool
    factor: Callable[[Array, float], Array] | None = None
    shift: float = 0.0
    density: bool = False
    strength: bool = False


def _linear(x: Array, density: float) -> Array:
    return 4.0 * np.pi * density * x


FUNCTIONS: dict[Function, _Kind] = {
    "g": _Kind("g(r)", False),
    "g-1": _Kind("g(r) - 1", False, shift=1.0),
    "G": _Kind("G(r) = 4 pi rho r (g - 1)", False, factor=_linear, shift=1.0, density=True),
    "D": _Kind("D(r) = 4 pi rho r (g - 1)", False, factor=_linear, shift=1.0, density=True),
    "T": _Kind("T(r) = 4 pi rho r g", False, factor=_linear, density=True),
    "RDF": _Kind("4 pi rho r^2 g", False, factor=lambda x, rho: _linear(x, rho) * x, density=True),
    "S": _Kind("S(Q)", True),
    "S-1": _Kind("S(Q) - 1", True, shift=1.0),
    "Q(S-1)": _Kind("Q [S(Q) - 1]", True, factor=lambda x, rho: x, shift=1.0),
    "F": _Kind("F(Q) in barn/sr", True, factor=lambda x, b2: np.full(len(x), b2), shift=1.0, strength=True),
}

_Q = r"\(\s*[QqKk]\s*\)"
_HINTS: tuple[tuple[str, str], ...] = (
    # before their parts; what each matches is taken out of the text
    (rf"[QqKk]\s*\*?\s*[\[({{]\s*S\w*\s*{_Q}\s*-\s*1", "Q(S-1)"),
    (rf"\bS\w*\s*{_Q}\s*-\s*1", "S-1"),
    (rf"\bi\s*{_Q}", "S-1"),
    (rf"\bF\s*{_Q}", "Q(S-1)"),
    (rf"\bS\w*\s*{_Q}", "S"),
    (r"\b[gG]\w*\s*\(\s*r\s*\)\s*-\s*1|\bh\(r\)", "g-1"),
    (r"\bg\w*\s*\(\s*r\s*\)", "g"),
    (r"\bG\s*\((?:r|\$?\\AA)", "G"),
    (r"\bD\s*\(r\)", "D"),
    (r"\bT\s*\(r\)", "T"),
    (r"\b(?:RDF|R)\s*\(r\)", "RDF"),
    (r"\b[nN]\w*\s*\(r\)", "n"),
)
_ENDINGS = {".sq": "S", ".fq": "Q(S-1)", ".iq": "S-1", ".mint01": "S-1", ".mdcs01": "S-1"}


def hinted(data: Measured) -> str | None:
    """Return what heading or ending say that the file holds: a name, "n" (a coordination number) or None."""
    for text in (data.name, data.heading):
        found = in_text(text)
        if len(found) > 1 and "g" in found:
            # r, g(r), n(r) in one line that cannot be taken apart
            return "g"
        if len(found) == 1:
            return found[0]
        if found:
            return None
    if re.match(r"\s*[Qqk]\b", data.heading):
        return "S"
    return _ENDINGS.get(data.source.suffix.lower())


def in_text(text: str) -> list[str]:
    """Return the functions that a heading names."""
    text, found = text[:500], []
    for pattern, name in _HINTS:
        if re.search(pattern, text):
            found.append(name)
            text = re.sub(pattern, " ", text)
    return found


def chosen(data: Measured, function: Function | None, *, usual: Function = "g") -> tuple[Function, list[str]]:
    """Return the function of a file, and a note on what was assumed.

    Parameters
    ----------
    data
        As it was read.
    function
        As the user named it; None: the usual one, unless the file says otherwise.
    usual
        g, or S where the data are known to be of Q.

    Raises
    ------
    UserError
        A heading or an ending that says something else.
    """
    hint = hinted(data)
    wanted: Function = function or usual
    if hint is None or hint == wanted:
        return wanted, [] if hint else [f"taken as {FUNCTIONS[wanted].meaning}: the file does not say"]
    if hint == "n":
        raise UserError(
            f"the heading '{data.name or data.heading}' says a coordination number",
            where=data.source,
            accepted="the columns of r and g(r), such as --columns 1,2",
        )
    if hint not in FUNCTIONS:
        return wanted, []
    says = FUNCTIONS[hint]
    by = (
        f"heading '{(data.name or data.heading)[:60]}'" if in_text(data.name + " " + data.heading) else "name"
    )
    if function is None or says.of_q != FUNCTIONS[function].of_q:
        raise UserError(
            f"the file's {by} says {says.meaning}, not {FUNCTIONS[wanted].meaning}",
            where=data.source,
            accepted=f"--function '{hint}', or the one that it is: {', '.join(FUNCTIONS)}",
        )
    return function, [f"taken as {FUNCTIONS[function].meaning}, though the file's {by} says {says.meaning}"]


def converted(
    data: Measured,
    function: Function,
    density: float | None,
    scale: float = 1.0,
    strength: float | None = None,
) -> Measured:
    """Return g(r) or S(Q) with its errors.

    Parameters
    ----------
    data
        x in the file's unit.
    function
        What y is.
    density
        Atoms per cubic Angstrom; needed for G, D, T and RDF.
    scale
        Of x: what makes it Angstrom, or 1/Angstrom.
    strength
        b^2 of the sample's one element in barn/sr; needed for F.

    Raises
    ------
    UserError
        No density or strength where one is needed, or a density in another unit.
    """
    kind = FUNCTIONS[function]
    if kind.strength and strength is None:
        raise UserError(
            f"{kind.meaning} without the sample's isotopes",
            where=data.source,
            accepted="--isotopes of its one element, such as 36Ar, or Al where it is natural",
        )
    if kind.density:
        if density is None:
            raise UserError(
                f"{kind.meaning} without a density",
                where=data.source,
                accepted="--density in atoms per cubic Angstrom",
            )
        check_density(density)
    if kind.factor is None:
        return replace(data, y=data.y + kind.shift if kind.shift else data.y)
    # at zero the function says nothing about g or S
    used = data.x > 0.0
    number = strength if kind.strength else density
    factor = kind.factor(data.x[used] * scale, number or 0.0)
    sigma = None if data.sigma is None else data.sigma[used] / factor
    return replace(data, x=data.x[used], y=kind.shift + data.y[used] / factor, sigma=sigma)


def check_density(density: float) -> None:
    """Refuse a density in another unit (UserError)."""
    if not 1e-4 <= density <= 0.3:
        raise UserError(
            f"a number density of {density:g} atoms per cubic Angstrom",
            accepted="atoms per cubic Angstrom, e.g. 0.0524 for liquid aluminium (not per nm^3, not kg/m^3)",
        )
