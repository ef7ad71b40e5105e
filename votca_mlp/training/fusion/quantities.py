"""What settings can name as measured: each makes an observable, with its values and errors in one unit."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from votca_mlp.training.fusion.observables.protocol import FrameObservable
    from votca_mlp.training.fusion.states import StatePoint

Made = tuple["FrameObservable", "Tensor", "Tensor"]
"""Observable, values and errors in its unit."""
GPA_PER_EV_PER_ANGSTROM3 = 160.2176634


class Measured(Protocol):
    """A measurement as settings have it."""

    @property
    def state(self) -> str:
        """Name of the state."""

    @property
    def quantity(self) -> str:
        """One of :data:`QUANTITIES`."""

    @property
    def values(self) -> Mapping[str, float]:
        """By label."""

    @property
    def errors(self) -> Mapping[str, float]:
        """By label."""

    @property
    def file(self) -> str | None:
        """A curve."""

    @property
    def crystal(self) -> str:
        """Of elastic constants."""

    @property
    def species(self) -> tuple[str, ...]:
        """Of g(r)."""


def _pressure(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """bar."""
    from votca_mlp.training.fusion.observables.stress import Pressure

    return _named(Pressure(state.temperature, len(state.start)), measured)


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

    if state.pressure is None:
        raise UserError(
            f"the density of state {state.name}, whose volume is held",
            where="experiments",
            accepted="a state with a pressure, or the quantity pressure",
        )
    return _named(Density(float(state.start.get_masses().sum())), measured)


def _rdf(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """r in Angstrom, g(r), standard error."""
    import torch

    from votca_mlp.training.fusion.observables.structure import RadialDistribution

    if measured.file is None or len(measured.species) != 2:
        raise UserError(
            f"g(r) at {measured.state} without a file, or without two species",
            where="experiments",
            accepted="file: a table of r (Angstrom), g(r) and its error; species: [Al, Al]",
        )
    table = _table(directory / measured.file)
    first, second = measured.species
    return (
        RadialDistribution((first, second), table[:, 0]),
        torch.from_numpy(table[:, 1].copy()),
        torch.from_numpy(table[:, 2].copy()),
    )


QUANTITIES: MappingProxyType[str, Callable[[Measured, "StatePoint", Path], Made]] = MappingProxyType(
    {
        "pressure": _pressure,
        "elastic": _elastic,
        "density": _density,
        "energy": _energy,
        "rdf": _rdf,
    }
)
"""By the name in settings; the function's text is the unit."""


def quantity(measured: Measured, state: "StatePoint", directory: Path) -> Made:
    """Return observable, values and errors of a measurement.

    Raises
    ------
    UserError
        An unknown quantity, names or values that it does not have, a file that is no table.
    """
    if measured.quantity not in QUANTITIES:
        raise UserError(
            f"'{measured.quantity}' is no quantity", where="experiments", accepted=", ".join(QUANTITIES)
        )
    return QUANTITIES[measured.quantity](measured, state, directory)


def _named(observable: "FrameObservable", measured: Measured, unit: float = 1.0) -> Made:
    """Return values by the observable's labels; ``unit`` is that of the settings in the observable's."""
    import torch

    labels = observable.labels
    for what, given in (("values", measured.values), ("errors", measured.errors)):
        unknown = [name for name in given if name not in labels]
        if unknown:
            raise UserError(
                f"{what} of {measured.quantity} at {measured.state}: {', '.join(unknown)} is not among them",
                where="experiments",
                accepted=", ".join(labels),
            )
    columns: list[Any] = [
        torch.tensor([given.get(label, np.nan) for label in labels], dtype=torch.float64) / unit
        for given in (measured.values, measured.errors)
    ]
    return observable, columns[0], columns[1]


def _table(path: Path) -> np.ndarray:
    """Return three columns of a text file.

    Raises
    ------
    UserError
        Missing, or no such table.
    """
    accepted = "a table of r (Angstrom, evenly spaced), g(r) and its standard error"
    try:
        table = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the curve: {error}", where=path, accepted=accepted) from None
    if table.shape[1] < 3:
        raise UserError("has no column of errors", where=path, accepted=accepted)
    steps = np.diff(table[:, 0])
    if len(table) < 2 or np.abs(steps - steps.mean()).max() > 1e-3 * steps.mean() or steps.mean() <= 0:
        raise UserError("r is not evenly spaced", where=path, accepted=accepted)
    return np.asarray(table[:, :3], np.float64)
