"""Update rules by name, with their options."""

from dataclasses import dataclass
from typing import Any

from votca_mlp.errors import UserError
from votca_mlp.fields import Section


@dataclass(frozen=True)
class Rule:
    """An update rule of the registry with its options."""

    name: str
    options: Section
    run_options: Section | None = None


def rule(name: str, **options: Any) -> Rule:
    """Return an update rule by its name in the registry, with its options.

    Raises
    ------
    UserError
        An unknown rule or option, or a value that is not accepted.
    """
    from pydantic import ValidationError

    from votca_mlp.update.registry import rules

    if name not in rules():
        raise UserError(f"no rule '{name}'", where="rule", accepted=", ".join(rules()))
    section, whole = rules()[name].options, rules()[name].run_options
    of_run = {} if whole is None else {key: options.pop(key) for key in whole.model_fields if key in options}
    unknown = sorted(options.keys() - section.model_fields.keys())
    if unknown:
        known = ", ".join((*section.model_fields, *(whole.model_fields if whole is not None else ())))
        raise UserError(f"no option '{unknown[0]}' of rule {name}", where="rule", accepted=known)
    try:
        return Rule(name, section(**options), None if whole is None else whole(**of_run))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"{first['loc'][0]} is {first['input']!r}: {first['msg']}"
        raise UserError(what, where=f"rule {name}") from None


def wibi(alpha: float = 0.2, weight: str = "target", **options: Any) -> Rule:
    """Return weighted iterative Boltzmann inversion; see docs/theory.md.

    Parameters
    ----------
    alpha
        Learning rate; diverges near 2 / S_max^2, S_max the main peak of the structure factor.
    weight
        ``target`` (w = g_E), ``uniform`` (plain IBI), ``power`` with ``power=``, ``table`` with
        ``weight_file=``.

    Raises
    ------
    UserError
        A value that is not accepted.
    """
    return rule("wibi", alpha=alpha, weight=weight, **options)


def gauss_newton(**options: Any) -> Rule:
    """Return Gauss-Newton inversion, which fits all pairs and the density at once; see docs/theory.md.

    Parameters
    ----------
    options
        Tags of ``cg.inverse.gauss_newton`` (amplitude in eV, length and knots in Angstrom), and
        ``error``, the standard error of targets that have none of their own.

    Raises
    ------
    UserError
        An unknown option, or a value that is not accepted.
    """
    return rule("gauss_newton", **options)


def said_of_rule(rule: Rule) -> dict[str, Any]:
    """Return a rule's options as plain data, those of the run with those of the pairs."""
    of_run = {} if rule.run_options is None else rule.run_options.model_dump(mode="json")
    return {**rule.options.model_dump(mode="json"), **of_run}
