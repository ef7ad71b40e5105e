"""Interactions without a <target>: no g(r) of theirs was measured, and u(r) follows from other data."""

from collections.abc import Iterator, Sequence

from votca_mlp.settings.document import Node
from votca_mlp.settings.interaction import TARGET, Interaction
from votca_mlp.settings.problems import Problem
from votca_mlp.update.registry import DEFAULT, OF_METHOD

RULE = "gauss_newton"
"""The only rule that fits other data than g(r)."""
_COMPARING = ("chi2", "rms", "largest", "fit", "plateau")
"""Types of convergence_check that judge g(r) by its target."""
_NEEDING = {"post_update": ("ibi", "cibi", "kbibi"), "post_add": ("convergence",)}
"""Tasks that read NAME.dist.tgt."""
_OTHER_DATA = ("scattering", "target_density", "target_pressure")


def target_problems(
    root: Node, pairs: Sequence[tuple[Node, Interaction]], *, several: bool, convergence: str
) -> Iterator[Problem]:
    """Yield what is wrong where interactions have no target, and a problem where there is nothing to fit.

    Parameters
    ----------
    root
        The element ``cg``.
    pairs
        Interactions with their elements.
    several
        Whether the run has several states, each of which has its own data.
    convergence
        The type of convergence_check.
    """
    rule = _rule(root)
    for node, pair in pairs:
        if pair.target is None:
            yield from _of_interaction(node, pair, rule)
    without = [pair for _, pair in pairs if pair.target is None]
    if pairs and len(without) == len(pairs) and convergence in _COMPARING:
        yield _problem(
            root,
            "inverse.convergence_check.type",
            f"is '{convergence}', which compares g(r) with targets, and there is none",
            "data, none, or a <target>",
        )
    if rule != RULE or not pairs or several:
        return
    fitted = [pair for _, pair in pairs if pair.target is not None and _fits(pair)]
    inverse = root.first("inverse")
    if not fitted and (inverse is None or not any(inverse.first(tag) for tag in _OTHER_DATA)):
        yield _problem(
            root,
            "inverse",
            "has nothing to fit: no interaction has a g(r) that is fitted",
            "<scattering>, <target_density>, or <fit>yes</fit> of an interaction with a <target>",
        )


def _of_interaction(node: Node, pair: Interaction, rule: str) -> Iterator[Problem]:
    if rule != RULE:
        yield _problem(node, "inverse.target", "is missing", TARGET)
        return
    if _fits(pair):
        instead = "or <gauss_newton><fit>no</fit></gauss_newton> where its g(r) is not to be fitted"
        yield _problem(node, "inverse.target", "is missing", f"{TARGET}, {instead}")
        return
    if pair.min <= 0.0:
        what = "is 0, but without a <target> u(r) begins there"
        accepted = "a number > 0 (nm): below the first neighbours, beyond bonds that u(r) is to leave alone"
        yield _problem(node, "min", what, accepted)
    if pair.window.q_max is not None:
        what = "is of a target, and the interaction has none"
        yield _problem(node, "inverse.window", what, "a <target>, or no <window>")
    for tag, needing in _NEEDING.items():
        for task in set(getattr(pair, tag)) & set(needing):
            what = f"names '{task}', which compares g(r) with its target, and there is none"
            yield _problem(node, f"inverse.{tag}", what, "a <target>, or tasks without it")


def _fits(pair: Interaction) -> bool:
    return bool(getattr(pair.options(RULE), "fit", True))


def _rule(root: Node) -> str:
    inverse = root.first("inverse")
    named = {tag: node.text for tag in ("rule", "method") if inverse and (node := inverse.first(tag))}
    return named.get("rule") or OF_METHOD.get(named.get("method", ""), DEFAULT)


def _problem(node: Node, tag: str, what: str, accepted: str) -> Problem:
    return Problem(node.deepest(tag).line, f"{node.path}.{tag}", what, accepted)
