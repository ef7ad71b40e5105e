"""Mass density."""

from collections.abc import Mapping

import numpy as np

from votca_mlp.elements import SYMBOLS
from votca_mlp.observables.protocol import Observable
from votca_mlp.trajectories.frames import Frame
from votca_mlp.units import KG_PER_M3_PER_AMU_PER_ANGSTROM3


def density(mass: float, volume: float) -> float:
    """Return the density in kg/m^3 of a mass in amu in a volume in Angstrom^3."""
    return mass / volume * KG_PER_M3_PER_AMU_PER_ANGSTROM3


def _density(frame: Frame, recorded: Mapping[str, float]) -> float | None:
    # the engine's masses need not be those of the elements
    known = recorded.get("density[kg/m3]")
    return _of_elements(frame) if known is None else known


def _of_elements(frame: Frame) -> float | None:
    """Return the density by the masses of the elements; None where an atom's type is no element."""
    names, counts = np.unique(frame.types, return_counts=True)
    if not set(names.tolist()) <= SYMBOLS:
        return None
    from ase.data import atomic_masses, atomic_numbers

    mass = sum(
        count * atomic_masses[atomic_numbers[str(name)]] for name, count in zip(names, counts, strict=True)
    )
    return density(float(mass), frame.volume)


OBSERVABLE = Observable(
    unit="kg/m3",
    meaning="Mass density, as the engine has recorded it, else by the masses of the elements.",
    per_frame=_density,
)
