"""Mass density."""

from collections.abc import Mapping

from votca_mlp.observables.protocol import Observable
from votca_mlp.trajectories.frames import Frame
from votca_mlp.units import KG_PER_M3_PER_AMU_PER_ANGSTROM3


def density(mass: float, volume: float) -> float:
    """Return the density in kg/m^3 of a mass in amu in a volume in Angstrom^3."""
    return mass / volume * KG_PER_M3_PER_AMU_PER_ANGSTROM3


def _density(frame: Frame, recorded: Mapping[str, float]) -> float | None:
    # the engine's masses need not be those of the elements
    return recorded.get("density[kg/m3]")


OBSERVABLE = Observable(
    unit="kg/m3", meaning="Mass density, where the engine has recorded it.", per_frame=_density
)
