"""What needs a stress is refused where the model has none, or one that its energy does not have.

Where nothing needs it, at constant volume, a wrong one is as none at all.
"""

from typing import TYPE_CHECKING

from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.engines.plan import MDPlan
    from votca_mlp.evaluation.contract import Evaluator


def require_stress(plan: "MDPlan", evaluator: "Evaluator", tag: str, what: str) -> None:
    """Refuse a model without stress.

    Parameters
    ----------
    plan, tag
        Where messages say that the stress is needed: the place of ``tag``.
    what
        Needs it, in words.

    Raises
    ------
    UserError
        The model, an ASE calculator, has energy and forces only.
    """
    if evaluator.gives_stress:
        return
    raise UserError(
        f"{what} needs a stress, and the calculator has none",
        where=plan.place(tag),
        accepted="a calculator with stress, or program ase with <ensemble>nvt</ensemble>, where the pressure "
        "is then unknown",
    )


def refuse_wrong_stress(plan: "MDPlan", evaluator: "Evaluator", atoms: "Atoms", tag: str) -> None:
    """Refuse a stress that is not the derivative of the energy; arguments as :func:`require_stress`.

    Parameters
    ----------
    atoms
        The start.

    Raises
    ------
    UserError
        With the factor between the two.
    """
    from votca_mlp.evaluation.stress_check import COMPRESSION, check_stress

    found = check_stress(evaluator, atoms)
    if found.wrong:
        raise UserError(
            f"the model's stress does not match its energy: with each edge of the start {COMPRESSION:.0%} "
            f"shorter it is {found.in_words()}",
            where=plan.place(tag),
            accepted="a stress in eV/Angstrom^3, dE/dstrain by the volume, tension positive (votca-mlp "
            "validate compares all its components), or program ase with <ensemble>nvt</ensemble>",
        )


def without_wrong_stress(evaluator: "Evaluator", atoms: "Atoms") -> str:
    """Let a calculator's stress go that is not the derivative of its energy: the pressure is then unknown.

    For simulations at constant volume. Models whose stress the package itself derives are not looked at.

    Parameters
    ----------
    atoms
        The start.

    Returns
    -------
    What is wrong with it, in words; empty where nothing is.
    """
    from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
    from votca_mlp.evaluation.stress_check import COMPRESSION, check_stress

    if not isinstance(evaluator, CalculatorEvaluator) or not evaluator.gives_stress:
        return ""
    found = check_stress(evaluator, atoms)
    if not found.wrong:
        return ""
    evaluator.gives_stress = False
    return (
        "the calculator's stress does not match its energy and is not used, the pressure stays unknown "
        f"(with each edge of the start {COMPRESSION:.0%} shorter it is {found.in_words()})"
    )
