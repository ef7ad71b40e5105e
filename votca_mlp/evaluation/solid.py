"""The crystal at 0 K: cold curve, lattice constant, bulk modulus, elastic constants by stress and strain.

Everything is of an evaluator, so of any model with or without a correction. No zero-point motion.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.elements import refuse_unknown_element
from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]

STRUCTURES = ("fcc", "bcc", "sc", "diamond")
"""Cubic ones that :func:`ase.build.bulk` knows."""
HEXAGONAL = "hcp"
IDEAL = 8.0**0.5 / 3.0**0.5
"""c/a of closely packed spheres."""
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
    ratio
        c/a there, of least energy at every volume; None in a cubic crystal.
    """

    constants: Array
    energies: Array
    constant: float
    energy: float
    bulk_modulus: float
    ratio: float | None = None


def crystal(element: str, structure: str, a: float, ratio: float | None = None) -> "Atoms":
    """Return a crystal of conventional cells, about 16 Angstrom wide (cubic: 12 from 5 Angstrom on).

    Parameters
    ----------
    a, ratio
        Lattice constant, Angstrom; c/a of hcp, whose cell is the orthorhombic one of four atoms.

    Raises
    ------
    UserError
        An unknown element or structure.
    """
    if structure == HEXAGONAL:
        from ase.build import bulk

        refuse_unknown_element(element)
        cell = bulk(element, "hcp", a, c=a * (ratio or IDEAL), orthorhombic=True)
        atoms: Atoms = cell.repeat(tuple(max(1, round(16.0 / edge)) for edge in cell.cell.lengths()))
        return atoms
    if structure not in STRUCTURES:
        raise UserError(f"no structure '{structure}'", accepted=" | ".join([*STRUCTURES, HEXAGONAL]))
    width = 4 if a < 5 else 3
    return cells_of(element, structure, a, (width, width, width))


def cells_of(element: str, structure: str, a: float, cells: tuple[int, int, int]) -> "Atoms":
    """Return so many conventional cells of a cubic crystal along x, y and z; a in Angstrom.

    Raises
    ------
    UserError
        An unknown element or structure.
    """
    from ase.build import bulk

    if structure not in STRUCTURES:
        raise UserError(f"no structure '{structure}'", accepted=" | ".join(STRUCTURES))
    refuse_unknown_element(element)
    atoms: Atoms = bulk(element, structure, a, cubic=True).repeat(cells)
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
    ratios: Array | None = None
    if structure == HEXAGONAL:
        # a stands for a volume: that of an ideal c/a
        energies, ratios = np.array([_of_volume(evaluator, element, a) for a in constants]).T
    else:
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
    energy, modulus = float(np.polyval(curve, x)), bulk * GPA_PER_EV_PER_ANGSTROM3
    if ratios is None:
        return ColdCurve(constants, energies, a, energy, modulus)
    ratio = float(np.interp(a, constants, ratios))
    narrower = np.cbrt(IDEAL / ratios)
    return ColdCurve(
        constants * narrower, energies, a * float(np.cbrt(IDEAL / ratio)), energy, modulus, ratio
    )


def _of_volume(evaluator: Evaluator, element: str, a: float) -> tuple[float, float]:
    """Return the least energy of an atom of hcp at the volume of an ideal c/a and ``a``, and its c/a."""
    from scipy.optimize import minimize_scalar

    def energy(ratio: float) -> float:
        atoms = crystal(element, HEXAGONAL, a, IDEAL)
        stretched = np.array([1.0, 1.0, 1.0]) * np.cbrt(IDEAL / ratio)
        stretched[2] *= ratio / IDEAL
        atoms.set_cell(atoms.cell.array * stretched[:, None], scale_atoms=True)
        return evaluator.evaluate(atoms).energy / len(atoms)

    found = minimize_scalar(
        energy, bounds=(0.85 * IDEAL, 1.15 * IDEAL), method="bounded", options={"xatol": 1e-5}
    )
    return float(found.fun), float(found.x)


def elastic_constants(
    evaluator: Evaluator,
    element: str,
    structure: str,
    a: float,
    *,
    strain: float = 0.002,
    ratio: float | None = None,
) -> dict[str, float]:
    """Return C11, C12 and C44 in GPa by central differences of the stress, of hcp also C13 and C33.

    Parameters
    ----------
    a
        Lattice constant, Angstrom; where the stress is not zero these are slopes of the Cauchy stress.
    strain
        Largest element of the strain, in both directions.
    ratio
        c/a of hcp; None: the ideal one.

    Raises
    ------
    UserError
        A model without stress; atoms of a strained cell that find no rest.
    """
    start = crystal(element, structure, a, ratio)

    def slopes(i: int, j: int) -> Array:
        direction = _tensor((i, j))
        change = _stress(evaluator, start, direction, strain) - _stress(evaluator, start, direction, -strain)
        # a shear of e_23 = s/2 has the Voigt strain s
        return change * (GPA_PER_EV_PER_ANGSTROM3 / (2.0 * strain))

    stretched, sheared = slopes(0, 0), slopes(1, 2)
    shear = float(sheared[1, 2])
    if structure != HEXAGONAL:
        across = float(stretched[1, 1] + stretched[2, 2]) / 2.0
        return {"C11": float(stretched[0, 0]), "C12": across, "C44": shear}
    upright = slopes(2, 2)
    across = float(stretched[2, 2] + (upright[0, 0] + upright[1, 1]) / 2.0) / 2.0
    constants = {"C11": stretched[0, 0], "C12": stretched[1, 1], "C13": across, "C33": upright[2, 2]}
    return {name: float(value) for name, value in constants.items()} | {"C44": shear}


def is_stable(constants: dict[str, float]) -> bool:
    """Return whether every small strain of a crystal with these constants costs energy (M. Born 1940)."""
    c11, c12, c44 = (constants[name] for name in ("C11", "C12", "C44"))
    c13, c33 = constants.get("C13", c12), constants.get("C33", c11)
    return c11 > abs(c12) and c44 > 0.0 and c33 * (c11 + c12) > 2.0 * c13 * c13


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
