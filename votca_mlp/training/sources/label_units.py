"""Units of labels in files, and their factors to eV, Angstrom."""

from collections.abc import Mapping

from votca_mlp.units import (
    ANGSTROM_PER_BOHR,
    ANGSTROM_PER_NM,
    BAR_PER_EV_PER_ANGSTROM3,
    EV_PER_ENERGY_UNIT,
)

LENGTHS = {"Angstrom": 1.0, "Bohr": ANGSTROM_PER_BOHR, "nm": ANGSTROM_PER_NM}
"""Angstrom in each length."""

ENERGIES = dict(EV_PER_ENERGY_UNIT)
"""eV in each energy."""

FORCES = {
    f"{energy}/{length}": ev / angstrom
    for energy, ev in ENERGIES.items()
    for length, angstrom in LENGTHS.items()
}
"""eV/Angstrom in each unit of force."""

_BAR = 1.0 / BAR_PER_EV_PER_ANGSTROM3
STRESSES = {
    **{
        f"{energy}/{length}^3": ev / angstrom**3
        for energy, ev in ENERGIES.items()
        for length, angstrom in LENGTHS.items()
    },
    "GPa": 1e4 * _BAR,
    "kbar": 1e3 * _BAR,
    "bar": _BAR,
}
"""eV/Angstrom^3 in each unit of stress."""

VIRIALS = ENERGIES
"""eV in each unit of a virial, which is a stress times the volume."""


def ratios(units: Mapping[str, float]) -> dict[str, float]:
    """Return the factors by which values are wrong when one unit is taken for another, by words for it."""
    return {
        f"{one} instead of {other}": units[one] / units[other]
        for one in units
        for other in units
        if one != other
    }
