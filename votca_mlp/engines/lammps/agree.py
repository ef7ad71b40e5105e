"""Step 0: what LAMMPS has must be what the package's own evaluator says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.evaluation.result import Evaluation
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

Array = NDArray[np.float64]

ENERGY, FORCE, PRESSURE = 1e-6, 1e-4, 5.0
"""What may differ: eV/atom, eV/Angstrom, bar; the rounding of a float32 model asked twice."""
VIRIAL_ORDER = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""LAMMPS's xx yy zz xy xz yz."""
_MASS = 0.01


@dataclass(frozen=True)
class Found:
    """What LAMMPS has: energy (eV), virial pressure [6] (bar), forces [n_atoms, 3] (eV/Angstrom)."""

    energy: float
    pressure: Array
    forces: Array


def differences(found: Found, own: Evaluation) -> tuple[float, float, float]:
    """Return the largest differences of energy (eV/atom), forces (eV/Angstrom) and pressure (bar)."""
    expected = -np.array([own.stress[i, j] for i, j in VIRIAL_ORDER]) * BAR_PER_EV_PER_ANGSTROM3
    return (
        abs(found.energy - own.energy) / len(own.forces),
        float(np.abs(found.forces - own.forces).max()),
        float(np.abs(found.pressure - expected).max()),
    )


def check_step_0(
    found: Found, own: Evaluation, *, where: str, random_forces: bool = False
) -> tuple[float, float, float]:
    """Return the differences; refuse any above rounding.

    Parameters
    ----------
    found, own
        From LAMMPS and from the package's own evaluator, of the same configuration.
    where
        The script.
    random_forces
        A Langevin thermostat adds forces of its own: they are not compared.

    Raises
    ------
    UserError
        Naming what differs, and the usual reasons.
    """
    energy, force, pressure = differences(found, own)
    wrong, reasons = [], []
    if not energy <= ENERGY:
        wrong.append(f"the energy by {energy:.3g} eV/atom")
        reasons.append("fix_modify energy yes")
    if not force <= FORCE and not random_forces:
        wrong.append(f"the forces by up to {force:.3g} eV/Angstrom")
        reasons.append("no pair style, bond or fix with forces of its own (hybrid styles may also overwrite)")
    if not pressure <= PRESSURE:
        wrong.append(f"the virial by up to {pressure:.3g} bar")
        reasons.append("fix_modify virial yes")
    if wrong:
        raise UserError(
            f"at step 0 LAMMPS does not have model + correction: {', '.join(wrong)} from the package's own",
            where=where,
            accepted="; ".join(reasons) + ". Nothing else may act: pair_style zero, or none",
        )
    return energy, force, pressure


def check_atoms(symbols: Sequence[str], types: Sequence[int], masses: Sequence[float], *, where: str) -> None:
    """Refuse LAMMPS types that are not the elements of the topology.

    Parameters
    ----------
    symbols
        Element of each atom, by the topology, in the order of the IDs.
    types
        LAMMPS's type of each atom, from 1, in the same order.
    masses
        Of each type, from 1, amu.

    Raises
    ------
    UserError
        Another number of atoms, a type of two elements, a mass that is not the element's.
    """
    from ase.data import atomic_masses, atomic_numbers

    if len(types) != len(symbols):
        raise UserError(
            f"LAMMPS has {len(types)} atoms, the topology has {len(symbols)} beads",
            where=where,
            accepted="the same number; correct the topology or the configuration",
        )
    element: dict[int, str] = {}
    for number, (kind, symbol) in enumerate(zip(types, symbols, strict=True), start=1):
        if element.setdefault(kind, symbol) != symbol:
            raise UserError(
                f"atom {number} is {symbol} in the topology and of LAMMPS type {kind}, which is "
                f"{element[kind]} before",
                where=where,
                accepted="a LAMMPS type for each element, and IDs 1, 2, ... in the topology's order",
            )
    for kind, symbol in element.items():
        expected = float(atomic_masses[atomic_numbers[symbol]])
        if abs(masses[kind - 1] - expected) > _MASS * expected:
            raise UserError(
                f"LAMMPS type {kind} has mass {masses[kind - 1]:g}, but is {symbol} ({expected:g}) by the "
                "topology",
                where=where,
                accepted="the masses of the elements, in the order of the types",
            )
