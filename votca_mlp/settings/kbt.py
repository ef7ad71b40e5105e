"""kBT and temperature of a tree of settings: each follows from the other where one is left out."""

from dataclasses import replace

from votca_mlp.engines.engine import engines
from votca_mlp.engines.registry import DEFAULT
from votca_mlp.plain import number_of
from votca_mlp.settings.document import Node
from votca_mlp.units import kbt_kjmol, kelvin


def with_mean_temperature(root: Node) -> Node:
    """Return a tree of several states with the mean of their kBT where the run itself has none.

    A tree of one state, or whose numbers are not numbers, is returned as it is.
    """
    states = root.deepest("inverse.multistate")
    if states.tag != "multistate" or states.first("state_kBTs") is None or root_has(root, "inverse.kBT"):
        return root
    program = engine_of(root)
    own = kbt_of(root, program)
    if own is not None:
        return with_kbt(root, program, own[0], own[1].line)
    kBTs = numbers(states.first("state_kBTs"))
    weights = numbers(states.first("state_weights")) or [1.0] * len(kBTs)
    if not kBTs or len(weights) != len(kBTs) or min(kBTs) <= 0 or sum(weights) <= 0:
        return root
    mean = sum(kBT * weight for kBT, weight in zip(kBTs, weights, strict=True)) / sum(weights)
    return with_kbt(root, program, mean, states.deepest("state_kBTs").line)


def with_kbt(root: Node, program: str, kBT: float, line: int) -> Node:
    """Return the tree with kBT (kJ/mol) and the engine's temperature (K) where they are missing."""
    if not root_has(root, "inverse.kBT"):
        root = with_tag(root, ("inverse", "kBT"), f"{kBT:.10g}", line)
    engine = engines().get(program)
    has = engine is not None and "temperature" in engine.section.model_fields
    if has and not root_has(root, f"inverse.{program}.temperature"):
        root = with_tag(root, ("inverse", program, "temperature"), f"{kelvin(kBT):.7g}", line)
    return root


def kbt_of(root: Node, program: str) -> tuple[float, Node] | None:
    """Return kBT (kJ/mol) and its element: kBT itself, else the engine's temperature; None without both."""
    for path, factor in (("inverse.kBT", 1.0), (f"inverse.{program}.temperature", kbt_kjmol(1.0))):
        found = numbers(root.deepest(path)) if root_has(root, path) else []
        if found and found[0] > 0:
            return found[0] * factor, root.deepest(path)
    return None


def root_has(root: Node, path: str) -> bool:
    """Return whether there is an element at a dotted path below the root."""
    return root.deepest(path).path == f"{root.path}.{path}"


def engine_of(root: Node) -> str:
    """Return the program; where it is not said, the default one."""
    program = root.deepest("inverse.program")
    return program.text if program.tag == "program" and program.text else DEFAULT


def numbers(node: Node | None) -> list[float]:
    """Return the numbers of an element, none when it is absent or holds anything else."""
    try:
        return [number_of(word) for word in node.text.split()] if node is not None else []
    except ValueError:
        return []


def with_tag(node: Node, names: tuple[str, ...], text: str, line: int) -> Node:
    """Return the tree with the text of the tag at ``names`` set; a section on the way must be there."""
    name, *rest = names
    found = node.first(name)
    if rest:
        if found is None:
            return node
        new = with_tag(found, tuple(rest), text, line)
    else:
        new = Node(name, f"{node.path}.{name}", line, text, {}, ())
    return replace(node, children=(*(child for child in node.children if child is not found), new))
