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

from votca_mlp.update.gauss_newton.noise import Noise, noise_of

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

NU = 4.0
"""Degrees of freedom of the Student distribution; a datum at 10 sigma has 5 % of its weight."""
_FAR = 9.0
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
    shared
        The covariance of errors that are not independent, shape [n, n]; None where all are.
    """

    jacobian: Array
    wanted: Array
    variances: Array
    root: Array
    robust: Flags
    units: Array | None = None
    nuisance: Array | None = None
    shared: Array | None = None

    def noise(self, scatter: float = 0.0, weights: Array | float = 1.0) -> Noise:
        """Return Sigma with a scatter s and weights of the data, shape [n]."""
        variances = (self.variances + scatter**2 * self.scatter_variances) / weights
        return noise_of(variances, self.shared)

    def weights(self, residual: Array, scatter: float) -> Array:
        """Return the weights of data that are so far from a solution, shape [n].

        A weight divides the variance; of errors that belong together it adds independent ones, and each hides
        what their sums say: these data keep their weight up to three sigma (P. J. Huber, Ann. Math. Stat. 35,
        73 (1964)).
        """
        squares = residual**2 / (self.variances + scatter**2 * self.scatter_variances)
        student, huber = (NU + 1.0) / (NU + squares), _FAR / np.maximum(squares, _FAR)
        return np.where(self.robust, student if self.shared is None else huber, 1.0)

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
    noise
        Of the data, with s and the loss of weight in it.
    log_evidence
        Log of the probability of the data, up to a constant.
    """

    coefficients: Array
    covariance: Array
    amplitude: float
    scatter: float
    noise: Noise
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
            problem.nuisance, problem.wanted - problem.jacobian @ found.coefficients, found.noise
        )
        weights = problem.weights(residual, found.scatter)
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
        modes = _modes(problem, problem.noise(float(scatter), weights))
        evidences = modes.log_evidence(choices)
        at = int(np.argmax(evidences))
        if best is None or evidences[at] > best[0]:
            best = (float(evidences[at]), float(choices[at]), float(scatter), modes)
    assert best is not None
    evidence, amplitude, scatter, modes = best
    coefficients, covariance = modes.solution(problem.root, amplitude)
    return Inferred(coefficients, covariance, amplitude, scatter, modes.noise, evidence)


@dataclass(frozen=True)
class _Modes:
    """The problem in directions that the data see one by one."""

    noise: Noise
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
        return np.asarray(-0.5 * (self.squares - gain + size + self.noise.log_determinant + self.nuisance))

    def solution(self, root: Array, amplitude: float) -> tuple[Array, Array]:
        """Return c and its covariance."""
        scale = 1.0 / (self.values + 1.0 / amplitude**2)
        turned = root @ self.vectors
        return np.asarray(turned @ (scale * self.projected)), np.asarray((turned * scale) @ turned.T)


def without(nuisance: Array | None, values: Array, noise: Noise) -> Array:
    """Return values, shape [n] or [n, m], less what the nuisance columns explain of them."""
    if nuisance is None or not nuisance.shape[1]:
        return values
    if noise.factor is not None:
        solved = noise.solved(nuisance)
        return np.asarray(values - nuisance @ np.linalg.solve(nuisance.T @ solved, solved.T @ values))
    root = np.sqrt(noise.variances)
    onto, _ = np.linalg.qr(nuisance / root[:, None])
    scaled = (values.T / root).T
    return np.asarray(((scaled - onto @ (onto.T @ scaled)).T * root).T)


def nuisance_errors(problem: Linear, noise: Noise, amplitude: float) -> Array:
    """Return the standard errors of the sizes of the nuisance columns, shape [k], where c is not known."""
    assert problem.nuisance is not None
    j = noise.whitened(problem.jacobian @ problem.root * amplitude)
    n = noise.whitened(problem.nuisance)
    across = j.T @ n
    normal = n.T @ n - across.T @ np.linalg.solve(np.eye(j.shape[1]) + j.T @ j, across)
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(normal))))


def _modes(problem: Linear, noise: Noise) -> _Modes:
    whitened = noise.whitened(without(problem.nuisance, problem.jacobian @ problem.root, noise))
    wanted = noise.whitened(without(problem.nuisance, problem.wanted, noise))
    values, vectors = np.linalg.eigh(whitened.T @ whitened)
    projected = vectors.T @ (whitened.T @ wanted)
    squares = float(wanted @ wanted)
    size = _size(problem.nuisance, noise)
    return _Modes(noise, np.maximum(values, 0.0), vectors, projected, squares, size)


def _size(nuisance: Array | None, noise: Noise) -> float:
    """Return log det N^T Sigma^-1 N: by how much the nuisance columns narrow what they explain."""
    if nuisance is None or not nuisance.shape[1]:
        return 0.0
    scaled = noise.whitened(nuisance)
    return float(np.linalg.slogdet(scaled.T @ scaled)[1])


def reachable(problem: Linear, amplitude: float) -> Array:
    """Return the residuals d - J c that no u(r) of this amplitude can take away, shape [n].

    Data that no u meets have lost their weight here, too: they are what is left, and the others are met. With
    all weights they would leave some of everything unmet.
    """
    found = infer(problem, amplitude=amplitude, bounds=(amplitude, amplitude))
    return without(problem.nuisance, problem.wanted - problem.jacobian @ found.coefficients, found.noise)
