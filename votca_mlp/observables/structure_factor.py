"""Partial structure factors from pair counts to half the box.

    S_ab(Q) - 1 = 4 pi rho int_0^R r^2 [g_ab(r) - 1] sin(Q r)/(Q r) dr

(T. E. Faber, J. M. Ziman, Phil. Mag. 11, 153 (1965); D. A. Keen, J. Appl. Cryst. 34, 172 (2001), eq. 8). rho
is the number density of all atoms. In terms of pair counts it is linear, frame by frame:

    S_ab(Q) - 1 = N n_ab sum_k H_k K(Q, r_k) - (N/V) sum_k v_k K(Q, r_k),

n_ab = 2/N_a^2 or 1/(N_a N_b), v_k the volume of the bin's shell, K the mean of sin(Q r)/(Q r) over the shell.
An instrument whose resolution in Q is a Gaussian of standard deviation s(Q) sees K exp(-(s r)^2/2): what it
measures is S convolved with the Gaussian, in leading order in s/Q.

The integral ends at R, half the box at most, and g is taken as 1 beyond; :func:`end_error` says what that may
do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.observables.rdf import PairHistograms

Array = NDArray[np.float64]

FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""Full width at half maximum of a Gaussian in standard deviations."""
END = 0.9
"""Of the range of the counts, for the error of its end."""


@dataclass(frozen=True)
class Resolution:
    """Of an instrument: full width at half maximum = constant + relative * Q, 1/Angstrom."""

    constant: float = 0.0
    relative: float = 0.0

    def deviation(self, q: Array) -> Array:
        """Return the standard deviation at each Q, 1/Angstrom."""
        return np.asarray((self.constant + self.relative * q) / FWHM)


SHARP = Resolution()
"""An instrument that resolves everything."""


def kernel(r: Array, q: Array, resolution: Resolution = SHARP) -> Array:
    """Return the mean of sin(Q r)/(Q r) over the shell of each bin, shape [n_q, n_bins].

    Parameters
    ----------
    r
        Bin centres, Angstrom, evenly spaced, shape [n_bins]; a bin that reaches below zero begins there.
    q
        1/Angstrom, > 0, shape [n_q].
    """
    step = r[1] - r[0]
    inner = np.maximum(r - 0.5 * step, 0.0)
    half = 0.5 * (r + 0.5 * step - inner)
    points, weights = np.polynomial.legendre.leggauss(4)
    found, volume = np.zeros((len(q), len(r))), np.zeros(len(r))
    deviation = resolution.deviation(q)
    for point, weight in zip(points, weights, strict=True):
        x = inner + half * (1.0 + point)
        values = np.sinc(np.outer(q, x) / np.pi)
        if deviation.any():
            values *= np.exp(-0.5 * np.outer(deviation, x) ** 2)
        found += weight * x**2 * values
        volume += weight * x**2
    return np.asarray(found / np.maximum(volume, 1e-300))


def shell_volumes(r: Array) -> Array:
    """Return the volume of each bin's shell, Angstrom^3, shape [n_bins]; 0 below the origin."""
    step = r[1] - r[0]
    inner, outer = np.maximum(r - 0.5 * step, 0.0), np.maximum(r + 0.5 * step, 0.0)
    return np.asarray(4.0 / 3.0 * np.pi * (outer**3 - inner**3))


def composition(counted: PairHistograms) -> tuple[int, dict[str, float]]:
    """Return the number of atoms and each species' share of them, by the norms of its like pairs.

    Raises
    ------
    UserError
        A species whose like pairs were not counted.
    """
    found = {}
    for row, (a, b) in enumerate(counted.pairs):
        if a == b:
            found[a] = round(float(np.sqrt(2.0 / counted.norms[row])))
    missing = sorted({name for pair in counted.pairs for name in pair} - set(found))
    if missing:
        raise UserError(
            f"like pairs of {', '.join(missing)} were not counted",
            accepted="pair counts of all pairs of species",
        )
    atoms = sum(found.values())
    return atoms, {name: number / atoms for name, number in found.items()}


@dataclass(frozen=True)
class PartialFactors:
    """Partial structure factors of a simulation.

    Attributes
    ----------
    q
        1/Angstrom, shape [n_q].
    pairs
        The two species of each row.
    fractions
        Atoms of each species among all.
    values
        S_ab(Q) - 1 of each frame, shape [n_frames, n_pairs, n_q].
    """

    q: Array
    pairs: tuple[tuple[str, str], ...]
    fractions: dict[str, float]
    values: Array

    def mean(self) -> Array:
        """Return S_ab(Q) - 1 over all frames, shape [n_pairs, n_q]."""
        return np.asarray(self.values.mean(axis=0))


def partial_factors(counted: PairHistograms, q: Array, resolution: Resolution = SHARP) -> PartialFactors:
    """Return S_ab(Q) - 1 of every pair of species, by frame.

    Parameters
    ----------
    counted
        Counts of all pairs of species from r = 0 on.
    q
        1/Angstrom, > 0, shape [n_q].

    Raises
    ------
    UserError
        Pairs of species that were not counted.
    """
    total, fractions = composition(counted)
    transform = kernel(counted.r, q, resolution)
    uniform = transform @ shell_volumes(counted.r)
    # [n_frames, n_pairs, n_q]
    values = total * counted.norms[None, :, None] * (counted.counts @ transform.T)
    values = values - total * uniform / counted.volumes[:, None, None]
    return PartialFactors(q, counted.pairs, fractions, values)


def end_error(counted: PairHistograms, q: Array, resolution: Resolution = SHARP) -> Array:
    """Return how much S_ab(Q) changes when the last tenth of the range is left out, shape [n_pairs, n_q]."""
    keep = counted.r <= END * counted.r[-1]
    short = PairHistograms(
        counted.r[keep], counted.pairs, counted.counts[:, :, keep], counted.volumes, counted.norms
    )
    whole, part = partial_factors(counted, q, resolution), partial_factors(short, q, resolution)
    return np.asarray(np.abs(whole.mean() - part.mean()))
