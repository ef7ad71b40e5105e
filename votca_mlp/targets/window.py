"""The simulated g(r) seen as a measured one is: through a finite range of Q and a window.

A g(r) that was made of data to Q_max with a window M(Q) is broader than the liquid's. It is compared with a
simulated one that went the same way (D. A. Keen, J. Appl. Cryst. 34, 172 (2001), eq. 21 with M),

    g_w(r) - 1 = (1/2 pi^2 rho) int_0^Qmax Q^2 M(Q) [S(Q) - 1] sin(Q r)/(Q r) dQ,

S(Q) - 1 being the transform of g - 1, in which the density cancels: it is linear in g - 1, a matrix on the
bins of a simulated g(r), and so are its errors and its answer to u(r).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.observables.rdf import Pair, PairHistograms
from votca_mlp.observables.structure_factor import kernel, shell_volumes
from votca_mlp.observables.tail import pair_tail
from votca_mlp.tables import Table, make_table
from votca_mlp.targets.choices import RdfWindowKind
from votca_mlp.targets.structure_factor import window
from votca_mlp.units import ANGSTROM_PER_NM

Array = NDArray[np.float64]

_PER_RADIAN = 4.0
"""Points of the quadrature for each radian of Q r at the largest r."""
_BEYOND = 20.0
"""Angstrom beyond the counts in which the tail of g(r) counts."""


@dataclass(frozen=True)
class RdfWindow:
    """Through what a target g(r) was seen.

    Attributes
    ----------
    q_max
        Where its data end, 1/Angstrom.
    kind
        M(Q): ``none`` (1) or ``lorch``.
    """

    q_max: float
    kind: RdfWindowKind = "lorch"


def window_matrix(seen: RdfWindow, r: Array, bins: Array) -> Array:
    """Return what makes g - 1 in bins to g_w - 1 at points, shape [n_r, n_bins].

    Parameters
    ----------
    r
        Points, Angstrom, shape [n_r].
    bins
        Bin centres, Angstrom, evenly spaced, shape [n_bins]; g is 1 beyond them.
    """
    count = int(np.ceil(_PER_RADIAN / np.pi * seen.q_max * (bins[-1] + r[-1]))) + 16
    points, weights = np.polynomial.legendre.leggauss(count)
    q, weights = 0.5 * seen.q_max * (1.0 + points), 0.5 * seen.q_max * weights
    measure = weights * q**2 * window(q, seen.kind, seen.q_max) / (2.0 * np.pi**2)
    outward = np.sinc(np.outer(r, q) / np.pi) * measure
    return np.asarray((outward @ kernel(bins, q)) * shell_volumes(bins))


def tail_seen(seen: RdfWindow, r: Array, counted: PairHistograms, pair: Pair) -> Array:
    """Return what g beyond the counts adds to g_w, shape of r; see :mod:`votca_mlp.observables.tail`."""
    tail = pair_tail(counted, pair)
    if tail is None:
        return np.zeros(len(r))
    step = float(counted.r[1] - counted.r[0])
    beyond = counted.r[-1] + step * np.arange(1, round(_BEYOND / step) + 1)
    return np.asarray(window_matrix(seen, r, beyond) @ tail(beyond))


def empty_core(target: Array) -> NDArray[np.bool_]:
    """Return where a target is zero before its first peak, shape [n].

    There the ripples of the transform were taken out of it, and a simulated g(r) is compared as it is.
    """
    return np.asarray(np.cumsum(np.nan_to_num(target) > 0.0) == 0)


def windowed_table(
    seen: RdfWindow,
    sharp: Table,
    target: Array,
    counted: PairHistograms,
    pair: Pair,
    block_length: int | None,
) -> Table:
    """Return g(r) of a simulation as the target was seen (nm).

    Parameters
    ----------
    sharp
        g(r) itself on the grid of the target; it stays in the target's empty core.
    target
        Values on that grid, shape [n].
    counted
        Pair counts to half the box.
    block_length
        Frames in a block for the errors; None without them.
    """
    r = sharp.x * ANGSTROM_PER_NM
    matrix, core = window_matrix(seen, r, counted.r), empty_core(target)
    end = tail_seen(seen, r, counted, pair)

    def through(g: Array) -> Array:
        return np.asarray(1.0 + (g - 1.0) @ matrix.T + end)

    values = np.where(core, sharp.y, through(counted.g(pair)))
    if block_length is None:
        return make_table(sharp.x, values)
    blocks = through(counted.block_g(pair, block_length))
    error = blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks))
    return make_table(sharp.x, values, yerr=np.where(core, 0.0 if sharp.yerr is None else sharp.yerr, error))
