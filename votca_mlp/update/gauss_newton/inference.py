"""From data and their Jacobian to the likeliest c, with its amplitude and its errors.

    minimise  (d - J c)^T Sigma^-1 (d - J c) + c^T P^-1 c,    P = A^2 L L^T,   d = y* - y_k + J c_k

is Gaussian inference, so that the amplitude A follows from the evidence, the probability of the data with c
integrated out (D. J. C. MacKay, Neural Comput. 4, 415 (1992)). Beside A it chooses s, a scatter of the data
that neither their errors nor a smooth u explain: a table that is noisier than it says does not make u large.
Data that stay far outside (a flaw at a few r) lose their weight as those of a Student distribution do (K. L.
Lange, R. J. A. Little, J. M. G. Taylor, J. Am. Stat. Assoc. 84, 881 (1989)).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

NU = 4.0
"""Degrees of freedom of the Student distribution; a datum at 10 sigma has 5 % of its weight."""
_ROUNDS = 20
_AMPLITUDES = 61
_SCATTERS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 40.0)
"""s in units of the median error of the data that may have it."""


@dataclass(frozen=True)
class Linear:
    """The linear problem.

    Attributes
    ----------
    jacobian
        J, shape [n, m].
    wanted
        d, shape [n].
    variances
        Sigma, shape [n].
    root
        L, shape [m, m].
    robust
        Data that may be wrong (curves), shape [n]; the others (density) are taken at their word.
    units
        Of the scatter of each datum, shape [n]: what makes curves of several kinds comparable; None for 1.
    nuisance
        What the data may have beside J c, of unknown size: scale and background of a measurement, shape
        [n, k]. They are integrated out without a prior, so that c is as uncertain as they leave it.
    """

    jacobian: Array
    wanted: Array
    variances: Array
    root: Array
    robust: Flags
    units: Array | None = None
    nuisance: Array | None = None

    @property
    def scatter_variances(self) -> Array:
        """Variance of each datum for a scatter of 1, shape [n]; 0 where there is none."""
        return np.asarray(self.robust * (1.0 if self.units is None else self.units**2))


@dataclass(frozen=True)
class Inferred:
    """The solution.

    Attributes
    ----------
    coefficients
        c, shape [m].
    covariance
        Of c, shape [m, m].
    amplitude
        A, in the unit of c.
    scatter
        s, in the unit of the robust data; 0 where their errors explain them.
    variances
        Of the data with s and the loss of weight in them, shape [n].
    log_evidence
        Log of the probability of the data, up to a constant.
    """

    coefficients: Array
    covariance: Array
    amplitude: float
    scatter: float
    variances: Array
    log_evidence: float


def infer(problem: Linear, *, amplitude: float | None, bounds: tuple[float, float]) -> Inferred:
    """Return the likeliest coefficients.

    Parameters
    ----------
    amplitude
        A where it is given, else the one of the largest evidence within the bounds.
    bounds
        Smallest and largest A.
    """
    weights = np.ones(len(problem.wanted))
    found: Inferred | None = None
    choices = np.geomspace(*bounds, _AMPLITUDES) if amplitude is None else np.array([amplitude])
    for _ in range(_ROUNDS):
        last = found
        found = _best(problem, weights, choices)
        residual = without(
            problem.nuisance, problem.wanted - problem.jacobian @ found.coefficients, found.variances
        )
        explained = problem.variances + found.scatter**2 * problem.scatter_variances
        weights = np.where(problem.robust, (NU + 1.0) / (NU + residual**2 / explained), 1.0)
        if last is not None and _near(last, found):
            break
    assert found is not None
    return found


def _near(first: Inferred, second: Inferred) -> bool:
    size = np.abs(second.coefficients).max() + 1e-300
    return float(np.abs(first.coefficients - second.coefficients).max()) < 1e-3 * float(size)


def _best(problem: Linear, weights: Array, choices: Array) -> Inferred:
    """Return the solution of the pair (A, s) with the largest evidence, for weights of the data."""
    scattered = problem.scatter_variances
    robust = problem.robust
    unit = float(np.sqrt(np.median(problem.variances[robust] / scattered[robust]))) if robust.any() else 0.0
    best: tuple[float, float, float, _Modes] | None = None
    for scatter in unit * np.array(_SCATTERS) if unit else (0.0,):
        variances = (problem.variances + scatter**2 * scattered) / weights
        modes = _modes(problem, variances)
        evidences = modes.log_evidence(choices)
        at = int(np.argmax(evidences))
        if best is None or evidences[at] > best[0]:
            best = (float(evidences[at]), float(choices[at]), float(scatter), modes)
    assert best is not None
    evidence, amplitude, scatter, modes = best
    coefficients, covariance = modes.solution(problem.root, amplitude)
    return Inferred(coefficients, covariance, amplitude, scatter, modes.variances, evidence)


@dataclass(frozen=True)
class _Modes:
    """The problem in directions that the data see one by one."""

    variances: Array
    values: Array
    vectors: Array
    projected: Array
    squares: float
    nuisance: float = 0.0

    def log_evidence(self, amplitudes: Array) -> Array:
        """Return log p(d | A, s) without constants, shape of ``amplitudes``."""
        inverse = 1.0 / amplitudes[:, None] ** 2
        gain = (self.projected**2 / (inverse + self.values)).sum(axis=1)
        size = np.log1p(self.values / inverse).sum(axis=1)
        return np.asarray(-0.5 * (self.squares - gain + size + np.log(self.variances).sum() + self.nuisance))

    def solution(self, root: Array, amplitude: float) -> tuple[Array, Array]:
        """Return c and its covariance."""
        scale = 1.0 / (self.values + 1.0 / amplitude**2)
        turned = root @ self.vectors
        return np.asarray(turned @ (scale * self.projected)), np.asarray((turned * scale) @ turned.T)


def without(nuisance: Array | None, values: Array, variances: Array) -> Array:
    """Return values, shape [n] or [n, m], less what the nuisance columns explain of them."""
    if nuisance is None or not nuisance.shape[1]:
        return values
    root = np.sqrt(variances)
    onto, _ = np.linalg.qr(nuisance / root[:, None])
    scaled = (values.T / root).T
    return np.asarray(((scaled - onto @ (onto.T @ scaled)).T * root).T)


def nuisance_errors(problem: Linear, variances: Array, amplitude: float) -> Array:
    """Return the standard errors of the sizes of the nuisance columns, shape [k], where c is not known."""
    assert problem.nuisance is not None
    root = np.sqrt(variances)[:, None]
    j, n = problem.jacobian @ problem.root * amplitude / root, problem.nuisance / root
    across = j.T @ n
    normal = n.T @ n - across.T @ np.linalg.solve(np.eye(j.shape[1]) + j.T @ j, across)
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(normal))))


def _modes(problem: Linear, variances: Array) -> _Modes:
    whitened = (
        without(problem.nuisance, problem.jacobian @ problem.root, variances) / np.sqrt(variances)[:, None]
    )
    wanted = without(problem.nuisance, problem.wanted, variances) / np.sqrt(variances)
    values, vectors = np.linalg.eigh(whitened.T @ whitened)
    projected = vectors.T @ (whitened.T @ wanted)
    squares = float(wanted @ wanted)
    return _Modes(
        variances, np.maximum(values, 0.0), vectors, projected, squares, _size(problem.nuisance, variances)
    )


def _size(nuisance: Array | None, variances: Array) -> float:
    """Return log det N^T Sigma^-1 N: by how much the nuisance columns narrow what they explain."""
    if nuisance is None or not nuisance.shape[1]:
        return 0.0
    scaled = nuisance / np.sqrt(variances)[:, None]
    return float(np.linalg.slogdet(scaled.T @ scaled)[1])


def reachable(problem: Linear, amplitude: float) -> Array:
    """Return the residuals d - J c that no u(r) of this amplitude can take away, shape [n].

    Every datum counts by its own error: this is what a fit at any price would leave.
    """
    modes = _modes(problem, problem.variances)
    coefficients, _ = modes.solution(problem.root, amplitude)
    return without(problem.nuisance, problem.wanted - problem.jacobian @ coefficients, problem.variances)
