"""Whether to stop after a step: for both loops' directories."""

from collections.abc import Mapping, Sequence

from votca_mlp.errors import UserError
from votca_mlp.inverse.agreement import agreements
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.step_data import step_data
from votca_mlp.targets.agreement import Agreement
from votca_mlp.update.conflict import LIMIT, Misfit
from votca_mlp.update.convergence import Verdict, judge
from votca_mlp.update.registry import rules


def verdict(plan: InversePlan, number: int) -> Verdict:
    """Return whether the iterations are to stop after step ``number``, by the plan's convergence.

    Raises
    ------
    UserError
        Tables or measures that are missing or damaged.
    """
    check = plan.convergence
    if check.type == "none":
        return Verdict(False, "no convergence check")
    if check.type == "default":
        return _default(plan, number)
    if check.type == "data":
        said = rules()[plan.rule].rule().verdict(plan.step_directory(number))
        if said is None:
            raise UserError(
                f"the rule {plan.rule} does not judge the data",
                where=plan.where("cg.inverse.convergence_check.type"),
                accepted="another type, or the rule gauss_newton (method imc)",
            )
        return said
    history = agreements(plan, number)
    if not all(history.values()):
        raise UserError(
            "there is no g(r) to judge",
            where=plan.step_directory(number),
            accepted="NAME.dist.new kept in the steps: not in cleanlist, not compressed",
        )
    found = judge(check.type, history, limit=check.limit, iterations=check.iterations)
    if check.type == "plateau" and found.stop:
        against = contradiction(plan, number, history)
        if against is not None:
            return Verdict(True, f"{found.reason}, but {against}", met=False)
    return found


def contradiction(
    plan: InversePlan, number: int, history: Mapping[str, Sequence[Agreement]] | None = None
) -> str | None:
    """Return why no correction of this kind fits all states, None where nothing says so.

    Either the states' updates cancel (see :mod:`votca_mlp.update.conflict`), or, at a plateau, whose
    ``history`` is given, chi^2 of a state is still beyond noise.

    Raises
    ------
    UserError
        A damaged table.
    """
    if not plan.several:
        return None
    what = "no single u(r)" if plan.terms == 1 else f"no u(r; T) of {plan.terms} terms"
    what += " fits all states"
    for name, misfit in misfits(plan, number).items():
        if misfit.conflict:
            return f"{what}: their updates of {name} cancel, {misfit}"
    last = {name: items[-1].chi2 or 0.0 for name, items in (history or {}).items()}
    worst = max(last, key=lambda name: last[name], default=None)
    if worst is not None and last[worst] > LIMIT:
        return f"{what}: chi2 of {worst} is {last[worst]:.3g}"
    return None


def misfits(plan: InversePlan, number: int) -> dict[str, Misfit]:
    """Return how far the states agree in a step, by interaction; fewer states than terms always do.

    Raises
    ------
    UserError
        A damaged table.
    """
    rule, step = rules()[plan.rule].rule(), step_data(plan, number)
    found = {pair.name: rule.misfit(step, pair.name) for pair in plan.pairs}
    return {name: misfit for name, misfit in found.items() if misfit is not None}


def _default(plan: InversePlan, number: int) -> Verdict:
    """VOTCA's own check: the sum of all NAME.conv against the limit (convergence_check_default.sh)."""
    paths = [plan.step_directory(number) / f"{pair.name}.conv" for pair in plan.pairs]
    total = 0.0
    for path in paths:
        if not path.is_file():
            continue
        text = path.read_text().strip()
        try:
            total = float(f"{total + float(text):.6g}")
        except ValueError:
            raise UserError(f"'{text}' is not a number", where=path, accepted="a number") from None
    limit = plan.convergence.limit
    stop = not total > limit
    side = "not above" if stop else "above"
    return Verdict(stop, f"the convergence sum is {total:.6g}, {side} the limit {limit:g}")
