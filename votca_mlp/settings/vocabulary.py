"""Which tags exist (stub)."""

from votca_mlp.settings.document import Node
from votca_mlp.settings.problems import Problem


def unknown_tags(root: Node) -> list[Problem]:
    return []
