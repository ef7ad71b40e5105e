"""The crystal at 0 K: cold curve, lattice constant, bulk modulus, elastic constants by stress and strain.

Everything is of an evaluator, so of any model with or without a correction. No zero-point motion.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]

STRUCTURES = ("fcc", "bcc", "sc", "diamond")
"""Cubic ones that :func:`ase.build.bulk` knows."""
GPA_PER_EV_PER_ANGSTROM3 = 1e-4 * BAR_PER_EV_PER_ANGSTROM3
_RELAXED = 1e-5
"""eV/Angstrom: with smaller forces the atoms of a strained cell are where they want to be."""


@dataclass(frozen=True)
class ColdCurve:
    """Energy against lattice constant.

    Attributes
    ----------
    constants, energies
        Angstrom and eV per atom, shape [n].
    constant, energy
        Where the energy is least: of a cubic through the points around it.
    bulk_modulus
        GPa, there.
    """

    constants: Array
    energies: Array
    constant: float
    energy: float
    bulk_modulus: float


def crystal(element: str, structure: str, a: float) -> "Atoms":
    """Return a cubic crystal of conventional cells, about 16 Angstrom wide (12 from 5 Angstrom on).

    Raises
    ------
    UserError
        An unknown element or structure.
    """
    from ase.build import bulk
    from ase.data import chemical_symbols

    if structure not in STRUCTURES:
        raise UserError(f"no structure '{structure}'", accepted=" | ".join(STRUCTURES))
    if element not in chemical_symbols[1:]:
        raise UserError(f"no element '{element}'", accepted="a chemical symbol, such as Al")
    atoms: Atoms = bulk(element, structure, a, cubic=True).repeat(4 if a < 5 else 3)
    return atoms


def cold_curve(
    evaluator: Evaluator,
    element: str,
    structure: str,
    guess: float,
    *,
    width: float = 0.03,
    points: int = 25,
) -> ColdCurve:
    """Return the energies within a relative ``width`` of ``guess`` (Angstrom), and where they are least.

    Raises
    ------
    UserError
        The energy is least at an end.
    """
    constants = guess * np.linspace(1.0 - width, 1.0 + width, points)
    crystals = [crystal(element, structure, a) for a in constants]
    # the number of cells may change at 5 Angstrom: by atom they compare
    energies = np.array([evaluator.evaluate(atoms).energy / len(atoms) for atoms in crystals])
    lowest = int(np.argmin(energies))
    if lowest in (0, points - 1):
        side = "below" if lowest == 0 else "above"
        raise UserError(
            f"the energy of {structure} {element} is still falling {side} {constants[lowest]:.3f} Angstrom",
            where="--guess",
            accepted="a lattice constant nearer to the minimum, or a larger --width",
        )
    near = slice(max(0, lowest - 3), lowest + 4)
    curve = np.polyfit(constants[near] - guess, energies[near], 3)
    roots = [float(x.real) for x in np.roots(np.polyder(curve)) if abs(x.imag) < 1e-9]
    minima = [x for x in roots if np.polyval(np.polyder(curve, 2), x) > 0]
    if not minima:
        raise UserError(f"no minimum of the energy near {guess:g} Angstrom", where="--guess")
    x = min(minima, key=lambda x: abs(guess + x - constants[lowest]))
    a = guess + x
    # B = V d2E/dV2 by atom, V proportional to a^3: at the minimum a^2 E''/(9 V)
    atoms = crystal(element, structure, a)
    volume = atoms.get_volume() / len(atoms)
    bulk = float(np.polyval(np.polyder(curve, 2), x)) * a**2 / (9.0 * volume)
    return ColdCurve(constants, energies, a, float(np.polyval(curve, x)), bulk * GPA_PER_EV_PER_ANGSTROM3)


def elastic_constants(
    evaluator: Evaluator, element: str, structure: str, a: float, *, strain: float = 0.002
) -> dict[str, float]:
    """Return C11, C12 and C44 of a cubic crystal in GPa by central differences of the stress.

    Parameters
    ----------
    a
        Lattice constant, Angstrom; where the stress is not zero these are slopes of the Cauchy stress.
    strain
        Largest element of the strain, in both directions.

    Raises
    ------
    UserError
        A model without stress; atoms of a strained cell that find no rest.
    """
    start = crystal(element, structure, a)
    stretched, sheared = (
        (_stress(evaluator, start, element, strain) - _stress(evaluator, start, element, -strain))
        for element in (_tensor((0, 0)), _tensor((1, 2)))
    )
    # a shear of e_23 = s/2 has the Voigt strain s
    slope = GPA_PER_EV_PER_ANGSTROM3 / (2.0 * strain)
    return {
        "C11": float(stretched[0, 0]) * slope,
        "C12": float(stretched[1, 1] + stretched[2, 2]) / 2.0 * slope,
        "C44": float(sheared[1, 2]) * slope,
    }


def _tensor(element: tuple[int, int]) -> Array:
    i, j = element
    found = np.zeros((3, 3))
    found[i, j] += 0.5
    found[j, i] += 0.5
    return found


def _stress(evaluator: Evaluator, start: "Atoms", direction: Array, strain: float) -> Array:
    atoms = start.copy()
    atoms.set_cell(start.cell.array @ (np.eye(3) + strain * direction), scale_atoms=True)
    found = evaluator.evaluate(atoms)
    if not found.has_stress:
        raise UserError("the model gives no stress", accepted="a model with stress")
    if np.abs(found.forces).max() > _RELAXED:
        # atoms that are not on centres of symmetry
        _relax(evaluator, atoms)
        found = evaluator.evaluate(atoms)
    return np.asarray(found.stress, np.float64)


def _relax(evaluator: Evaluator, atoms: "Atoms") -> None:
    from ase.optimize import BFGS

    from votca_mlp.evaluation.calculator import MLPCalculator

    atoms.calc = MLPCalculator(evaluator)
    try:
        done = BFGS(atoms, logfile=None).run(fmax=_RELAXED, steps=200)
    finally:
        atoms.calc = None
    if not done:
        raise UserError(
            "the atoms of a strained cell do not come to rest", accepted="a stable crystal, float64"
        )
