"""Any ASE calculator plus correction: energy, forces and stress."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.evaluation.calculator_results import calculate, has_stress
from votca_mlp.evaluation.contract import CORRECTION_SKIN, Evaluator, SameNumbers
from votca_mlp.evaluation.correction import CorrectionAdder
from votca_mlp.evaluation.result import Evaluation
from votca_mlp.kernels.threads import current_threads
from votca_mlp.neighbours.close_pairs import ClosePairs
from votca_mlp.potentials.correction import PairCorrection

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]


class CalculatorEvaluator(Evaluator):
    """Any ASE calculator plus the correction, summed by energy, forces and stress.

    Parameters
    ----------
    calculator
        An ASE calculator with energy and forces. Where it has no stress, that of an evaluation is nan.
    correction, skin
        As for :class:`PairListEvaluator`; skin in Angstrom.
    watch
        Pairs within this distance (Angstrom) are looked at for the closest one.
    """

    def __init__(
        self,
        calculator: Any,
        correction: PairCorrection | None = None,
        *,
        skin: float = 1.0,
        watch: float = 3.0,
    ) -> None:
        self.calculator = calculator
        self.gives_stress = has_stress(calculator)
        self._species: tuple[bytes, bytes] | None = None
        self.same_numbers = SameNumbers()
        self.watched = ClosePairs(watch, skin)
        self.adder: CorrectionAdder | None = None
        if correction is not None and correction.pairs:
            self.adder = CorrectionAdder(correction, CORRECTION_SKIN * skin)

    def forget(self) -> None:
        """Rebuild the neighbour lists at the next call and reset the calculator."""
        self.watched.list.forget()
        if self.adder is not None:
            self.adder.forget()
        self._species = None
        if hasattr(self.calculator, "reset"):
            self.calculator.reset()

    def evaluate(self, atoms: "Atoms") -> Evaluation:
        """Return the evaluation of one configuration.

        Raises
        ------
        UserError
            What the calculator raises; a result that is missing or of another form.
        """
        periodic = atoms.cell.rank == 3
        # calculators set up their lists anew only when they hear that numbers or pbc are others
        species = (atoms.numbers.tobytes(), atoms.pbc.tobytes())
        changes = ["positions", "cell"] + ([] if species == self._species else ["numbers", "pbc"])
        self._species = species
        asked = periodic and self.gives_stress
        energy, forces, found = calculate(self.calculator, atoms, changes, stress=asked)
        # which may have brought torch
        current_threads()
        stress = np.full((3, 3), np.nan if periodic else 0.0) if found is None else found
        positions, cell = atoms.get_positions(), np.asarray(atoms.cell.array, float)
        extra = 0.0
        if self.adder is not None:
            numbers = self.same_numbers.of(atoms)
            extra, extra_forces, virial = self.adder.add(positions, cell, atoms.pbc, numbers)
            forces += extra_forces
            if periodic:
                stress += virial / atoms.get_volume()
        return Evaluation(
            energy + extra,
            forces,
            stress,
            np.array([energy]),
            extra,
            self.watched.closest(positions, cell, atoms.pbc),
            has_stress=self.gives_stress,
        )
