"""What settings can name as measured at a state: each makes an observable, values and errors in its unit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.training.fusion.measured_values import (
    Measured,
    curve,
    has_columns,
    multiples_of,
    named_values,
    reach_of,
    title,
)
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

if TYPE_CHECKING:
    from torch import Tensor

    from votca_mlp.training.fusion.observables.protocol import FrameObservable
    from votca_mlp.training.fusion.states import StatePoint

Made = tuple["FrameObservable", "Tensor", "Tensor"]
"""Observable, values and errors in its unit."""
GPA_PER_EV_PER_ANGSTROM3 = 1e-4 * BAR_PER_EV_PER_ANGSTROM3


def _pressure(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """bar."""
    from votca_mlp.training.fusion.observables.stress import Pressure

    return _named(Pressure(state.temperature, len(state.start)), measured)


def _stress(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """GPa, positive under tension."""
    from votca_mlp.training.fusion.observables.stress import StressTensor

    found = StressTensor(state.temperature, len(state.start))
    return _named(found, measured, GPA_PER_EV_PER_ANGSTROM3)


def _elastic(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """GPa."""
    from votca_mlp.training.fusion.observables.elastic import ElasticConstants

    found = ElasticConstants(state.temperature, len(state.start), measured.crystal)
    return _named(found, measured, GPA_PER_EV_PER_ANGSTROM3)


def _energy(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """eV/atom."""
    from votca_mlp.training.fusion.observables.stress import MeanEnergy

    return _named(MeanEnergy(len(state.start)), measured)


def _density(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """kg/m3."""
    from votca_mlp.training.fusion.observables.cell import Density

    _refuse_constant_volume("the density", state)
    return _named(Density(float(state.start.get_masses().sum())), measured)


def _lattice(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """Angstrom."""
    from votca_mlp.training.fusion.observables.cell import LatticeConstants

    _refuse_constant_volume("lattice constants", state)
    return _named(LatticeConstants(multiples_of(measured)), measured)


def _rdf(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """r in Angstrom, g(r), standard error."""
    from votca_mlp.training.fusion.observables.structure import RadialDistribution

    r, values, errors = curve(measured, directory, "r (Angstrom), g(r) and its standard error", 2)
    first, second = measured.species
    return RadialDistribution((first, second), r), values, errors


def _structure_factor(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """Q in 1/Angstrom, S(Q) of Faber and Ziman, standard error."""
    from votca_mlp.training.fusion.observables.structure import StructureFactor

    q, values, errors = curve(measured, directory, "Q (1/Angstrom), S(Q) and its standard error", 2)
    reach = reach_of(measured, "where the transform of g(r) ends, Angstrom, within half of the box")
    first, second = measured.species
    # the observable is S(Q) - 1
    return StructureFactor(q, reach, {(first, second): 1.0}), values - 1.0, errors


def _scattering(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """Q in 1/Angstrom, F(Q) of neutrons (barn/sr) or X-rays (electrons^2), standard error."""
    import itertools
    from collections import Counter

    import torch

    from votca_mlp.scattering.read import check_composition
    from votca_mlp.scattering.source import ScatteringSource
    from votca_mlp.training.fusion.observables.structure import StructureFactor

    if measured.file is None:
        raise UserError(
            f"{title(measured)} without a file",
            where="experiments",
            accepted="file: a table of Q (1/Angstrom), F(Q) and its standard error",
        )
    reach = reach_of(measured, "where the transform of g(r) ends, Angstrom, within half of the box")
    source = ScatteringSource(
        directory / measured.file,
        title(measured),
        radiation=measured.radiation,
        isotopes=measured.isotopes,
        written=measured.written,
        normalisation=measured.normalisation,
    )
    try:
        data = source.data
    except UserError:
        # three columns without a heading are what every curve here has
        if not has_columns(directory / measured.file, 3):
            raise
        data = replace(source, columns=(1, 2, 3)).data
    if data.errors is None:
        raise UserError("has no column of errors", where=data.source, accepted="Q, F(Q), standard error")
    symbols = state.start.get_chemical_symbols()
    check_composition(data, sorted(set(symbols)))
    counts = Counter(symbols)
    pairs = list(itertools.combinations_with_replacement(sorted(counts), 2))
    weights = data.pair_weights({name: n / len(symbols) for name, n in counts.items()}, pairs)
    found = StructureFactor(data.q, reach, dict(zip(pairs, weights, strict=True)))
    found.labels = tuple(f"F({q:.3f})" for q in data.q)
    return found, torch.from_numpy(data.values.copy()), torch.from_numpy(data.errors.copy())


def _angles(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """Angle in degrees, density of angles by degree, standard error; centres of bins from 0 to 180."""
    import torch
    from ase.data import atomic_numbers

    from votca_mlp.training.fusion.observables.angles import AngleDistribution

    of = "angles (degrees), their density by degree and its standard error"
    centres, values, errors = curve(measured, directory, of, 3)
    width = float(np.diff(centres).mean())
    bins, first = round(180.0 / width), round(centres[0] / width - 0.5)
    if abs(bins * width - 180.0) > 1e-3 * width or abs((first + 0.5) * width - centres[0]) > 1e-3 * width:
        raise UserError(
            "the angles are no centres of equal bins from 0 to 180 degrees",
            where=directory / str(measured.file),
            accepted="such as 1.5, 4.5, ..., 178.5",
        )
    centre, one, two = (atomic_numbers[symbol] for symbol in measured.species)
    reach = reach_of(measured, "distance up to which atoms are neighbours, Angstrom")
    columns = []
    for column in (values, errors):
        columns.append(torch.full((bins,), float("nan"), dtype=torch.float64))
        columns[-1][first : first + len(column)] = column
    return AngleDistribution(reach, bins, (centre, one, two)), columns[0], columns[1]


QUANTITIES: MappingProxyType[str, Callable[[Measured, "StatePoint", Path], Made]] = MappingProxyType(
    {
        "pressure": _pressure,
        "stress": _stress,
        "elastic": _elastic,
        "density": _density,
        "lattice": _lattice,
        "energy": _energy,
        "rdf": _rdf,
        "structure_factor": _structure_factor,
        "scattering": _scattering,
        "angles": _angles,
    }
)
"""By the name in settings; the function's text is the unit."""


def quantity(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """Return observable, values and errors of a measurement at a state.

    Raises
    ------
    UserError
        Names or values that the quantity does not have, a file that is no table.
    """
    return QUANTITIES[measured.quantity](measured, state, directory)


def _refuse_constant_volume(what: str, state: "StatePoint") -> None:
    if state.pressure is None:
        raise UserError(
            f"{what} of state {state.name}, whose volume is held",
            where="experiments",
            accepted="a state with a pressure, or the quantity pressure",
        )


def _named(observable: "FrameObservable", measured: Measured, unit: float = 1.0) -> Made:
    """Return values by the observable's labels; ``unit`` is that of the settings in the observable's."""
    return observable, *named_values(observable.labels, measured, unit)
