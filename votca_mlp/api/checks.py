"""What :func:`votca_mlp.correct` refuses before any simulation."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from votca_mlp.api.rules import Rule
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.targets.target import Target

if TYPE_CHECKING:
    from votca_mlp.scattering.source import ScatteringSource


def check_kind(value: object, kind: type, where: str, accepted: str) -> None:
    """Refuse what is no ``kind``, such as a name in the place of what it names (UserError)."""
    if not isinstance(value, kind):
        raise UserError(f"is {value!r:.60}", where=where, accepted=accepted)


def check_species(targets: Sequence[Target], symbols: Sequence[str]) -> None:
    """Refuse pairs of elements that the start does not have (UserError)."""
    there = sorted(set(symbols))
    for target in targets:
        missing = [name for name in target.species if name not in there]
        if missing and there:
            raise UserError(
                f"{'-'.join(target.species)}: the start has no {missing[0]}",
                where="targets",
                accepted=f"pairs of {', '.join(there)}",
            )


def check_frames(md: MDPlan, block_length: int | None) -> None:
    """Refuse blocks that the production is too short for (UserError); other engines say its length."""
    if md.engine != "ase" or block_length is None:
        return
    # a division such as 0.3 / 0.1 must not lose a frame
    frames = int(md.production / md.sample_every * (1 + 1e-9)) - max(md.first_frame - 1, 0)
    if block_length < 1 or frames < 2 * block_length:
        most = f"at most {frames // 2}" if frames > 1 else "a longer production"
        raise UserError(
            f"is {block_length} frames, but the plan gives {frames}: errors need two blocks",
            where="block_length",
            accepted=f"{most}, or None without errors",
        )


def check_scattering(sources: "Sequence[ScatteringSource]", rule: Rule, symbols: Sequence[str]) -> None:
    """Refuse data for a rule that does not fit them, of other elements, or given twice (UserError)."""
    from votca_mlp.scattering.read import check_composition, check_twice

    if rule.name != "gauss_newton":
        raise UserError(f"is not used by rule {rule.name}", where="scattering", accepted="rule gauss_newton")
    for source in sources:
        check_composition(source.data, symbols)
    check_twice([source.data for source in sources])


def check_density(
    sources: "Sequence[ScatteringSource]",
    plan: MDPlan,
    density: float,
    targets: Sequence[Target],
) -> None:
    """Refuse data that contradict density and composition (UserError)."""
    from votca_mlp.engines.shared.start import read_configuration
    from votca_mlp.scattering.core import check_core, closest_distance, number_density

    closest = closest_distance(targets, None if plan.start is None else read_configuration(plan.start))
    counts = Counter(plan.symbols)
    total = sum(counts.values())
    fractions = {name: count / total for name, count in counts.items()}
    for source in sources:
        check_core(source.data, fractions, number_density(density, counts), closest)


def check_targets(targets: Sequence[Target], rule: Rule, *, other_data: bool) -> None:
    """Refuse a pair without a g(r) for a rule that fits nothing else, and a run without data (UserError)."""
    without = ["-".join(target.species) for target in targets if not target.known]
    if without and rule.name != "gauss_newton":
        what = f"no g(r) of {', '.join(without)}, which rule {rule.name} fits"
        raise UserError(what, where="targets", accepted="read_target, rdf_target, or rule gauss_newton")
    fitted = getattr(rule.options, "fit", True) and len(without) < len(targets)
    if rule.name == "gauss_newton" and not fitted and not other_data:
        what = "there is nothing to fit: no g(r) is fitted, and there are no other data"
        raise UserError(what, where="targets", accepted="scattering=, density=, or a g(r) with fit=True")


def check_errors(targets: Sequence[Target]) -> None:
    """Refuse an error of 0 among others (UserError)."""
    from votca_mlp.targets.plausible import zero_error

    for target in targets:
        doubt = None if target.errors is None else zero_error(target.x, target.values, target.errors)
        if doubt is not None:
            raise UserError(
                f"{'-'.join(target.species)} {doubt.what}", where="targets", accepted=doubt.accepted
            )
