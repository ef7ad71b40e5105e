"""g(r) from a measured structure factor.

    g(r) = 1 + 1/(2 pi^2 rho r) int_0^Qmax Q [S(Q) - 1] M(Q) sin(Q r) dQ

S is the Faber-Ziman factor of one species, S -> 1 at large Q; rho the number density. M is 1 (none) or
Lorch's sin(pi Q/Qmax)/(pi Q/Qmax), which damps the ripples of the cut at Qmax and broadens the peaks.
"""

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.targets.choices import Window
from votca_mlp.targets.functions import check_density

Array = NDArray[np.float64]

REACHED = 0.02
"""Of the largest Q |S - 1|: what is left of it at Qmax when nothing is cut."""


def check_structure_factor(q: Array, s: Array, density: float) -> list[str]:
    """Return notes on S(Q); refuse data or a density that cannot be transformed.

    Parameters
    ----------
    q, s
        1/Angstrom and S(Q), shape [n].
    density
        Atoms per cubic Angstrom.

    Raises
    ------
    UserError
        Negative Q; S that does not tend to one; a range of Q too short; a density in another unit.
    """
    if q[0] < 0.0:
        raise UserError(f"Q begins at {q[0]:g}", accepted="Q >= 0")
    check_density(density)
    if q[-1] < 4.0:
        raise UserError(
            f"S(Q) ends at {q[-1]:g} 1/Angstrom",
            accepted="data to 4 1/Angstrom at least (ripples in g(r) have a period of 2 pi/Qmax)",
        )
    far = q >= q[-1] - 0.2 * (q[-1] - q[0])
    mean = float(s[far].mean())
    if abs(mean - 1.0) > 0.1:
        raise UserError(
            f"beyond Q = {q[far][0]:g} 1/Angstrom S(Q) averages to {mean:.3g}, not one",
            accepted="S(Q) normalised to one at large Q, not S(Q) - 1 or Q [S(Q) - 1] "
            "(--function names what it is)",
        )
    if int(np.argmax(s)) == 0:
        raise UserError(
            f"S(Q) is highest where it begins, at {q[0]:g} 1/Angstrom",
            accepted="data from below the main peak on",
        )
    notes = [f"S(Q): {len(q)} points from {q[0]:g} to {q[-1]:g} 1/A"]
    if abs(mean - 1.0) > 0.005:
        notes.append(f"S(Q): averages to {mean:.3f} beyond {q[far][0]:.2f} 1/A instead of one; left as it is")
    if q[0] > 0.0:
        notes.append(f"S(Q): taken as {s[0]:.3g} below {q[0]:g} 1/A, where the data begin")
    return notes


def window_for(q: Array, s: Array, kind: Window) -> Window:
    """Return the window: for ``auto`` none where S has reached one at Qmax, else Lorch's.

    It has where Q [S - 1], which is cut at Qmax, is below 2 % of its largest value over the last tenth.
    """
    if kind != "auto":
        return kind
    f = np.abs(q * (s - 1.0))
    return "none" if f[q >= q[0] + 0.9 * (q[-1] - q[0])].max() < REACHED * f.max() else "lorch"


def window(q: Array, kind: Window, q_max: float | None = None) -> Array:
    """Return M(Q) on the points of Q (1/Angstrom), shape [n]; without ``q_max`` the data end with them."""
    return np.sinc(q / (q[-1] if q_max is None else q_max)) if kind == "lorch" else np.ones_like(q)


def rdf_from_structure_factor(
    q: Array, s: Array, density: float, r: Array, *, kind: Window = "lorch"
) -> Array:
    """Return g(r) from S(Q).

    Q [S - 1] M is taken as straight between the data and multiplied by sin(Q r) exactly, so a coarse Q grid
    does not alias.

    Parameters
    ----------
    q, s
        1/Angstrom and S(Q), shape [n], q increasing from >= 0; S is constant below q[0].
    density
        Atoms per cubic Angstrom.
    r
        Angstrom, >= 0, shape [m].
    kind
        Window function.

    Returns
    -------
    g(r), shape [m].
    """
    if q[0] > 0.0:
        q, s = np.insert(q, 0, 0.0), np.insert(s, 0, s[0])
    f = q * (s - 1.0) * window(q, kind)
    inverse = 1.0 / (2.0 * np.pi**2 * density)
    slope = np.diff(f) / np.diff(q)
    g = np.empty(len(r))
    for index, distance in enumerate(r):
        if distance < 1e-3:
            # the limit of sin(Q r)/r; the closed form below would lose its digits
            g[index] = 1.0 + inverse * np.trapezoid(f * q, q)
            continue
        sine, cosine = np.sin(q * distance), np.cos(q * distance)
        integral = (f[0] * cosine[0] - f[-1] * cosine[-1]) / distance
        integral += np.sum(slope * np.diff(sine)) / distance**2
        g[index] = 1.0 + inverse * integral / distance
    return g


def rdf_error(q: Array, sigma: Array, density: float, r: Array, *, kind: Window = "lorch") -> Array:
    """Return the standard error of g(r) from independent errors of S(Q), shape [m]."""
    weights = np.gradient(q) * q * window(q, kind) / (2.0 * np.pi**2 * density)
    # sin(Q r)/r, with its limit Q at r = 0
    kernel = q * np.sinc(np.outer(r, q) / np.pi)
    return np.asarray(np.sqrt(np.sum((kernel * weights * sigma) ** 2, axis=1)))
