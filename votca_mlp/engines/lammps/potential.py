"""The object that LAMMPS's ``pair_style mliap unified`` loads in a step: model and u(r) of that step."""

import pickle
from pathlib import Path
from typing import Any

from votca_mlp.deploy.mliap import OBJECT, CorrectedMLIAP, refuse_layers
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.files import atomic_write
from votca_mlp.potentials.correction import PairCorrection


class StepMLIAP(CorrectedMLIAP):
    """Model + correction of a step, which stops the simulation when a limit is passed.

    Parameters
    ----------
    state
        ``mlp`` (options of the model), ``main`` (where its relative paths start), ``correction`` and
        ``distance_min`` (Angstrom, or None).
    """

    state: dict[str, Any]

    def __init__(self, state: dict[str, Any]) -> None:
        self.__setstate__(state)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: where the model is, no weights."""
        return self.state

    def __setstate__(self, state: dict[str, Any]) -> None:
        from votca_mlp.evaluation.load import make_evaluator

        self.state = state
        evaluator = make_evaluator(state["mlp"], None, state["main"])
        assert isinstance(evaluator, PairListEvaluator)
        self.distance_min = state["distance_min"]
        self._take(evaluator.model, evaluator.device, evaluator.dtype, state["correction"])

    def watch(self, distances: Any, energies: Any) -> None:
        """Refuse atoms too close to each other, and an energy that is no number.

        Raises
        ------
        UserError
            The simulation has gone wrong.
        """
        from votca_mlp.engines.lammps.answers import ADVICE

        closest = float(distances.min()) if len(distances) else float("inf")
        if self.distance_min is not None and closest < self.distance_min:
            raise UserError(
                f"two atoms are {closest:.3f} Angstrom apart, closer than distance_min = "
                f"{self.distance_min:g}",
                accepted=ADVICE,
            )
        if not bool(energies.isfinite().all()):
            raise UserError("the potential energy is not a finite number", accepted=ADVICE)


def write_object(plan: MDPlan, evaluator: Evaluator, directory: Path) -> None:
    """Write the object into the step directory.

    Raises
    ------
    UserError
        A model with several interaction layers.
    """
    # a model that cannot be asked by pairs has been refused
    assert isinstance(evaluator, PairListEvaluator)
    refuse_layers(evaluator.model)
    # not by its constructor, which loads the model
    made = StepMLIAP.__new__(StepMLIAP)
    made.state = {
        "mlp": plan.model,
        "main": str(plan.model_directory.resolve()),
        "correction": evaluator.correction or PairCorrection({}),
        "distance_min": plan.limits.distance_min,
    }
    with atomic_write(directory / OBJECT, "wb") as file:
        pickle.dump(made, file)
