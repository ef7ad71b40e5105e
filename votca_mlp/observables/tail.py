"""g(r) beyond half the box: the slowest oscillation of a liquid, fitted to what is inside.

Far out, the pair correlation of a liquid is its leading pole (R. Evans, R. J. F. Leote de Carvalho, J. R.
Henderson, D. C. Hoyle, J. Chem. Phys. 100, 591 (1994)),

    r [g(r) - 1] = A exp(-alpha r) cos(beta r - phi),

for all pairs of species with the same alpha and beta, in theory. Here each pair has its own: what is wanted
is a smooth continuation, whose transform takes the place of the cut at R, which makes ripples of period 2
pi/R in S(Q).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.observables.rdf import Pair, PairHistograms

Array = NDArray[np.float64]

FROM = 0.55
"""Of the range: where the fit begins."""
NEAREST = 5.0
"""Angstrom: nearer shells are no slow oscillation yet."""
COARSE = 0.1
"""Angstrom: bins of g(r) for the fit."""
_LONGEST = 60.0
_STEP = 0.05
_FEWEST = 30


@dataclass(frozen=True)
class Tail:
    """The continuation of one g(r).

    Attributes
    ----------
    amplitude, decay, wavenumber, phase
        A (Angstrom), alpha and beta (1/Angstrom), phi.
    """

    amplitude: float
    decay: float
    wavenumber: float
    phase: float

    def __call__(self, r: Array) -> Array:
        """Return g(r) - 1, shape of r (Angstrom)."""
        wave = np.cos(self.wavenumber * r - self.phase)
        return np.asarray(self.amplitude * np.exp(-self.decay * r) * wave / r)


def fitted_tail(r: Array, g: Array) -> Tail | None:
    """Return the tail that fits the far part of a g(r); None where it has none that decays.

    Parameters
    ----------
    r, g
        Evenly spaced to the end of the range, Angstrom, shape [n].
    """
    far = r > max(FROM * r[-1], NEAREST)
    if far.sum() < _FEWEST:
        return None
    x, y = r[far], r[far] * (g[far] - 1.0)
    decays, wavenumbers = np.geomspace(0.02, 1.5, 24), np.linspace(0.8, 4.0, 129)
    # a decay over more than the range is not seen in it, and one too slow makes a Bragg peak of noise
    decays = decays[decays >= 1.0 / (x[-1] - x[0])]
    # for given alpha and beta the rest is linear: y = p cos + q sin, by the normal equations of all of them
    damped = np.exp(-decays[:, None] * (x - x[0]))[:, None, :]
    even, odd = damped * np.cos(wavenumbers[:, None] * x), damped * np.sin(wavenumbers[:, None] * x)
    ee, oo, eo = (even**2).sum(-1), (odd**2).sum(-1), (even * odd).sum(-1)
    ye, yo = even @ y, odd @ y
    determinant = ee * oo - eo**2
    p, q = (oo * ye - eo * yo) / determinant, (ee * yo - eo * ye) / determinant
    explained = p * ye + q * yo
    at = np.unravel_index(int(np.argmax(explained)), explained.shape)
    # a fit that explains little is noise carried on
    if explained[at] < 0.5 * float(np.sum(y**2)):
        return None
    decay, wavenumber = float(decays[at[0]]), float(wavenumbers[at[1]])
    size = float(np.hypot(p[at], q[at])) * float(np.exp(decay * x[0]))
    return Tail(size, decay, wavenumber, float(np.arctan2(q[at], p[at])))


def pair_tail(counted: PairHistograms, pair: Pair) -> Tail | None:
    """Return the tail of g(r) of two species, fitted to wide bins; None where it has none."""
    every = max(1, round(COARSE / float(counted.r[1] - counted.r[0])))
    g = counted.g(pair)[1:]
    count = len(g) // every
    r = counted.r[1:][-count * every :].reshape(count, every).mean(axis=1)
    return fitted_tail(r, g[-count * every :].reshape(count, every).mean(axis=1))


def tail_factors(counted: PairHistograms, q: Array, deviation: Array | None = None) -> Array:
    """Return what g(r) beyond the counts adds to S_ab(Q) - 1, shape [n_pairs, n_q]; 0 where no tail is found.

    Parameters
    ----------
    counted
        Counts of all pairs from r = 0 on.
    q
        1/Angstrom, > 0, shape [n_q].
    deviation
        Standard deviation of the instrument's resolution, 1/Angstrom, shape [n_q].
    """
    from votca_mlp.observables.structure_factor import composition

    atoms, _ = composition(counted)
    end = float(counted.r[-1]) + 0.5 * float(counted.r[1] - counted.r[0])
    x = np.arange(end, end + _LONGEST, _STEP) + 0.5 * _STEP
    kernel = 4.0 * np.pi * x**2 * np.sinc(np.outer(q, x) / np.pi) * _STEP
    if deviation is not None and deviation.any():
        kernel *= np.exp(-0.5 * np.outer(deviation, x) ** 2)
    density = atoms * float(np.mean(1.0 / counted.volumes))
    found = np.zeros((len(counted.pairs), len(q)))
    for row, pair in enumerate(counted.pairs):
        tail = pair_tail(counted, pair)
        if tail is not None:
            found[row] = density * (kernel @ tail(x))
    return found
