"""Unit factors at VOTCA's border.

Inside the package: eV, Angstrom, fs, K, bar. In VOTCA's files: nm, kJ/mol.
Every conversion goes through this module. Values: CODATA 2018 (exact SI constants).
"""

KB_EV_PER_K = 8.617333262145179e-05
"""Boltzmann constant, eV/K."""

EV_PER_KJMOL = 1.0 / 96.48533212331002
"""1 kJ/mol in eV (1e3 / (e N_A))."""

KJMOL_PER_EV = 96.48533212331002
"""1 eV in kJ/mol."""

EV_PER_KCALMOL = 4.184 * EV_PER_KJMOL
"""1 kcal/mol (thermochemical) in eV."""

ANGSTROM_PER_NM = 10.0
"""1 nm in Angstrom."""

ANGSTROM_PER_BOHR = 0.529177210903
"""1 Bohr radius in Angstrom."""

EV_PER_HARTREE = 27.211386245988
"""1 Hartree in eV."""

EV_PER_ENERGY_UNIT = {
    "eV": 1.0,
    "kcal/mol": EV_PER_KCALMOL,
    "kJ/mol": EV_PER_KJMOL,
    "Hartree": EV_PER_HARTREE,
}
"""eV in each unit that a model may have been trained in."""

BAR_PER_EV_PER_ANGSTROM3 = 1.602176634e6
"""1 eV/Angstrom^3 in bar."""

KG_PER_M3_PER_AMU_PER_ANGSTROM3 = 1660.53906660
"""1 amu/Angstrom^3 in kg/m^3."""

EV_FS2_PER_ANGSTROM2_PER_AMU = 103.64269652680505
"""1 amu in eV fs^2/Angstrom^2, the mass unit that goes with eV, Angstrom and fs."""

M2_PER_S_PER_ANGSTROM2_PER_FS = 1e-5
"""1 Angstrom^2/fs in m^2/s (diffusion)."""


def kbt_kjmol(temperature: float) -> float:
    """Return kB T in kJ/mol (the unit of ``cg.inverse.kBT``) for a temperature in K."""
    return KB_EV_PER_K * KJMOL_PER_EV * temperature


def kelvin(kBT: float) -> float:
    """Return the temperature in K of a kBT in kJ/mol."""
    return kBT / (KB_EV_PER_K * KJMOL_PER_EV)
