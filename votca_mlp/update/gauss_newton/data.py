"""The data of an iteration in one row: which they are, what they should be, and what a simulation gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.observables.structure_factor import composition
from votca_mlp.scattering.calibration import Calibration
from votca_mlp.scattering.data import ScatteringData
from votca_mlp.targets.target import Target
from votca_mlp.targets.window import empty_core, tail_seen, window_matrix
from votca_mlp.units import ANGSTROM_PER_NM, BAR_PER_EV_PER_ANGSTROM3, EV_PER_KJMOL
from votca_mlp.update.gauss_newton.basis import FEWEST, Basis, first_knot, spline_basis
from votca_mlp.update.gauss_newton.correlation import FrameCovariance, frame_covariance
from votca_mlp.update.gauss_newton.options import GaussNewtonSettings
from votca_mlp.update.gauss_newton.response import (
    SMOOTH,
    Response,
    rdf_factor,
    rdf_response,
    series_response,
    stacked,
)
from votca_mlp.update.gauss_newton.scattering import (
    END_ERROR,
    counts_of,
    direct_response,
    measured_scattering,
    scattering_response,
)
from votca_mlp.update.gauss_newton.solve import Wanted
from votca_mlp.update.rule import StateData, StepData

if TYPE_CHECKING:
    from votca_mlp.observables.step import StepObservables

Array = NDArray[np.float64]

BELOW = 0.3
"""Angstrom below the onset of a target from which on it counts: pairs that are there are too many."""


@dataclass(frozen=True)
class Datum:
    """Some data of one state: a g(r), or one number.

    Attributes
    ----------
    state
        The state's name.
    name
        Of the interaction, of the observable, or of the data set.
    x
        r in Angstrom or Q in 1/Angstrom, shape [n]; of a number, nan.
    points
        Indices of the grid that are used, shape [n].
    rows
        Where these data stand in the row of all.
    scattering
        The measured F(Q), with its fitted scale and background taken out; None for other data.
    calibration
        Scale and background.
    """

    state: str
    name: str
    x: Array
    points: NDArray[np.int64]
    rows: slice
    scattering: ScatteringData | None = None
    calibration: Calibration = Calibration()  # noqa: RUF009 - a tuple


@dataclass(frozen=True)
class Layout:
    """Where everything stands.

    Attributes
    ----------
    names
        Interactions in the order of their coefficients.
    bases
        Of each interaction; r in nm.
    data
        In the order of their rows.
    wanted
        The data's values.
    """

    names: tuple[str, ...]
    bases: Mapping[str, Basis]
    data: tuple[Datum, ...]
    wanted: Wanted

    @property
    def per_term(self) -> int:
        """Number of coefficients of one term of u(r; T)."""
        return sum(self.bases[name].size for name in self.names)

    def columns(self, name: str) -> slice:
        """Return where an interaction's coefficients stand in those of a term."""
        begin = 0
        for other in self.names:
            if other == name:
                break
            begin += self.bases[other].size
        return slice(begin, begin + self.bases[name].size)


def layout_of(
    step: StepData, names: Sequence[str], options: GaussNewtonSettings, *, numbers: bool = True
) -> Layout:
    """Return the layout of an iteration whose interactions ``names`` are updated.

    Raises
    ------
    UserError
        A grid too short for the knots, a target without a point that can be fitted.
    """
    bases = {name: _basis(step, name, options) for name in names}
    states = [state for state in step.states if state.weight > 0]
    fitted = sum(state.weight for state in states)
    data: list[Datum] = []
    columns: list[tuple[Array, ...]] = []
    begin = 0
    for state in states:
        share = state.weight / fitted * len(states)
        for name in names:
            if name not in state.targets or not state.options[name].fit:
                continue
            target = state.targets[name]
            if not target.known:
                continue
            points = np.flatnonzero(_usable(target))
            if not len(points):
                raise UserError("there is no point to fit", where=target.source, accepted="a g(r) with peaks")
            data.append(Datum(state.name, name, target.x[points], points, slice(begin, begin + len(points))))
            error = _errors(target, state.options[name].error)[points]
            largest = np.full(len(points), options.trust_rdf)
            columns.append(_columns(target.values[points], error, share * target.weight, largest))
            begin += len(points)
        for name, number in _numbers(state).items() if numbers else ():
            data.append(Datum(state.name, name, np.array([np.nan]), np.array([0]), slice(begin, begin + 1)))
            value = number.values
            error = np.zeros(1) if number.errors is None else number.errors
            allowed = options.trust_density * value if name == "density" else np.full(1, np.inf)
            columns.append(_columns(value, error, share * number.weight, np.abs(allowed), robust=False))
            begin += 1
        for item in measured_scattering(state) if numbers else ():
            rows = slice(begin, begin + len(item.data.q))
            points = np.arange(len(item.data.q))
            data.append(
                Datum(state.name, item.data.name, item.data.q, points, rows, item.data, item.calibration)
            )
            largest = np.full(len(points), options.trust_rdf * item.size)
            weight = share * item.data.weight
            columns.append(_columns(item.data.values, item.errors, weight, largest, scatter=item.scatter))
            begin = rows.stop
    if not columns:
        raise UserError(
            "there is nothing to fit",
            where="cg.inverse",
            accepted="a target that is fitted (<fit>yes</fit>), <scattering>, or <target_density>",
        )
    values, variances, weights, largest, robust, units = (
        np.concatenate(c) for c in zip(*columns, strict=True)
    )
    simulated = options.errors == "simulated"
    wanted = Wanted(
        values,
        variances,
        weights,
        largest,
        robust.astype(bool),
        units,
        _nuisance(data, len(values)),
        simulated,
    )
    return Layout(tuple(names), bases, tuple(data), wanted)


def _nuisance(data: Sequence[Datum], count: int) -> Array | None:
    """Return a column for each scale and background that is fitted, in the order of the data."""
    columns = []
    for datum in data:
        fitted = datum.scattering
        # measured = s (1 + d) F + b + e: what is left of it when s and b are taken out is F + d F + e/s
        for wanted, values in (
            (fitted is not None and fitted.fit_scale, None if fitted is None else fitted.values),
            (fitted is not None and fitted.fit_background, 1.0),
        ):
            if wanted:
                columns.append(np.zeros(count))
                columns[-1][datum.rows] = values
    return np.stack(columns, axis=1) if columns else None


def _numbers(state: StateData) -> Mapping[str, Target]:
    """Return the numbers that a state's simulation answers to: at constant volume not the density."""
    volumes = state.by_frame().series["volume"].values if state.numbers else np.zeros(0)
    held = len(volumes) > 0 and bool(np.ptp(volumes) < 1e-9 * volumes[0])
    return {name: number for name, number in state.numbers.items() if name != "density" or not held}


def response_of(step: StepData, state: StateData, layout: Layout) -> Response:
    """Return what a state's simulation gives for its data, in the order of the layout, by its own c.

    Raises
    ------
    UserError
        A step without values by frame, or with those of one frame.
    """
    frames = state.by_frame()
    if frames.n_frames < 2:
        raise UserError(
            "one frame does not say how g(r) answers to a change of u(r)",
            where=state.directory,
            accepted="frames at two times at least, better several hundred",
        )
    h = sums_of(step, state, frames, layout)
    found = []
    for datum in layout.data:
        if datum.state != state.name:
            continue
        if datum.scattering is not None:
            found.append(_scattering_response(step, state, datum.scattering, layout, h))
        elif datum.name in step.pairs:
            whole = _seen_response(step, state, frames, datum.name, layout, h)
            found.append(
                Response(
                    whole.values[datum.points], whole.variances[datum.points], whole.blocks[:, datum.points]
                )
            )
        else:
            found.append(_number_response(step, state, frames, datum.name, layout, h))
    response = replace(stacked(found), frames=frames.n_frames)
    if not layout.wanted.simulated:
        return response
    return replace(response, scatter=_scatter(step, state, frames, layout, len(response.values)))


def _scatter(
    step: StepData, state: StateData, frames: "StepObservables", layout: Layout, size: int
) -> FrameCovariance:
    """Return how the g(r) of a state's frames scatter; other data are independent."""
    own = [datum for datum in layout.data if datum.state == state.name]
    curves = [datum for datum in own if datum.name in step.pairs and datum.scattering is None]
    if not curves:
        return FrameCovariance(np.zeros((size, size)), np.inf, 0)
    counts, bins, scales, points, rows = [], [], [], [], []
    before = 0
    for datum in curves:
        species = step.pairs[datum.name].species
        counted = frames.histogram(species)
        row, volume = counted.row(species), counted.volumes.mean()
        counts.append(counted.counts[:, row] * (counted.volumes / volume)[:, None])
        bins.append(counted.r)
        scales.append(volume * rdf_factor(counted, row))
        points.append(before + datum.points)
        rows.append(np.arange(datum.rows.start, datum.rows.stop) - own[0].rows.start)
        before += len(counted.r)
    found = frame_covariance(counts, bins, scales, SMOOTH)
    return found.at(np.concatenate(points), np.concatenate(rows), size)


def sums_of(step: StepData, state: StateData, frames: "StepObservables", layout: Layout) -> Array:
    """Return h_j of every frame, the sum of phi_j over the pairs, shape [n_frames, n_functions]."""
    parts = []
    for name in layout.names:
        if name not in state.targets:
            parts.append(np.zeros((frames.n_frames, layout.bases[name].size)))
            continue
        species = step.pairs[name].species
        counted = frames.histogram(species)
        parts.append(counted.counts[:, counted.row(species)] @ layout.bases[name].values)
    return np.concatenate(parts, axis=1)


def pair_response(
    step: StepData, state: StateData, frames: "StepObservables", name: str, layout: Layout, h: Array
) -> Response:
    """Return g(r) of an interaction on its grid, with its Jacobian."""
    species = step.pairs[name].species
    counted = frames.histogram(species)
    own = np.zeros((len(counted.r), h.shape[1]))
    own[:, layout.columns(name)] = layout.bases[name].values
    return rdf_response(counted, counted.row(species), h, own, state.kBT)


def _seen_response(
    step: StepData, state: StateData, frames: "StepObservables", name: str, layout: Layout, h: Array
) -> Response:
    """Return g(r) of an interaction on its grid as its target was seen, with its Jacobian."""
    sharp = pair_response(step, state, frames, name, layout, h)
    seen = state.windows.get(name)
    if seen is None:
        return sharp
    target, species = state.targets[name], step.pairs[name].species
    counted = frames.to_half_box(state.directory)
    own = _functions(step, layout, name, counted.r, h.shape[1])
    found = rdf_response(counted, counted.row(species), h, own, state.kBT)
    matrix = window_matrix(seen, target.x, counted.r)
    end = tail_seen(seen, target.x, counted, species)
    core = empty_core(target.values)
    return Response(
        np.where(core, sharp.values, 1.0 + matrix @ (found.values - 1.0) + end),
        np.where(core, sharp.variances, matrix**2 @ found.variances + (END_ERROR * end) ** 2),
        np.where(core[None, :, None], sharp.blocks, matrix @ found.blocks),
    )


def _functions(step: StepData, layout: Layout, name: str, r: Array, columns: int) -> Array:
    """Return phi_j of an interaction at r (Angstrom) among those of all, shape [n_r, n_columns].

    0 below the grid: closer pairs, such as bonds, are not among those that h_j is a sum of.
    """
    functions, grid = np.zeros((len(r), columns)), step.pairs[name]
    begin = grid.min - 0.5 * grid.step
    own = layout.bases[name].on(r / ANGSTROM_PER_NM)
    functions[:, layout.columns(name)] = np.where((r < begin * ANGSTROM_PER_NM)[:, None], 0.0, own)
    return functions


def _scattering_response(
    step: StepData, state: StateData, data: ScatteringData, layout: Layout, h: Array
) -> Response:
    counted = counts_of(state)
    if data.direct:
        _, fractions = composition(counted)
        low = state.by_frame().at_low_q(state.directory)
        return direct_response(data, low, fractions, h, state.kBT)
    own = {
        step.pairs[name].species: _functions(step, layout, name, counted.r, h.shape[1])
        for name in layout.names
        if name in state.targets
    }
    return scattering_response(data, counted, h, own, state.kBT)


def _number_response(
    step: StepData, state: StateData, frames: "StepObservables", name: str, layout: Layout, h: Array
) -> Response:
    series = frames.series.get(name)
    if series is None:
        raise UserError(
            f"the simulation has no {name} by frame",
            where=state.directory,
            accepted=f"an engine that records it, or no target for the {name}",
        )
    direct = _virial(step, state, frames, layout) if name == "pressure" else None
    error = float(np.nan_to_num(series.error(), nan=float(np.std(series.values))))
    return series_response(series.values, h, state.kBT, error, direct)


def _virial(step: StepData, state: StateData, frames: "StepObservables", layout: Layout) -> Array:
    """Return d p / dc_j (bar) of the virial: -(1 / 3V) sum over pairs of r phi_j'(r)."""
    found = []
    for name in layout.names:
        basis = layout.bases[name]
        if name not in state.targets:
            found.append(np.zeros(basis.size))
            continue
        species = step.pairs[name].species
        counted = frames.histogram(species)
        density = (counted.counts[:, counted.row(species)] / counted.volumes[:, None]).mean(axis=0)
        r = step.pairs[name].points
        # r phi' has no length in it, and volumes are in Angstrom^3
        found.append(-(density * r) @ basis.slopes / 3.0 * EV_PER_KJMOL * BAR_PER_EV_PER_ANGSTROM3)
    return np.concatenate(found)


def _basis(step: StepData, name: str, options: GaussNewtonSettings) -> Basis:
    r = step.pairs[name].points
    targets = [state.targets[name] for state in step.having(name) if state.weight > 0]
    first = min(first_knot(r, target.values, _known(target)) for target in targets)
    try:
        return spline_basis(r, first, options.knots / ANGSTROM_PER_NM)
    except ValueError as error:
        raise UserError(
            f"{error} nm for knots {options.knots:g} Angstrom apart",
            where=f"interaction {name}",
            accepted=f"a grid that reaches at least {FEWEST} knots beyond the onset of g(r)",
        ) from None


def _known(target: Target) -> NDArray[np.bool_]:
    return np.asarray((target.flags == "i") & np.isfinite(target.values))


def _usable(target: Target) -> NDArray[np.bool_]:
    """Return where a target says something: from a little below its onset, where no pair may be, on."""
    known = _known(target)
    onset = first_knot(target.x, target.values, known)
    return np.asarray(known & (target.x >= max(onset - BELOW, 1e-9)))


def _errors(target: Target, number: float | None) -> Array:
    """Return the standard errors of a target, 0 where nothing is known of them."""
    if target.errors is not None and np.nanmax(target.errors) > 0:
        return np.nan_to_num(target.errors)
    return np.full(len(target.x), number or 0.0)


def _columns(
    values: Array, errors: Array, weight: float, largest: Array, *, robust: bool = True, scatter: float = 1.0
) -> tuple[Array, ...]:
    full = np.full(len(values), 1.0)
    return values, errors**2, weight * full, largest, full * robust, full * scatter
