"""Values of one simulation and how they answer to a change of u(r): from its values by frame.

With h_j(frame) = sum over pairs of phi_j(r), linear response (A. P. Lyubartsev and A. Laaksonen, Phys. Rev. E
52, 3730 (1995)) gives for any y that is a mean of values by frame

    d<y>/dc_j = -(1/kB T) (<y h_j> - <y><h_j>) + <dy/dc_j>.

g(r) = V <H> n / shell, with the volume V and the pair histogram H as means: at constant pressure both answer,

    dg/dc_j = (n / shell) (V d<H>/dc_j + <H> d<V>/dc_j).

The number density has d<1/V>; the pressure has, beside its covariance, the virial of phi_j itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.update.gauss_newton.correlation import FrameCovariance, weighted_splines

Array = NDArray[np.float64]

SMOOTH = 0.35
"""Angstrom; see :func:`rdf_response`."""
BLOCKS = 5
"""Consecutive parts of a simulation, from which the noise of its covariances comes."""


@dataclass(frozen=True)
class Response:
    """Values of one simulation.

    Attributes
    ----------
    values
        Means y, shape [n].
    variances
        Squared standard errors of the means, shape [n].
    blocks
        d<y>/dc from each part of the simulation, shape [n_blocks, n, n_functions]; their mean is the
        Jacobian of the whole.
    scatter
        How the values of one frame scatter together; None where it is not asked for.
    frames
        Of the simulation, 0 where that does not matter.
    parts
        The values of each part of the simulation, shape [n_blocks, n], where their errors belong together as
        those of neighbouring Q do; None where errors are taken as independent.
    """

    values: Array
    variances: Array
    blocks: Array
    scatter: FrameCovariance | None = None
    frames: int = 0
    parts: Array | None = None

    @property
    def jacobian(self) -> Array:
        """d<y>/dc, shape [n, n_functions]."""
        return np.asarray(self.blocks.mean(axis=0))


def stacked(responses: Sequence[Response]) -> Response:
    """Return several values of one simulation, one after another."""
    parts = None
    if any(item.parts is not None for item in responses):
        parts = np.concatenate(
            [
                np.tile(item.values, (len(item.blocks), 1)) if item.parts is None else item.parts
                for item in responses
            ],
            axis=1,
        )
    return Response(
        np.concatenate([item.values for item in responses]),
        np.concatenate([item.variances for item in responses]),
        np.concatenate([item.blocks for item in responses], axis=1),
        parts=parts,
    )


def covariance_blocks(y: Array, h: Array, count: int = BLOCKS) -> Array:
    """Return <(y - <y>)(h - <h>)> of each part of a simulation with the means of all frames.

    Parameters
    ----------
    y, h
        By frame, shape [n_frames, n_y] and [n_frames, n_h].
    count
        Parts; fewer where there are fewer frames.

    Returns
    -------
    Shape [n_blocks, n_y, n_h]. Frames of unequal parts count alike, so that the mean is the covariance.
    """
    y, h = y - y.mean(axis=0), h - h.mean(axis=0)
    count = max(1, min(count, len(y)))
    parts = np.array_split(np.arange(len(y)), count)
    # n - 1: the means are of the same frames
    scale = count / max(len(y) - 1, 1)
    return np.stack([scale * (y[part].T @ h[part]) for part in parts])


def rdf_response(
    counted: PairHistograms, row: int, h: Array, own: Array, kbt: float, spacing: float = SMOOTH
) -> Response:
    """Return g(r) of a pair of species on the grid, its errors and its Jacobian.

    The covariance of H(r) and h_j is phi_j(r) <H(r)>, of the pairs at r themselves, exactly, and what other
    pairs add to it, <H(r)> q_j(r). q_j(r) is smooth in r, and the counting noise of neighbouring bins is
    independent: it is smoothed, with splines, which takes most of the noise away.

    Parameters
    ----------
    counted
        Pair histograms by frame.
    row
        Of the pair of species in them.
    h
        h_j by frame, shape [n_frames, n_functions].
    own
        phi_j(r) of the pairs themselves, 0 for functions of other pairs, shape [n_bins, n_functions].
    kbt
        In the unit of energy of the c_j.
    spacing
        Distance of the knots for q_j, Angstrom; 0 leaves the covariance as it was sampled.
    """
    counts = counted.counts[:, row].astype(np.float64)
    factor = rdf_factor(counted, row)
    volume, mean = float(counted.volumes.mean()), counts.mean(axis=0)
    of_counts = smoothed_covariance(counted, row, h, own, spacing)
    of_volume = covariance_blocks(counted.volumes[:, None], h)
    blocks = -(factor / kbt)[:, None] * (volume * of_counts + mean[:, None] * of_volume)
    variances = (volume * factor) ** 2 * count_variances(counts)
    return Response(volume * factor * mean, variances, blocks)


def smoothed_covariance(
    counted: PairHistograms, row: int, h: Array, own: Array, spacing: float = SMOOTH
) -> Array:
    """Return the covariance of the pair counts with h by parts, smoothed; see :func:`rdf_response`.

    Shape [n_blocks, n_bins, n_functions].
    """
    counts = counted.counts[:, row].astype(np.float64)
    mean = counts.mean(axis=0)
    found = covariance_blocks(counts, h)
    if spacing <= 0:
        return found
    exact = mean[:, None] * own
    return np.asarray(_smoothed(found - exact, mean, counted.r, spacing) + exact)


def _smoothed(rest: Array, mean: Array, r: Array, spacing: float) -> Array:
    """Return <H> times the splines nearest to rest/<H>, shape of ``rest`` [n_blocks, n_bins, n_functions]."""
    found = weighted_splines(mean, r, spacing)
    if found is None:
        return rest
    seen, functions = found
    # the variance of rest/<H> is that of counting, 1/<H>
    root = np.sqrt(mean[seen])[:, None]
    onto = functions @ np.linalg.pinv(functions)
    smooth = np.zeros_like(rest)
    smooth[:, seen] = root * (onto @ (rest[:, seen] / root))
    return np.asarray(smooth)


def rdf_factor(counted: PairHistograms, row: int) -> Array:
    """Return g / (V <H>) of each bin, 1/Angstrom^3; 0 in a bin that begins below r = 0."""
    return np.asarray(counted.norms[row] / counted.shells)


def count_variances(counts: Array) -> Array:
    """Return the squared standard error of the mean number of pairs in each bin, shape [n_bins].

    Pairs that came and went independently would have <H>/n_frames (Poisson). How many times that it is, is
    taken from the scatter of parts of the simulation and averaged over neighbouring bins, as the scatter of a
    few parts in one bin is itself uncertain by half. A bin without a pair counts as if it had one in the
    whole simulation: zero pairs are not known exactly.

    Parameters
    ----------
    counts
        By frame, shape [n_frames, n_bins].
    """
    frames = len(counts)
    poisson = np.maximum(counts.mean(axis=0), 1.0 / frames) / frames
    count = min(10, frames)
    if count < 2:
        return np.asarray(poisson)
    length = frames // count
    parts = counts[: count * length].reshape(count, length, -1).mean(axis=1)
    # of the mean of so many frames as are in the parts
    scatter = parts.var(axis=0, ddof=1) / count * (count * length / frames)
    many = counts.sum(axis=0) >= count
    ratio = np.where(many, scatter / poisson, 0.0)
    width = min(10, (counts.shape[1] - 1) // 2)
    window = np.ones(2 * width + 1)
    known = np.convolve(many.astype(float), window, mode="same")
    smooth = np.convolve(ratio, window, mode="same") / np.maximum(known, 1.0)
    return np.asarray(poisson * np.where(known > 0, np.maximum(smooth, 0.05), 1.0))


def series_response(
    values: Array, h: Array, kbt: float, error: float, direct: Array | None = None
) -> Response:
    """Return the mean of a value by frame, with its Jacobian.

    Parameters
    ----------
    values
        Shape [n_frames].
    h
        h_j by frame, shape [n_frames, n_functions].
    kbt
        In the unit of energy of the c_j.
    error
        Standard error of the mean.
    direct
        <d value / dc_j>, shape [n_functions], where the value depends on u itself.
    """
    blocks = -covariance_blocks(values[:, None], h) / kbt
    if direct is not None:
        blocks = blocks + direct
    return Response(np.array([values.mean()]), np.array([error**2]), blocks)
