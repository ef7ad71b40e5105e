"""What needs a stress is refused where the model has none."""

from typing import TYPE_CHECKING

from votca_mlp.errors import UserError

if TYPE_CHECKING:
    from votca_mlp.engines.plan import MDPlan
    from votca_mlp.evaluation.evaluator import Evaluator


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
