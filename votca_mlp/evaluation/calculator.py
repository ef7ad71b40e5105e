"""An evaluator as an ASE calculator."""

from typing import Any

from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.result import Evaluation


class MLPCalculator(Calculator):
    """Model plus correction for ASE.

    Results are in ASE's units (eV, Angstrom). ``evaluation`` keeps all of the last evaluation, such as the
    committee's spread and the closest pair.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012  ASE's interface

    def __init__(self, evaluator: Evaluator, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.evaluator = evaluator
        self.evaluation: Evaluation | None = None

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Evaluate ``atoms`` and fill ``results``."""
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        assert self.atoms is not None
        evaluation = self.evaluator.evaluate(self.atoms)
        self.evaluation = evaluation
        self.results = ase_results(evaluation)


def ase_results(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as the results of an ASE calculator."""
    return {
        "energy": evaluation.energy,
        "free_energy": evaluation.energy,
        "forces": evaluation.forces,
        "stress": full_3x3_to_voigt_6_stress(evaluation.stress),
    }
