"""Measured F(Q) and S(Q) files made into data sets, with checks that need the density and the composition."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.scattering.data import Normalisation, ScatteringData
from votca_mlp.scattering.lengths import FM2_PER_BARN, element_of
from votca_mlp.targets.functions import FUNCTIONS, in_text
from votca_mlp.targets.measured import Measured, read_measured

Array = NDArray[np.float64]
Written = Literal["F", "S", "S-1", "QF", "Q(S-1)"]
"""What the file's second column is: F (0 at large Q), S = 1 + F, S - 1 (both normalised), Q F, Q (S - 1)."""

_NAMES = {"F": "F(Q)", "S": "S(Q)", "S-1": "S(Q) - 1", "QF": "Q F(Q)", "Q(S-1)": "Q [S(Q) - 1]"}
_LARGEST_Q = 80.0
_FIRST_PEAK = 12.0
"""1/Angstrom: nothing that atoms scatter is largest beyond, but in 1/nm most of it is."""
_FAR = 0.2
_CORE = (0.6, 1.6)
_EXPLAINED = 0.08
_UNEVEN, _LESS = 0.1, 0.2
"""Scatter in the core of data that something is wrong with, and what is left of it where that is mended."""
_CANCELLED = 0.15
"""Sum of the weights over the sum of their sizes, below which the core is no test."""


def read_scattering(
    path: str | Path,
    template: ScatteringData,
    *,
    written: Written = "F",
    columns: Sequence[int] | None = None,
    sigma: float | None = None,
    q_min: float | None = None,
    q_max: float | None = None,
) -> ScatteringData:
    """Return the data set of a file.

    Parameters
    ----------
    path
        Columns Q (1/Angstrom), value and, where a heading or ``columns`` says so, standard error; everything
        that :func:`votca_mlp.targets.measured.read_measured` reads.
    template
        Everything but q, values, errors and source.
    written
        What the second column is.
    sigma
        Standard error of every point, instead of a column.
    q_min, q_max
        What is used of the data, 1/Angstrom.

    Raises
    ------
    UserError
        An unreadable file; Q that is not in 1/Angstrom; a range that the data do not have; a function that
        does not tend to what it should; S without a normalisation.
    """
    found = read_measured(path, columns, sigma)
    q, values, errors = found.x, found.y, found.sigma
    _check_function(found, written)
    if written in ("S", "S-1", "Q(S-1)") and template.normalisation == "none":
        raise UserError(
            f"{_NAMES[written]} has no unit, but the normalisation is none",
            where=path,
            accepted="normalisation square_of_mean or mean_of_squares, as the paper of the data says",
        )
    if q[-1] > _LARGEST_Q:
        raise UserError(
            f"Q ends at {q[-1]:g}: that is 1/nm", where=path, accepted="Q in 1/Angstrom (one tenth of it)"
        )
    largest = q[np.argmax(np.abs(values - (1.0 if written == "S" else 0.0)))]
    if written in ("F", "S", "S-1") and largest > _FIRST_PEAK:
        raise UserError(
            f"{_NAMES[written]} is largest at Q = {largest:g}: that is 1/nm, or it was multiplied by Q",
            where=path,
            accepted="Q in 1/Angstrom (one tenth of it); functions QF, Q(S-1)",
        )
    low, high = q[0] if q_min is None else q_min, q[-1] if q_max is None else q_max
    if low < q[0] - 1e-9 or high > q[-1] + 1e-9:
        raise UserError(
            f"Q from {low:g} to {high:g} 1/Angstrom is asked for, the data are from {q[0]:g} to {q[-1]:g}",
            where=path,
            accepted="a range within the data",
        )
    if written == "S":
        values = values - 1.0
    elif written in ("QF", "Q(S-1)"):
        # at zero Q F says nothing about F
        keep = q > 0.0
        q, values = q[keep], values[keep] / q[keep]
        errors = None if errors is None else errors[keep] / q
    _check_limit(q, values, written, path)
    used = (q >= low - 1e-9) & (q <= high + 1e-9) & (q > 0.0)
    if errors is not None:
        # programs mark what was not measured by a value and an error of zero
        used &= ~((errors == 0.0) & (values == (-1.0 if written == "S" else 0.0)))
        if not np.all(errors[used] > 0.0):
            at = q[used][errors[used] <= 0.0][0]
            raise UserError(
                f"the error at Q = {at:g} 1/Angstrom is zero",
                where=path,
                accepted="errors > 0, or no column of them",
            )
    if used.sum() < 10:
        raise UserError(f"{int(used.sum())} points are used", where=path, accepted="10 at least")
    return replace(
        template,
        q=q[used],
        values=values[used],
        errors=None if errors is None else errors[used],
        source=str(path),
    )


def _check_function(found: Measured, written: str) -> None:
    """Refuse functions of r, and a heading that says another function of Q than the user (UserError)."""
    if written not in _NAMES:
        raise UserError(
            f"{written} is no function of Q that can be fitted",
            where=found.source,
            accepted=f"{', '.join(_NAMES)}; a g(r) of one pair of elements is a target, with the range of Q "
            "that it was made of in <window>; a total one has lost what lies beyond that range",
        )
    says = in_text(found.name or found.heading)
    wrong = [name for name in says if name in FUNCTIONS and not FUNCTIONS[name].of_q]
    if "Q(S-1)" in says and "[" in (found.name or found.heading) and written not in ("QF", "Q(S-1)"):
        wrong.append("Q(S-1)")
    if wrong:
        raise UserError(
            f"the heading '{(found.name or found.heading)[:60]}' says {FUNCTIONS[wrong[0]].meaning}, "
            f"not {_NAMES[written]}",
            where=found.source,
            accepted="the function that it is, or other columns",
        )


def _check_limit(q: Array, values: Array, written: Written, path: str | Path) -> None:
    far = q >= q[-1] - _FAR * (q[-1] - q[0])
    mean, size = float(values[far].mean()), float(np.abs(values).max())
    if abs(mean) <= 0.15 * size:
        return
    name = "F(Q)" if written in ("F", "QF") else "S(Q) - 1"
    hint = (
        "function S" if abs(mean - 1.0) < 0.15 else "data whose self scattering and background are subtracted"
    )
    raise UserError(
        f"beyond Q = {q[far][0]:.3g} 1/Angstrom {name} averages to {mean:.3g}, not to zero",
        where=path,
        accepted=hint,
    )


def check_composition(data: ScatteringData, symbols: Sequence[str]) -> None:
    """Refuse isotopes of elements that the system does not have, and elements that do not scatter.

    Raises
    ------
    UserError
        Naming them.
    """
    for symbol, mixture in data.isotopes.items():
        if symbol not in symbols:
            raise UserError(
                f"names isotopes of {symbol} ({', '.join(mixture)}), which the topology does not have",
                where=data.source,
                accepted=", ".join(symbols),
            )
        for isotope in mixture:
            element_of(isotope)
    data.strengths(symbols)


def core_ratio(
    data: ScatteringData, fractions: Mapping[str, float], density: float, closest: float
) -> float | None:
    """Return what the data give for g(r) - 1 in the core over what they must, -1 times the sum of the
    weights.

    1 for the right normalisation, density and function. The Fourier transform of F below the closest distance
    of atoms, with Lorch's window and weighted by r^2 there; None where the data end too early to tell, or
    where lengths of both signs cancel.

    Parameters
    ----------
    density
        Atoms per cubic Angstrom.
    closest
        Smallest distance of two atoms, Angstrom.
    """
    found = _core(data, fractions, density, closest)
    return None if found is None else found[0]


def _core(
    data: ScatteringData, fractions: Mapping[str, float], density: float, closest: float
) -> tuple[float, float] | None:
    """Return the mean of :func:`core_ratio` and how far its parts by r scatter about it."""
    if data.normalisation == "none" and data.radiation == "xray":
        return None
    weights = data.pair_weights(fractions, _pairs(list(fractions)))[:, 0]
    whole = float(weights.sum())
    if abs(whole) < _CANCELLED * np.abs(weights).sum():
        return None
    q, f = data.q, data.values
    low, high = 1.5 * np.pi / q[-1], 0.9 * closest - np.pi / q[-1]
    if high < low + 0.2 or q[0] > 0.25 * np.pi / high + 1.0:
        return None
    q, f = np.insert(q, 0, 0.0), np.insert(f, 0, f[0])
    r = np.linspace(low, high, 20)
    window = np.sinc(q / q[-1])
    values = np.trapezoid(q**2 * f * window * np.sinc(np.outer(r, q) / np.pi), q, axis=1)
    wanted = -2.0 * np.pi**2 * density * whole
    mean = float(np.sum(r**2 * values) / np.sum(r**2) / wanted)
    return mean, float(np.sqrt(np.sum(r**2 * (values / wanted - mean) ** 2) / np.sum(r**2)))


def check_core(data: ScatteringData, fractions: Mapping[str, float], density: float, closest: float) -> str:
    """Return a note on the test of density and normalisation; refuse data that fail it by far.

    Raises
    ------
    UserError
        The core of g(r) is not empty by a factor that no noise makes.
    """
    ratio = core_ratio(data, fractions, density, closest)
    if ratio is None:
        return f"{data.name}: no test of density and normalisation: the data end too early, or lengths cancel"
    if not _CORE[0] < ratio < _CORE[1] or _multiplied(data, fractions, density, closest):
        found = list(_explained(data, fractions, density, closest))
        hint = f"; it would be right for {' or '.join(found)}" if found else ""
        raise UserError(
            f"the Fourier transform below {closest:g} Angstrom is {ratio:.3g} times what an empty core gives",
            where=data.source,
            accepted=f"another normalisation, scale, composition, function or density: about 1{hint}",
        )
    return f"{data.name}: core of g(r) at {ratio:.3f} of what density and normalisation ask for"


def _multiplied(data: ScatteringData, fractions: Mapping[str, float], density: float, closest: float) -> bool:
    """Return whether the core would be empty, and evenly so, if the data were Q F: their own mean may be."""
    here = _core(data, fractions, density, closest)
    other = _core(replace(data, values=data.values / data.q), fractions, density, closest)
    if here is None or other is None:
        return False
    return abs(other[0] - 1.0) < _EXPLAINED and here[1] > _UNEVEN and other[1] < _LESS * here[1]


def _explained(
    data: ScatteringData, fractions: Mapping[str, float], density: float, closest: float
) -> Iterator[str]:
    """Yield what would make the core empty: words about the usual mistakes."""
    tried = {"function QF (the data are multiplied by Q)": replace(data, values=data.values / data.q)}
    kinds: tuple[Normalisation, ...] = ("none", "square_of_mean", "mean_of_squares")
    tried |= {
        f"normalisation {kind}": replace(data, normalisation=kind)
        for kind in kinds
        if kind != data.normalisation
    }
    tried["Q in 1/nm"] = replace(data, q=data.q / 10.0)
    tried["data in fm^2 instead of barn"] = replace(data, values=data.values / FM2_PER_BARN)
    tried["data divided by 4 pi"] = replace(data, values=data.values / (4.0 * np.pi))
    for words, other in tried.items():
        ratio = core_ratio(other, fractions, density, closest)
        if ratio is not None and abs(ratio - 1.0) < _EXPLAINED:
            yield words


def check_twice(sets: Sequence[ScatteringData]) -> None:
    """Refuse a measurement that is given twice: it would count twice.

    Raises
    ------
    UserError
        Naming both files, or a name that two sets have.
    """
    for number, first in enumerate(sets):
        for second in sets[number + 1 :]:
            if first.name == second.name:
                raise UserError(
                    f"two data sets have the name {first.name}",
                    where=second.source,
                    accepted="a name for each",
                )
            common, here, there = np.intersect1d(first.q, second.q, return_indices=True)
            if len(common) >= 10 and np.array_equal(first.values[here], second.values[there]):
                raise UserError(
                    f"has the same {len(common)} values as {first.source or first.name}",
                    where=second.source,
                    accepted="each measurement once",
                )


def _pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(a, b) for i, a in enumerate(names) for b in names[i:]]
