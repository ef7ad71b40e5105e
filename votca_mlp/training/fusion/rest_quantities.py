"""What settings can name as known of configurations at rest, without a state."""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from votca_mlp.errors import UserError
from votca_mlp.training.fusion.measured_values import Measured, multiples_of, named_values, title
from votca_mlp.training.fusion.quantities import GPA_PER_EV_PER_ANGSTROM3

if TYPE_CHECKING:
    from torch import Tensor

    from votca_mlp.training.fusion.observables.frames import StoredFrames
    from votca_mlp.training.fusion.observables.rest import RestObservable

Made = tuple["RestObservable", "Tensor", "Tensor"]
"""Observable, values and errors in its unit."""


def _energy_difference(measured: Measured, frames: "list[StoredFrames]") -> Made:
    """eV/atom, of the second configuration less the first."""
    from votca_mlp.training.fusion.observables.rest import EnergyDifference

    found = EnergyDifference(frames[0], frames[1])
    return found, *named_values(found.labels, measured)


def _cold_elastic(measured: Measured, frames: "list[StoredFrames]") -> Made:
    """GPa."""
    from votca_mlp.training.fusion.observables.rest import ColdElasticConstants

    found = ColdElasticConstants(frames[0], measured.crystal)
    return found, *named_values(found.labels, measured, GPA_PER_EV_PER_ANGSTROM3)


def _cold_lattice(measured: Measured, frames: "list[StoredFrames]") -> Made:
    """Angstrom."""
    from votca_mlp.training.fusion.observables.rest import ColdLattice

    found = ColdLattice(frames[0], multiples_of(measured))
    return found, *named_values(found.labels, measured)


REST_QUANTITIES: MappingProxyType[str, tuple[int, Callable[[Measured, "list[StoredFrames]"], Made]]] = (
    MappingProxyType(
        {
            "energy_difference": (2, _energy_difference),
            "cold_elastic": (1, _cold_elastic),
            "cold_lattice": (1, _cold_lattice),
        }
    )
)
"""By the name in settings: how many configurations, and what makes it; the function's text is the unit."""


def rest_quantity(measured: Measured, directory: Path) -> Made:
    """Return observable, values and errors of what is known of configurations at rest.

    Raises
    ------
    UserError
        Another number of configurations, one that cannot be read or is not periodic, names or values that
        the quantity does not have.
    """
    from votca_mlp.engines.shared.start import read_configuration
    from votca_mlp.training.fusion.observables.frames import stored_frames

    count, make = REST_QUANTITIES[measured.quantity]
    if len(measured.configurations) != count:
        raise UserError(
            f"{title(measured)} with {len(measured.configurations)} configurations",
            where="experiments",
            accepted=f"configurations: a list of {count} file" + "s" * (count > 1),
        )
    frames = []
    for name in measured.configurations:
        path = directory / name
        if not path.exists():
            raise UserError("no such file", where=path, accepted=f"a configuration of {measured.quantity}")
        frames.append(stored_frames([read_configuration(path)]))
    return make(measured, frames)
