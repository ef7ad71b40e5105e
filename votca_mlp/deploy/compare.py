"""Exported against original: energy, forces and virial on one configuration."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.neighbours.verlet_lists import VerletPairList
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.evaluation.contract import Evaluator
    from votca_mlp.potentials.correction import PairCorrection

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """Energy (eV), forces (eV/Angstrom, [n_atoms, 3]) and stress (eV/Angstrom^3, [3, 3])."""

    energy: float
    forces: Array
    stress: Array


@dataclass(frozen=True)
class Tolerance:
    """What may differ: eV/atom, eV/Angstrom, bar."""

    energy: float
    force: float
    pressure: float


EXACT = Tolerance(1e-9, 1e-8, 1e-3)
"""The same float64 formula with numbers written in 15 digits."""
SAME_MODEL = Tolerance(1e-6, 1e-4, 10.0)
"""The same program twice; some calculators sum in any order."""
RESAMPLED = Tolerance(1e-6, 2e-3, 2.0)
"""A VOTCA table of u(r; T) between the fitted temperatures, which is no spline through any table."""
TABLE = Tolerance(1e-6, 5e-4, 2.0)
"""Tables for LAMMPS: 20000 points and more, kinks in the curvature of u(r) between them."""
FLOAT32 = Tolerance(2e-5, 2e-3, 50.0)
"""A float32 model summed in another order."""
FLOAT64 = Tolerance(1e-8, 1e-6, 0.1)
"""A float64 model summed in another order."""


@dataclass(frozen=True)
class Comparison:
    """One comparison and its outcome.

    Attributes
    ----------
    what, atoms
        What was compared, and on how many atoms.
    energy, force, pressure
        Differences: eV/atom, largest component in eV/Angstrom, largest component of the stress in bar.
    tolerance
        What may differ.
    """

    what: str
    atoms: int
    energy: float
    force: float
    pressure: float
    tolerance: Tolerance

    @property
    def good(self) -> bool:
        """Whether all differences are within the tolerance (a difference that is no number is not)."""
        limit = self.tolerance
        return self.energy <= limit.energy and self.force <= limit.force and self.pressure <= limit.pressure

    def __str__(self) -> str:
        return (
            f"{self.what}, {self.atoms} atoms: energy differs by {self.energy:.1e} eV/atom, "
            f"forces by {self.force:.1e} eV/A, stress by {self.pressure:.1e} bar"
        )


def compare(what: str, exported: Answer, original: Answer, tolerance: Tolerance) -> Comparison:
    """Return the differences.

    Raises
    ------
    UserError
        Beyond the tolerance: the export is not what it was made from.
    """
    atoms = len(original.forces)
    result = Comparison(
        what,
        atoms,
        abs(exported.energy - original.energy) / atoms,
        float(np.abs(exported.forces - original.forces).max()),
        float(np.abs(exported.stress - original.stress).max()) * BAR_PER_EV_PER_ANGSTROM3,
        tolerance,
    )
    if not result.good:
        raise UserError(
            f"the export is not what it was made from: {result}; nothing is left behind",
            accepted=f"at most {tolerance.energy:g} eV/atom, {tolerance.force:g} eV/A, "
            f"{tolerance.pressure:g} bar",
        )
    return result


def other_configuration(atoms: "Atoms") -> "Atoms":
    """Return a configuration with another number of atoms and pairs: a module may have frozen either."""
    other = atoms[[k for k in range(len(atoms)) if k % 7 != 3]]
    other.rattle(0.05, seed=2)
    return other


def of_evaluator(evaluator: "Evaluator", atoms: "Atoms") -> Answer:
    """Return what one of the package's evaluators says."""
    found = evaluator.evaluate(atoms)
    return Answer(found.energy, found.forces, found.stress)


def of_correction(correction: "PairCorrection", atoms: "Atoms") -> Answer:
    """Return the correction alone, from the compiled kernel that MD uses."""
    from votca_mlp.evaluation.correction import CorrectionAdder

    positions, cell = atoms.get_positions(), np.asarray(atoms.cell.array, float)
    adder = CorrectionAdder(correction, 0.0)
    energy, forces, virial = adder.add(positions, cell, atoms.pbc, atoms.numbers.astype(np.int64))
    return Answer(energy, forces, virial / atoms.get_volume())


PairFunction = Callable[[int, int, Array], tuple[Array, Array]]


def of_pair_function(function: PairFunction, cutoff: float, atoms: "Atoms") -> Answer:
    """Return the sum over pairs of a function.

    Parameters
    ----------
    function
        From two atomic numbers (smaller first) and distances (Angstrom) to u (eV) and du/dr (eV/Angstrom).
    cutoff
        Pairs out to here, Angstrom.
    """
    positions, cell = atoms.get_positions(), np.asarray(atoms.cell.array, float)
    pairs = VerletPairList(cutoff, 0.0, full=False)
    pairs.update(positions, cell, atoms.pbc)
    vectors = pairs.vectors(positions, cell)
    r = np.linalg.norm(vectors, axis=1)
    kinds = np.sort(np.stack([atoms.numbers[pairs.first], atoms.numbers[pairs.second]]), axis=0)
    energy, slope = np.zeros(len(r)), np.zeros(len(r))
    for a, b in {(int(a), int(b)) for a, b in kinds.T}:
        mask = (kinds[0] == a) & (kinds[1] == b)
        energy[mask], slope[mask] = function(a, b, r[mask])
    gradient = (slope / r)[:, None] * vectors
    forces = np.zeros_like(positions)
    np.add.at(forces, pairs.first, gradient)
    np.add.at(forces, pairs.second, -gradient)
    return Answer(float(energy.sum()), forces, gradient.T @ vectors / atoms.get_volume())
