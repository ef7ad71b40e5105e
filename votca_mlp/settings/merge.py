"""The settings of one state: the run's settings.xml with the state's own tags in their place."""

from collections.abc import Iterator
from dataclasses import replace
from os.path import exists
from pathlib import Path

from lxml import etree

from votca_mlp.engines.registry import engine_names
from votca_mlp.files import atomic_write
from votca_mlp.settings.document import Node
from votca_mlp.settings.layout import own_programs
from votca_mlp.settings.problems import Problem
from votca_mlp.settings.vocabulary import unknown_tags
from votca_mlp.update.registry import rules

INSTEAD = {
    "conf": ("crystal",),
    "crystal": ("conf",),
    "kind": ("model", "members", "calculator", "arguments"),
    **{tag: gone for entry in rules().values() for tag, gone in entry.instead.items()},
}
"""Tags of the run that go when a state gives the tag before them."""

_OWN = (
    *(
        "inverse.kBT",
        "inverse.filelist",
        "inverse.mlp",
        "inverse.target_density",
        "inverse.target_pressure",
        "inverse.scattering",
        "inverse.phase",
    ),
    *(f"inverse.{name}" for name in engine_names()),
)
_OWN_OF_PAIRS = (
    *("name", "inverse.target", "inverse.p_target", "inverse.particle_dens"),
    "inverse.post_update_options.pressure",
    *(f"inverse.{rule}" for rule in rules()),
)
_FILES = {
    "cg.inverse.scattering.file",
    *(f"cg.inverse.{name}.conf" for name in own_programs()),
    *(f"cg.non-bonded.inverse.{rule}.{tag}" for rule, entry in rules().items() for tag in entry.files),
}
"""Tags that name a file of the state's folder or the run's."""


def merged(run: Node, own: Node) -> Node:
    """Return the run's tree with the tags of a state's tree; interactions are known by their names."""
    gone = {tag for child in own.children for tag in INSTEAD.get(child.tag, ())}
    # data sets of a state are all that it has: those of the run go
    gone |= {child.tag for child in own.children if child.tag == "scattering"}
    used: list[Node] = []
    children = []
    for child in run.children:
        other = next((item for item in own.children if _same(child, item) and item.tag not in gone), None)
        if other is not None:
            used.append(other)
            children.append(merged(child, other) if other.children or child.children else other)
        elif child.tag not in gone:
            children.append(child)
    children += [item for item in own.children if item not in used]
    return replace(run, line=own.line, text=own.text or run.text, children=tuple(children))


def not_for_one_state(run: Node, own: Node) -> list[Problem]:
    """Return a problem for each tag that holds for all states and that a state's tree has otherwise."""
    known = {problem.line for problem in unknown_tags(own)}
    sections = {_name(node): node for node in run.all("non-bonded")}
    problems: list[Problem] = []
    for section in own.all("non-bonded"):
        name = _name(section)
        if name not in sections:
            what = f"has the name '{name}', which the run's settings.xml does not have"
            problems.append(Problem(section.line, section.path, what, ", ".join(sections)))
        else:
            problems += _differences(sections[name], section, _OWN_OF_PAIRS, known)
    rest = replace(own, children=tuple(node for node in own.children if node.tag != "non-bonded"))
    return problems + list(_differences(run, rest, _OWN, known))


def _differences(run: Node, own: Node, free: tuple[str, ...], known: set[int]) -> Iterator[Problem]:
    for leaf in own.walk():
        path = leaf.path.removeprefix(f"{own.path}.")
        if leaf.children or leaf is own or leaf.tag == "DESC" or leaf.line in known:
            continue
        if any(path == name or path.startswith(f"{name}.") for name in free):
            continue
        found = run.deepest(path)
        if found.path == leaf.path and _value(found.text) == _value(leaf.text):
            continue
        there = f"'{found.text}' in line {found.line}" if found.path == leaf.path else "no such tag"
        what = f"is '{leaf.text}', but the run's settings.xml has {there}"
        yield Problem(leaf.line, leaf.path, what, "the same, or no such tag: it holds for all states")


def _value(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return " ".join(text.split())


def _name(section: Node) -> str:
    name = section.first("name")
    return name.text if name is not None else ""


def _same(run: Node, own: Node) -> bool:
    return run.tag == own.tag and (run.tag != "non-bonded" or _name(run) == _name(own))


def with_files(root: Node, run_directory: Path, directory: Path) -> Node:
    """Return a state's tree with its file names made relative to where they are looked for.

    Start configuration and weight tables are looked for in the state's folder, then in the run's, and are
    relative to the state's; a model likewise, and is relative to the run's, where every model is looked for.
    """

    def change(node: Node) -> Node:
        text = node.text
        if text and node.path in _FILES:
            elsewhere = not exists(directory / text) and exists(run_directory / text)
            return replace(node, text=f"../{text}") if elsewhere and not Path(text).is_absolute() else node
        if node.path == "cg.inverse.mlp.model" and text and exists(directory / text):
            return node if Path(text).is_absolute() else replace(node, text=f"{directory.name}/{text}")
        return replace(node, children=tuple(map(change, node.children)))

    return change(root)


def write_tree(root: Node, path: Path) -> None:
    """Write a tree as an XML file, under a temporary name first."""
    text = etree.tostring(_element(root), pretty_print=True, encoding="unicode")
    with atomic_write(path) as file:
        file.write(text)


def _element(node: Node) -> etree._Element:
    element = etree.Element(node.tag, dict(node.attributes))
    element.text = node.text or None
    element.extend([_element(child) for child in node.children])
    return element
