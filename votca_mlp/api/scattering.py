"""F(Q) and partial structure factors of frames, as a measurement would see them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.api.simulate import Simulation
from votca_mlp.errors import UserError
from votca_mlp.scattering.source import ScatteringSource
from votca_mlp.trajectories.frames import Frame

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]
BLOCKS = 10


@dataclass(frozen=True)
class Scattering:
    """What frames scatter; Q in 1/Angstrom, shape [n].

    Attributes
    ----------
    q
        Shape [n].
    partials
        Faber-Ziman S_ab(Q) by pair of species, shape [n] each.
    partial_errors
        Their standard errors, from blocks of frames; nan for fewer than two frames.
    total, error
        F(Q) of the data set asked for, in its own normalisation, and its standard error; None without one.
    """

    q: Array
    partials: Mapping[tuple[str, str], Array]
    partial_errors: Mapping[tuple[str, str], Array]
    total: Array | None = None
    error: Array | None = None

    def __repr__(self) -> str:
        """In a line: a notebook shows it."""
        pairs = ", ".join("-".join(pair) for pair in self.partials)
        total = "S(Q)" if self.total is None else "F(Q) and S(Q)"
        ends = f"{len(self.q)} points from {self.q[0]:g} to {self.q[-1]:g} 1/Angstrom"
        return f"Scattering({total} of {pairs}, {ends})"


def structure_factor(
    frames: "Simulation | Iterable[Frame | Atoms]",
    q: "Array | None" = None,
    *,
    data: ScatteringSource | None = None,
) -> Scattering:
    """Return structure factors of frames, from pair counts to half the box and their continuation.

    Parameters
    ----------
    frames
        A simulation, or frames or ``ase.Atoms`` of any origin in rectangular periodic boxes.
    q
        1/Angstrom, > 0; None: where ``data`` was measured.
    data
        A measurement: its radiation, isotopes, normalisation and resolution give F(Q).

    Raises
    ------
    UserError
        No frames, neither Q nor data, a data set that cannot be read or names other elements.
    """
    from votca_mlp.observables.structure_factor import SHARP, partial_factors
    from votca_mlp.observables.tail import tail_factors
    from votca_mlp.observables.whole import WholeCounter
    from votca_mlp.scattering.data import beyond, total
    from votca_mlp.scattering.read import check_composition
    from votca_mlp.trajectories.frames import frame_from_atoms

    if q is None and data is None:
        raise UserError("neither Q nor a data set", where="structure_factor", accepted="q= or data=")
    counter, count = WholeCounter(), 0
    for frame in frames.frames if isinstance(frames, Simulation) else frames:
        counter.add(frame if isinstance(frame, Frame) else frame_from_atoms(frame))
        count += 1
    if not count:
        raise UserError("there are no frames", where="structure_factor", accepted="at least one")
    counted = counter.histograms()
    measured = None if data is None else data.data
    there = np.asarray(q if q is not None else measured.q if measured is not None else [], float)
    if there.ndim != 1 or not len(there) or not (there > 0).all():
        raise UserError("Q must be numbers > 0", where="structure_factor", accepted="1/Angstrom")
    resolution = SHARP if measured is None else measured.resolution
    found = partial_factors(counted, there, resolution)
    tails = tail_factors(counted, there, resolution.deviation(there))
    means = 1.0 + found.mean() + tails
    errors = {pair: _error(found.values[:, row]) for row, pair in enumerate(found.pairs)}
    partials = dict(zip(found.pairs, means, strict=True))
    if measured is None:
        return Scattering(there, partials, errors)
    check_composition(measured, list(found.fractions))
    asked = replace(measured, q=there, values=np.zeros(len(there)), errors=None)
    by_frame = total(asked, found)
    return Scattering(
        there, partials, errors, by_frame.mean(axis=0) + beyond(asked, counted), _error(by_frame)
    )


def _error(by_frame: Array) -> Array:
    """Return the standard error of the mean of each column, from blocks of frames."""
    count = min(BLOCKS, len(by_frame))
    if count < 2:
        return np.full(by_frame.shape[1], np.nan)
    parts = np.stack([part.mean(axis=0) for part in np.array_split(by_frame, count)])
    return np.asarray(parts.std(axis=0, ddof=1) / np.sqrt(count))
