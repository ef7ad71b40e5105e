"""Mass density."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from votca_mlp.structure.blocks import Estimate, mean_with_error
from votca_mlp.units import KG_PER_M3_PER_AMU_PER_ANGSTROM3


def total_mass(symbols: Sequence[str]) -> float:
    """Return the mass of atoms given by chemical symbol, amu (standard atomic weights of ASE)."""
    from ase.data import atomic_masses, atomic_numbers

    return float(sum(atomic_masses[atomic_numbers[symbol]] for symbol in symbols))


def density(mass: float, volume: float) -> float:
    """Return the density in kg/m^3 of a mass in amu in a volume in Angstrom^3."""
    return KG_PER_M3_PER_AMU_PER_ANGSTROM3 * mass / volume


def mean_density(mass: float, volumes: NDArray[np.float64]) -> Estimate:
    """Return the density at the mean volume and its standard error, kg/m^3.

    Parameters
    ----------
    mass
        amu.
    volumes
        Equally spaced samples, Angstrom^3, shape [n_samples]. The error allows for their correlation.
    """
    volume = mean_with_error(volumes)
    value = density(mass, volume.mean)
    return Estimate(value, value * volume.error / volume.mean)
