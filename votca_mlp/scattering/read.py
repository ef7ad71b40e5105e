"""Measured F(Q) and S(Q) files made into data sets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.scattering.data import ScatteringData
from votca_mlp.scattering.lengths import element_of, mean_length
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
_OVERLAP, _EQUAL = 10, 0.001
"""Points that two sets have to have in common, and by how much of the largest |F| one measurement may differ
from itself (RMS)."""


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


def check_twice(sets: Sequence[ScatteringData]) -> None:
    """Refuse a measurement that is given twice, also where two sets overlap only: it would count twice.

    Two measurements of one sample differ by their noise and corrections. Sets of one radiation and of the
    same isotopes that are equal where both have data, but for a factor and what rounding or another grid make
    (a thousandth of the largest |F|), are one measurement, or repeats that belong averaged.

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
            if not _same_sample(first, second):
                continue
            both = _where_equal(first, second)
            if both is not None:
                raise UserError(
                    f"has the same values as {first.source or first.name} from {both[0]:g} to {both[1]:g} "
                    "1/Angstrom: they would count twice",
                    where=second.source,
                    accepted="each measurement once, repeats averaged; parts of one with ranges (q_min, "
                    "q_max) that do not overlap",
                )


def _same_sample(one: ScatteringData, other: ScatteringData) -> bool:
    """Return whether two sets measure the same sum of partials, but for a factor."""
    if one.radiation != other.radiation:
        return False
    if one.radiation == "xray":
        # what these are divided by depends on Q
        return one.normalisation == other.normalisation
    named = {*one.isotopes, *other.isotopes}
    lengths = [[mean_length(symbol, data.isotopes) for data in (one, other)] for symbol in named]
    return all(abs(a - b) <= 1e-6 for a, b in lengths)


def _where_equal(one: ScatteringData, other: ScatteringData) -> tuple[float, float] | None:
    """Return the range of Q in which two sets are equal but for a factor; None where they differ."""
    low, high = max(one.q[0], other.q[0]), min(one.q[-1], other.q[-1])
    inside = [(data.q >= low - 1e-9) & (data.q <= high + 1e-9) for data in (one, other)]
    counts = [int(part.sum()) for part in inside]
    if min(counts) < _OVERLAP:
        return None
    # the finer one on the points of the coarser one
    fine, coarse = (one, other) if counts[0] >= counts[1] else (other, one)
    at = coarse.q[inside[1 if counts[0] >= counts[1] else 0]]
    a, b = np.interp(at, coarse.q, coarse.values), np.interp(at, fine.q, fine.values)
    size = float(np.abs(a).max())
    factor = float(a @ b / (b @ b)) if np.any(b) else 0.0
    equal = factor > 0.0 and float(np.sqrt(np.mean((a - factor * b) ** 2))) < _EQUAL * size
    return (float(at[0]), float(at[-1])) if equal else None
