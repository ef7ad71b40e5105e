"""The test of density, normalisation and composition together: the core of g(r) is empty."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.neighbours.close_pairs import ClosePairs
from votca_mlp.scattering.data import Normalisation, ScatteringData
from votca_mlp.scattering.lengths import FM2_PER_BARN
from votca_mlp.targets.target import Target
from votca_mlp.units import KG_PER_M3_PER_AMU_PER_ANGSTROM3

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]

_CORE, _SCALED = 0.15, 0.6
"""By how much the core may be off, as a factor 1 + x or its inverse: three times as far as the worst of the
measured data sets that the tests read is (5 %); and where the scale of the data is fitted."""
_NOTED = 0.07
"""From which on a note says so."""
_EXPLAINED = 0.08
_UNEVEN, _LESS = 0.1, 0.2
"""Scatter in the core of data that something is wrong with, and what is left of it where that is mended."""
_CANCELLED = 0.15
"""Sum of the weights over the sum of their sizes, below which the core is no test."""
_SURE = 0.9
"""Of the smallest distance at which a target begins: there no atoms are."""


def number_density(density: float, counts: Mapping[str, int]) -> float:
    """Return atoms per cubic Angstrom of a mass density in kg/m^3 and a composition."""
    from ase.data import atomic_masses, atomic_numbers

    mass = sum(count * atomic_masses[atomic_numbers[name]] for name, count in counts.items()) / sum(
        counts.values()
    )
    return float(density / (mass * KG_PER_M3_PER_AMU_PER_ANGSTROM3))


def closest_distance(targets: Iterable[Target], start: "Atoms | None" = None) -> float:
    """Return the distance below which no atoms are: a little less than where the first target g(r) begins.

    Or the closest two atoms of the start, where these are nearer: targets may leave out bonds.
    """
    onsets = []
    for target in targets:
        g = np.nan_to_num(target.values)
        onsets.append(float(target.x[np.argmax(g > 0.02 * g.max())]))
    begins = _SURE * min(onsets)
    if start is None:
        return begins
    cell = np.asarray(start.cell.array, float)
    closest = ClosePairs(begins, 0.0).closest(start.get_positions(), cell, start.pbc)
    return begins if closest is None else min(begins, closest[2])


def core_ratio(
    data: ScatteringData, fractions: Mapping[str, float], density: float, closest: float
) -> float | None:
    """Return what the data give for g(r) - 1 in the core over what they must, -1 times the sum of the
    weights.

    1 for the right normalisation, density and function. The Fourier transform of F below the closest distance
    of atoms, with Lorch's window and weighted by r^2 there; None where the data end too early to tell, or
    where lengths of both signs cancel.

    Parameters
    ----------
    density
        Atoms per cubic Angstrom.
    closest
        Smallest distance of two atoms, Angstrom.
    """
    found = _core(data, fractions, density, closest)
    return None if found is None else found[0]


def _core(
    data: ScatteringData, fractions: Mapping[str, float], density: float, closest: float
) -> tuple[float, float] | None:
    """Return the mean of :func:`core_ratio` and how far its parts by r scatter about it."""
    if data.normalisation == "none" and data.radiation == "xray":
        return None
    weights = data.pair_weights(fractions, _pairs(list(fractions)))[:, 0]
    whole = float(weights.sum())
    if abs(whole) < _CANCELLED * np.abs(weights).sum():
        return None
    q, f = data.q, data.values
    low, high = 1.5 * np.pi / q[-1], 0.9 * closest - np.pi / q[-1]
    if high < low + 0.2 or q[0] > 0.25 * np.pi / high + 1.0:
        return None
    q, f = np.insert(q, 0, 0.0), np.insert(f, 0, f[0])
    r = np.linspace(low, high, 20)
    window = np.sinc(q / q[-1])
    values = np.trapezoid(q**2 * f * window * np.sinc(np.outer(r, q) / np.pi), q, axis=1)
    wanted = -2.0 * np.pi**2 * density * whole
    mean = float(np.sum(r**2 * values) / np.sum(r**2) / wanted)
    return mean, float(np.sqrt(np.sum(r**2 * (values / wanted - mean) ** 2) / np.sum(r**2)))


def check_core(data: ScatteringData, fractions: Mapping[str, float], density: float, closest: float) -> str:
    """Return a note on the test of density and normalisation; refuse data that fail it by far.

    Raises
    ------
    UserError
        The core of g(r) is not empty by a factor that no noise makes.
    """
    ratio = core_ratio(data, fractions, density, closest)
    if ratio is None:
        return f"{data.name}: no test of density and normalisation: the data end too early, or lengths cancel"
    allowed = _SCALED if data.fit_scale else _CORE
    if not 1.0 / (1.0 + allowed) < ratio < 1.0 + allowed or _multiplied(data, fractions, density, closest):
        found = list(_explained(data, fractions, density, closest))
        hint = f"; it would be right for {' or '.join(found)}" if found else ""
        raise UserError(
            f"the Fourier transform below {closest:g} Angstrom is {ratio:.3g} times what an empty core gives",
            where=data.source,
            accepted=f"another normalisation, scale, composition, function or density: about 1{hint}",
        )
    note = f"{data.name}: core of g(r) at {ratio:.3f} of what density and normalisation ask for"
    if max(ratio, 1.0 / ratio) > 1.0 + _NOTED and not data.fit_scale:
        note += ": density, normalisation or scale are off by as much, or say <fit_scale>yes</fit_scale>"
    return note


def _multiplied(data: ScatteringData, fractions: Mapping[str, float], density: float, closest: float) -> bool:
    """Return whether the core would be empty, and evenly so, if the data were Q F: their own mean may be."""
    here = _core(data, fractions, density, closest)
    other = _core(replace(data, values=data.values / data.q), fractions, density, closest)
    if here is None or other is None:
        return False
    return abs(other[0] - 1.0) < _EXPLAINED and here[1] > _UNEVEN and other[1] < _LESS * here[1]


def _explained(
    data: ScatteringData, fractions: Mapping[str, float], density: float, closest: float
) -> Iterator[str]:
    """Yield what would make the core empty: words about the usual mistakes."""
    tried = {"function QF (the data are multiplied by Q)": replace(data, values=data.values / data.q)}
    kinds: tuple[Normalisation, ...] = ("none", "square_of_mean", "mean_of_squares")
    tried |= {
        f"normalisation {kind}": replace(data, normalisation=kind)
        for kind in kinds
        if kind != data.normalisation
    }
    tried["Q in 1/nm"] = replace(data, q=data.q / 10.0)
    tried["data in fm^2 instead of barn"] = replace(data, values=data.values / FM2_PER_BARN)
    tried["data divided by 4 pi"] = replace(data, values=data.values / (4.0 * np.pi))
    for words, other in tried.items():
        ratio = core_ratio(other, fractions, density, closest)
        if ratio is not None and abs(ratio - 1.0) < _EXPLAINED:
            yield words


def _pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(a, b) for i, a in enumerate(names) for b in names[i:]]
