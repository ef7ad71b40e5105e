"""The terms of u(r; T) as interactions of their own, for VOTCA's scripts that work on tables."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.inverse.plan import InversePlan
from votca_mlp.settings.merge import write_tree

if TYPE_CHECKING:
    from votca_mlp.settings import Settings
    from votca_mlp.settings.document import Node

_EVERY_TERM = ("shift", "smooth_at_cut_off")
"""post_add tasks that change tables; the others concern an interaction, not each term of u(r; T)."""


def write_term_settings(settings: "Settings", plan: InversePlan, path: Path) -> None:
    """Write a settings.xml in which every term of u(r; T) is an interaction, for VOTCA's table scripts.

    Raises
    ------
    UserError
        It cannot be written.
    """
    root = settings._root
    children: list[Node] = []
    for child in root.children:
        children.append(child)
        if child.tag == "non-bonded":
            _, *others = plan.tables(child.deepest("name").text)
            children += [_as_term(child, name) for name in others]
    write_tree(replace(root, children=tuple(children)), path)


def _as_term(node: "Node", name: str) -> "Node":
    if node.tag == "name":
        return replace(node, text=name)
    if node.tag == "post_add":
        return replace(node, text=" ".join(word for word in node.text.split() if word in _EVERY_TERM))
    return replace(node, children=tuple(_as_term(child, name) for child in node.children))
