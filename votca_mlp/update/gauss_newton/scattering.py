"""F(Q) among the data of an iteration: what was measured, what a simulation gives, and its Jacobian."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from votca_mlp.observables.low_q import LowFactors
from votca_mlp.observables.structure_factor import (
    PartialFactors,
    composition,
    kernel,
    partial_factors,
    shell_volumes,
)
from votca_mlp.scattering.calibration import Calibration, calibrated
from votca_mlp.scattering.data import ScatteringData, beyond, split_low, total
from votca_mlp.update.gauss_newton.response import SMOOTH, Response, covariance_blocks, smoothed_covariance
from votca_mlp.update.rule import StateData

if TYPE_CHECKING:
    from votca_mlp.observables.rdf import PairHistograms

Array = NDArray[np.float64]

UNKNOWN = 0.01
"""Of the size of F(Q): the unit of the scatter of data without errors."""
RDF_ERROR = 0.01
"""Of g(r): the unit of scatter that the median error of a data set is worth, so that both kinds compare."""
END_ERROR = 0.3
"""Of what g(r) beyond half the box adds, by how much it may be wrong."""
NEIGHBOURS = 7
"""Points to either side over which the variance of a simulated F(Q) is averaged: blocks are few."""


class MeasuredScattering(NamedTuple):
    """A data set as it is fitted.

    Attributes
    ----------
    data
        With scale and background taken out.
    calibration
        What was taken out.
    errors
        Standard errors, 0 where they are not known, shape [n].
    size
        Largest |F|.
    scatter
        The unit of its scatter.
    """

    data: ScatteringData
    calibration: Calibration
    errors: Array
    size: float
    scatter: float


def counts_of(state: StateData) -> "PairHistograms":
    """Return the pair counts to half the box of a state's simulation.

    Raises
    ------
    UserError
        A simulation of which they were not taken.
    """
    return state.by_frame().to_half_box(state.directory)


def measured_scattering(state: StateData) -> Iterator[MeasuredScattering]:
    """Yield the data sets of a state that are fitted, calibrated with the state's own simulation.

    Raises
    ------
    UserError
        As :func:`counts_of`, and of the files.
    """
    for source in state.scattering:
        if source.weight > 0:
            yield from _measured(source.data, state)


def _measured(data: ScatteringData, state: StateData) -> Iterator[MeasuredScattering]:
    part = None
    if data.low_q:
        half = float(counts_of(state).r[-1])
        data, part = split_low(data, state.by_frame().at_low_q(state.directory), half)
    calibration = Calibration()
    if data.fit_scale or data.fit_background:
        counted = counts_of(state)
        found = total(data, partial_factors(counted, data.q, data.resolution)).mean(axis=0)
        calibration = calibrated(data, found + beyond(data, counted))
    values = calibration.corrected(data.values)
    size = float(np.abs(values).max())
    errors = np.zeros(len(values)) if data.errors is None else data.errors / calibration.scale
    typical = float(np.median(errors)) if data.errors is not None else UNKNOWN * size
    corrected = replace(data, values=values, errors=None if data.errors is None else errors)
    yield MeasuredScattering(corrected, calibration, errors, size, typical / RDF_ERROR)
    if part is not None:
        errors = np.zeros(len(part.q)) if part.errors is None else part.errors / calibration.scale
        values = calibration.corrected(part.values)
        part = replace(part, values=values, errors=None if part.errors is None else errors)
        yield MeasuredScattering(part, calibration, errors, size, typical / RDF_ERROR)


def scattering_response(
    data: ScatteringData,
    counted: "PairHistograms",
    h: Array,
    own: Mapping[tuple[str, str], Array],
    kbt: float,
    spacing: float = SMOOTH,
) -> Response:
    """Return F(Q) of a simulation, its errors and its Jacobian.

    F is linear in the pair counts of a frame (:mod:`votca_mlp.observables.structure_factor`), so that

        dF/dc_j = -(1/kBT) sum_p W_p(Q) [N n_p K cov(H_p, h_j) - N (K v) cov(1/V, h_j)],

    with the covariances of the counts smoothed as for g(r).

    Parameters
    ----------
    counted
        Counts of all pairs to half the box, by frame.
    h
        h_j by frame, shape [n_frames, n_functions].
    own
        phi_j at the bins of the counts for each pair of species, shape [n_bins, n_functions].
    kbt
        In the unit of energy of the c_j.
    spacing
        As for :func:`votca_mlp.update.gauss_newton.response.rdf_response`.
    """
    atoms, fractions = composition(counted)
    weights = data.pair_weights(fractions, counted.pairs)
    transform = kernel(counted.r, data.q, data.resolution)
    by_frame = total(data, partial_factors(counted, data.q, data.resolution))
    inverse = covariance_blocks(1.0 / counted.volumes[:, None], h)
    uniform = atoms * (transform @ shell_volumes(counted.r))
    blocks = np.zeros((len(inverse), len(data.q), h.shape[1]))
    for row, pair in enumerate(counted.pairs):
        functions = own.get(pair, own.get(pair[::-1], np.zeros((len(counted.r), h.shape[1]))))
        of_counts = smoothed_covariance(counted, row, h, functions, spacing)
        change = atoms * counted.norms[row] * (transform @ of_counts) - uniform[:, None] * inverse
        blocks -= weights[row][:, None] * change / kbt
    end = beyond(data, counted)
    parts = np.stack([part.mean(axis=0) for part in np.array_split(by_frame, len(blocks))]) + end
    variances = _variances(by_frame) + (END_ERROR * end) ** 2
    return Response(by_frame.mean(axis=0) + end, variances, blocks, parts=parts)


def direct_response(
    data: ScatteringData, low: LowFactors, fractions: Mapping[str, float], h: Array, kbt: float
) -> Response:
    """Return F at the smallest wave vectors of a simulation, its errors and its Jacobian.

    Parameters
    ----------
    data
        At wave vectors of ``low``.
    low
        By frame.
    fractions
        Of the species among all atoms.
    h, kbt
        As for :func:`scattering_response`.
    """
    found = [int(np.argmin(np.abs(low.q - q))) for q in data.q]
    by_frame = total(data, PartialFactors(data.q, low.pairs, dict(fractions), low.values[:, :, found]))
    blocks = -covariance_blocks(by_frame, h) / kbt
    parts = np.stack([part.mean(axis=0) for part in np.array_split(by_frame, len(blocks))])
    count = min(10, len(by_frame))
    single = by_frame.var(axis=0, ddof=1) / len(by_frame) if len(by_frame) > 1 else np.ones(len(data.q))
    tenths = np.stack([part.mean(axis=0) for part in np.array_split(by_frame, count)])
    # few wave vectors, few parts: how much slower than from frame to frame they change is taken as one number
    slower = float(np.mean(tenths.var(axis=0, ddof=1) / count / single)) if count > 2 else 1.0
    return Response(by_frame.mean(axis=0), max(slower, 1.0) * single, blocks, parts=parts)


def _variances(values: Array) -> Array:
    """Return the squared standard error of the mean of each column, averaged over neighbouring columns."""
    count = min(10, len(values))
    if count < 2:
        return np.full(values.shape[1], np.mean(values.var(axis=0)))
    parts = np.stack([part.mean(axis=0) for part in np.array_split(values, count)])
    variances = parts.var(axis=0, ddof=1) / count
    window = np.ones(2 * NEIGHBOURS + 1)
    number = np.convolve(np.ones(len(variances)), window, mode="same")
    return np.asarray(np.convolve(variances, window, mode="same") / number)
