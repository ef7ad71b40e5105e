"""The start of a simulation and its first evaluation: atoms that are apart, numbers that are numbers."""

from typing import TYPE_CHECKING

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.evaluation.result import Evaluation

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.evaluation.contract import Evaluator

SAME_PLACE = 0.01
"""Angstrom; atoms nearer than that are on one another, whatever the limit."""


def check_apart(atoms: "Atoms", distance_min: float, where: str) -> None:
    """Refuse a periodic start in which two atoms are closer than the limit, without asking the model.

    Parameters
    ----------
    distance_min
        ``limits.distance_min``, Angstrom; 0: only atoms on one another are refused.
    where
        Named in errors.

    Raises
    ------
    UserError
        Naming the closest two, counted from 1.
    """
    from votca_mlp.neighbours.close_pairs import ClosePairs

    positions, cell = atoms.get_positions(), np.asarray(atoms.cell.array, float)
    closest = ClosePairs(max(distance_min, SAME_PLACE), 0.0).closest(positions, cell, atoms.pbc)
    if closest is None:
        return
    first, second, distance = closest
    if distance >= max(distance_min, SAME_PLACE):
        return
    limited = distance_min > SAME_PLACE
    what = f"closer than distance_min = {distance_min:g} Angstrom" if limited else "on one another"
    raise UserError(
        f"at the start two atoms are {what}; closest are atoms {first + 1} and {second + 1} (counted from "
        f"1), {distance:.6g} Angstrom apart",
        where=where,
        accepted="a start whose atoms are apart; if such distances are real, a smaller limits.distance_min",
    )


def first_evaluation(evaluator: "Evaluator", atoms: "Atoms", where: str) -> Evaluation:
    """Return the evaluation of a start.

    Raises
    ------
    UserError
        As :func:`check_finite`.
    """
    evaluation = evaluator.evaluate(atoms)
    check_finite(evaluation, where)
    return evaluation


def check_finite(evaluation: Evaluation, where: str) -> None:
    """Refuse an evaluation of a start with what is no finite number.

    Raises
    ------
    UserError
        Naming energy, force with atom (from 1), or stress.
    """
    wrong = not_finite(evaluation)
    if wrong:
        raise UserError(
            f"at the start {wrong}",
            where=where,
            accepted="a model that knows such configurations (votca-mlp validate tries it), a finite u(r)",
        )


def not_finite(evaluation: Evaluation) -> str:
    """Return what is no finite number; empty where all is, but for a stress that the model does not give."""
    if not np.isfinite(evaluation.energy):
        return f"the potential energy is {evaluation.energy}"
    bad = np.flatnonzero(~np.isfinite(evaluation.forces).all(axis=1))
    if len(bad):
        others = f" ({len(bad)} such atoms)" if len(bad) > 1 else ""
        return f"the model's force on atom {bad[0] + 1} is not a finite number{others}"
    if evaluation.has_stress and not np.isfinite(evaluation.stress).all():
        return "the model's stress is not finite numbers"
    return ""
