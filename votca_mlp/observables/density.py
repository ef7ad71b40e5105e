"""Mass density."""

from votca_mlp.units import KG_PER_M3_PER_AMU_PER_ANGSTROM3


def density(mass: float, volume: float) -> float:
    """Return the density in kg/m^3 of a mass in amu in a volume in Angstrom^3."""
    return mass / volume * KG_PER_M3_PER_AMU_PER_ANGSTROM3
