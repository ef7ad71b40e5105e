"""From a measured curve to VOTCA's target table, saying what was done to the data on the way."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.tables import Table, make_table
from votca_mlp.targets.agreement import main_peak
from votca_mlp.targets.choices import Core, Function, Spline, Tail, Unit, Window
from votca_mlp.targets.core import check_core, check_peak, clean_core
from votca_mlp.targets.functions import FUNCTIONS, chosen, converted
from votca_mlp.targets.measured import Measured
from votca_mlp.targets.plausible import Doubt, doubts, sigma_doubts
from votca_mlp.targets.structure_factor import (
    check_structure_factor,
    rdf_error,
    rdf_from_structure_factor,
    window_for,
)
from votca_mlp.targets.tail import JOIN, check_tail, extend
from votca_mlp.units import ANGSTROM_PER_NM

Array = NDArray[np.float64]
_PER_UNIT = {"angstrom": 1.0, "nm": ANGSTROM_PER_NM}


def target_from(
    data: Measured,
    grid: Array,
    *,
    unit: Unit = "angstrom",
    core: Core = "zero",
    tail: Tail = "refuse",
    spline: Spline = "akima",
    function: Function | None = None,
    of_q: bool = False,
    density: float | None = None,
    window: Window = "auto",
    strength: float | None = None,
) -> tuple[Table, list[str]]:
    """Return the target table (nm) of a measured function of r or Q, and notes on what was done.

    Parameters
    ----------
    of_q
        The data are S(Q), where ``function`` does not say what.
    data, grid, unit, core, tail, spline, function, density, window, strength
        See :func:`target_from_rdf` and :func:`target_from_structure_factor`.

    Raises
    ------
    UserError
        As these; a function of Q without a density.
    """
    if function is not None and of_q and not FUNCTIONS[function].of_q:
        raise UserError(f"--from-sq with --function {function}", accepted="one of the two")
    if not (of_q or (function is not None and FUNCTIONS[function].of_q)):
        return target_from_rdf(
            data, grid, unit=unit, core=core, tail=tail, spline=spline, function=function, density=density
        )
    if density is None:
        raise UserError("S(Q) without a density", accepted="--density in atoms per cubic Angstrom")
    return target_from_structure_factor(
        data, grid, density, unit=unit, kind=window, core=core, function=function, strength=strength
    )


def target_from_rdf(
    data: Measured,
    grid: Array,
    *,
    unit: Unit = "angstrom",
    core: Core = "zero",
    tail: Tail = "refuse",
    spline: Spline = "akima",
    function: Function | None = None,
    density: float | None = None,
) -> tuple[Table, list[str]]:
    """Return the target table (nm) of a measured g(r), and notes on what was done.

    Parameters
    ----------
    data
        r in ``unit``, g(r), sigma.
    grid
        Points of the table, nm, shape [m] (:func:`votca_mlp.tables.grid_points`).
    core
        ``zero``: remove ripples below the first peak; ``keep``: only negative values.
    tail
        What to do when the data end before the grid: ``refuse``, or lead them to ``one``.
    spline
        How to interpolate.
    function
        What the data are (:mod:`votca_mlp.targets.functions`); None: g(r), unless the file says otherwise,
        which is refused.
    density
        Atoms per cubic Angstrom, for functions that need it.

    Raises
    ------
    UserError
        Data that are no g(r), in another unit, or that do not cover the grid.
    """
    wanted = grid * ANGSTROM_PER_NM
    name, notes = chosen(data, function)
    if FUNCTIONS[name].of_q:
        raise UserError(f"{FUNCTIONS[name].meaning} is no function of r", where=data.source)
    data = converted(data, name, density, _PER_UNIT[unit])
    r, g = data.x * _PER_UNIT[unit], data.y
    notes = [
        f"read {len(r)} points of {FUNCTIONS[name].meaning} from {r[0]:g} to {r[-1]:g} A",
        *data.notes,
        *notes,
    ]
    if FUNCTIONS[name].density:
        notes.append(f"made g(r) with {density:g} atoms/A^3")
    # what goes beyond the grid is of no account; a bad unit is told first
    used = r <= wanted[-1] + 1e-9
    if used.sum() < 4:
        used = np.ones(len(r), dtype=bool)
    try:
        if name in ("G", "D"):
            notes += check_core(r[used], g[used], density or 0.0)
        check_peak(r, g, unit)
        try:
            tail_notes = check_tail(r, g)
        except UserError:
            if used.all():
                raise
            tail_notes = check_tail(r[used], g[used])
        g, core_notes = clean_core(r, g, keep=core == "keep")
        if not used.all():
            tail_notes.append(
                f"end of grid: {int((~used).sum())} points beyond {wanted[-1]:g} A are left out"
            )
        notes += core_notes + tail_notes + _cover(r, g, wanted, tail)
        _refuse_doubts(doubts(r[used], g[used], None if data.sigma is None else data.sigma[used]), core)
    except UserError as error:
        raise UserError(error.what, where=data.source, accepted=error.accepted) from None
    values, how = _resample(r, g, wanted, spline)
    notes.append(how)
    undershoot = values < 0.0
    if undershoot.any():
        notes.append(f"negative values: {int(undershoot.sum())} points between the data set to zero")
        values[undershoot] = 0.0
    yerr = None
    if data.sigma is not None:
        yerr = np.interp(wanted, r, data.sigma)
        notes.append("sigma: the data's errors, interpolated linearly")
    return _finish(wanted, values, yerr, notes, data)


def target_from_structure_factor(
    data: Measured,
    grid: Array,
    density: float,
    *,
    unit: Unit = "angstrom",
    kind: Window = "auto",
    core: Core = "zero",
    function: Function | None = None,
    strength: float | None = None,
) -> tuple[Table, list[str]]:
    """Return the target table (nm) of a measured S(Q), and notes on what was done.

    Parameters
    ----------
    data
        Q in 1/``unit``, S(Q), sigma.
    grid
        Points of the table, nm, shape [m].
    density
        Atoms per cubic Angstrom.
    kind
        Window function M(Q).
    core
        As in :func:`target_from_rdf`.
    function
        What the data are: S, S-1, Q(S-1) or F; None: S, unless the file says otherwise, which is refused.
    strength
        b^2 of the sample's one element, barn/sr, for F.

    Raises
    ------
    UserError
        See :func:`votca_mlp.targets.structure_factor.check_structure_factor`.
    """
    r = grid * ANGSTROM_PER_NM
    name, assumed = chosen(data, function, usual="S")
    data = converted(data, name, density, 1.0 / _PER_UNIT[unit], strength)
    q = data.x / _PER_UNIT[unit]
    try:
        notes = [*data.notes, *assumed, *check_structure_factor(q, data.y, density)]
        kind = window_for(q, data.y, kind)
        notes.append(f"transformed to g(r): {density:g} atoms/A^3, window {kind}, Qmax {q[-1]:g} 1/A")
        if np.diff(q).max() * r[-1] > np.pi:
            reach = np.pi / np.diff(q).max()
            notes.append(f"S(Q): steps of {np.diff(q).max():g} 1/A resolve g(r) only to {reach:.1f} A")
        g = rdf_from_structure_factor(q, data.y, density, r, kind=kind)
        notes += check_core(r, g, density)
        if data.sigma is not None:
            _refuse_doubts(sigma_doubts(q, data.y, data.sigma))
        other = rdf_from_structure_factor(q, data.y, density, r, kind=_other(kind))
        reached = kind == "none" and window_for(q, data.y, "auto") == "none"
        notes += _of_window(r, g, other, kind, float(q[-1]), reached)
        check_peak(r, g, "angstrom")
        g, core_notes = clean_core(r, g, keep=core == "keep")
        notes += core_notes + check_tail(r, g)
    except UserError as error:
        raise UserError(error.what, where=data.source, accepted=error.accepted) from None
    yerr = None
    if data.sigma is not None:
        yerr = rdf_error(q, data.sigma, density, r, kind=kind)
        notes.append("sigma: propagated from the errors of S(Q), taken as independent")
    return _finish(r, g, yerr, notes, data)


def _refuse_doubts(found: Iterable[Doubt], core: Core = "zero") -> None:
    for doubt in found:
        if core == "keep" and "no atoms" in doubt.what:
            continue
        raise UserError(f"the curve {doubt.what}", accepted=doubt.accepted)


def _other(kind: Window) -> Window:
    return "lorch" if kind == "none" else "none"


def _of_window(r: Array, g: Array, other: Array, kind: Window, q_max: float, reached: bool) -> list[str]:
    """Return what the window does to the main peak, in words."""
    try:
        here, there = main_peak(r, g), main_peak(r, other)
    except ValueError:
        return []
    with_it = f"main peak {here.height:.3f} at {here.position:.3f} A with window {kind}"
    notes = [
        f"window: {with_it}, {there.height:.3f} at {there.position:.3f} A with {_other(kind)} (--window)"
    ]
    if reached:
        return notes
    # where S has reached one nothing is cut, and without a window g(r) is the liquid's own
    same = f"<window> <q_max>{q_max:g}</q_max> <function>{kind}</function> </window>"
    return [*notes, f"to compare the simulated g(r) as seen through the same: {same} beside <target>"]


def _cover(r: Array, g: Array, wanted: Array, tail: Tail) -> list[str]:
    notes = []
    if wanted[0] < r[0] - 1e-9:
        if g[0] > 0.0:
            raise UserError(
                f"the data begin at {r[0]:g} Angstrom, where g is {g[0]:.3g}, not zero",
                accepted=f"a grid from {r[0] / ANGSTROM_PER_NM:g} nm on (--min), or data that reach the core",
            )
        notes.append(f"core: g taken as zero below {r[0]:g} A, where the data begin")
    if wanted[-1] > r[-1] + 1e-9:
        if tail == "refuse":
            raise UserError(
                f"the data end at {r[-1]:g} Angstrom, the grid at {wanted[-1]:g} Angstrom",
                accepted=f"--max {r[-1] / ANGSTROM_PER_NM:g} (nm), or --tail one to lead g to one beyond",
            )
        notes.append(f"end of data: from {g[-1]:.4g} at {r[-1]:g} A, led to one within {JOIN:g} A")
    return notes


def _resample(r: Array, g: Array, wanted: Array, spline: Spline) -> tuple[Array, str]:
    inside = (wanted >= r[0] - 1e-9) & (wanted <= r[-1] + 1e-9)
    beyond = wanted > r[-1] + 1e-9
    values = np.zeros(len(wanted))
    nearest = np.abs(r[:, None] - wanted[None, inside]).argmin(axis=0)
    if np.allclose(r[nearest], wanted[inside], rtol=0.0, atol=1e-6):
        values[inside] = g[nearest]
        how = "grid: the data's own points, not resampled"
    else:
        from scipy.interpolate import Akima1DInterpolator, PchipInterpolator

        curve = (Akima1DInterpolator if spline == "akima" else PchipInterpolator)(r, g)
        values[inside] = curve(np.clip(wanted[inside], r[0], r[-1]))
        # a spline may swing between two zeros; the core stays empty
        right = np.clip(np.searchsorted(r, wanted), 1, len(r) - 1)
        values[inside & (g[right] == 0.0) & (g[right - 1] == 0.0)] = 0.0
        how = (
            f"grid: {spline} spline from data {np.median(np.diff(r)):.3g} A apart "
            f"to points {wanted[1] - wanted[0]:.3g} A apart"
        )
    values[beyond] = extend(r, g, wanted[beyond])
    return values, how


def _finish(
    r: Array, g: Array, yerr: Array | None, notes: list[str], data: Measured
) -> tuple[Table, list[str]]:
    try:
        peak = main_peak(r, g)
        notes.append(f"main peak: g = {peak.height:.3f} at {peak.position:.3f} A")
    except ValueError:
        notes.append("main peak: at the end of the grid")
    comments = (*data.comments, f"votca-mlp target from {data.source.name}; r in nm:", *notes)
    return make_table(np.round(r / ANGSTROM_PER_NM, 12), g, yerr=yerr, comments=comments), notes
