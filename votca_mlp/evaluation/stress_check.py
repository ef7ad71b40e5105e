"""Is the stress of a model the derivative of its energy? Some evaluations of one configuration say so.

The barostat and the pressure believe the stress, and nothing in a run shows that it is zero, has another unit
or another sign: the density only comes out wrong. ``votca-mlp validate`` measures how well it agrees.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]

COMPRESSION = 0.02
"""By which every edge is shortened: a start at its equilibrium may have next to no stress to compare."""
STRAIN = 2e-3
"""Of the central difference: far above the rounding of a float32 energy, its own error is below 0.1 %."""
FINER = 2.5e-4
"""Of a second one, where the first says that the stress is wrong."""
TOLERANCE = 0.05
"""Of the stress: what an energy cut off without being shifted may leave is less; a wrong unit is not."""
_NEXT_TO_NONE = 3e-5
"""eV/Angstrom^3, 48 bar: below that there is nothing to compare."""
_FLOAT32 = 2.0**-23
_UNITS = {
    "GPa": BAR_PER_EV_PER_ANGSTROM3 * 1e-4,
    "kbar": BAR_PER_EV_PER_ANGSTROM3 * 1e-3,
    "bar": BAR_PER_EV_PER_ANGSTROM3,
}


@dataclass(frozen=True)
class StressCheck:
    """A third of the trace of the stress, given and derived from the energy.

    Attributes
    ----------
    given
        By the model, eV/Angstrom^3, tension positive.
    derived
        dE/d(strain) by three times the volume, eV/Angstrom^3.
    volume
        Angstrom^3.
    allowance
        How far they may be apart, eV/Angstrom^3.
    """

    given: float
    derived: float
    volume: float
    allowance: float

    @property
    def wrong(self) -> bool:
        """Whether they are further apart than they may be; a number that is none is for other checks."""
        return abs(self.given - self.derived) > self.allowance

    @property
    def factor(self) -> float:
        """Given by derived."""
        return self.given / self.derived

    def in_words(self) -> str:
        """Return both, their factor, and what that looks like."""
        return (
            f"{self.given:.4g} eV/Angstrom^3, dE/dstrain by the volume {self.derived:.4g}: a factor of "
            f"{self.factor:.4g}{self._guess()}"
        )

    def _guess(self) -> str:
        if self.given == 0.0:
            return ", no stress at all"
        sign = ", and the sign of a pressure" if self.factor < 0.0 else ""
        for name, value in (*_UNITS.items(), ("the virial, not divided by the volume", self.volume)):
            if abs(abs(self.factor) / value - 1.0) < TOLERANCE:
                return f", which looks like {name}{sign}"
        return ", the sign of a pressure" if abs(self.factor + 1.0) < TOLERANCE else ""


def check_stress(evaluator: Evaluator, atoms: "Atoms") -> StressCheck:
    """Compare the stress with a finite difference of the energy; the evaluator forgets what it kept.

    Parameters
    ----------
    atoms
        A periodic configuration, which is compressed first.
    """
    found = _at(evaluator, atoms, STRAIN)
    # a correction that bends from bin to bin, on a crystal whose distances are all the same few, changes its
    # slope within the strain: what is wrong by a unit or a sign stays so at a finer one
    finer = _at(evaluator, atoms, FINER) if found.wrong else found
    return found if finer.wrong else finer


def _at(evaluator: Evaluator, atoms: "Atoms", size: float) -> StressCheck:
    results = []
    for strain in (0.0, -size, size):
        trial = strained(atoms, (1.0 - COMPRESSION) * (1.0 + strain) * np.eye(3))
        evaluator.forget()
        results.append((evaluator.evaluate(trial), trial.get_volume()))
    evaluator.forget()
    (middle, volume), (below, _), (above, _) = results
    derived = (above.energy - below.energy) / (6.0 * size * volume)
    rounding = 4.0 * _FLOAT32 * abs(middle.energy) / (6.0 * size * volume)
    allowance = TOLERANCE * abs(derived) + _NEXT_TO_NONE + rounding
    return StressCheck(float(np.trace(middle.stress)) / 3.0, derived, volume, allowance)


def strained(atoms: "Atoms", deformation: Array) -> "Atoms":
    """Return a copy with cell and atoms deformed by a matrix, shape [3, 3]."""
    found: Atoms = atoms.copy()
    found.calc = None
    found.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
    return found
