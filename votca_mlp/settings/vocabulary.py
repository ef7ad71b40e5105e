"""Which tags exist where: VOTCA's own (votca_tags.xml) and ours (the models), and the nearest to a typo."""

import difflib
import functools
import re
from pathlib import Path

from lxml import etree

from votca_mlp.engines.registry import engine_names
from votca_mlp.fields import Section
from votca_mlp.settings.document import Node
from votca_mlp.settings.layout import (
    INTERACTION_INVERSE,
    MANY,
    NOT_FOR_OURS,
    OF_VOTCA,
    SETTINGS_NOT_TAGS,
    own_programs,
    section_of,
)
from votca_mlp.settings.models import Interaction, Settings
from votca_mlp.settings.problems import Problem
from votca_mlp.update.registry import rules

# sections into which scripts and programs of others bring sections of their own
_SHARED = ("inverse", "post_update_options", "post_add_options")
_NEAR = 0.6
_OURS = re.compile(rf"\.({'|'.join(map(re.escape, (*own_programs(), 'mlp', *rules())))})\.")


@functools.cache
def tag_tree() -> etree._Element:
    """Return all tags as nested elements from ``cg`` down; ``any="yes"`` marks sections with free names."""
    root = etree.parse(Path(__file__).with_name("votca_tags.xml")).getroot()
    inverse, pair = root.find("inverse"), root.find("non-bonded")
    _add(inverse, Settings, SETTINGS_NOT_TAGS)
    _add(pair, Interaction, INTERACTION_INVERSE)
    _add(pair.find("inverse"), Interaction, tuple(set(Interaction.model_fields) - set(INTERACTION_INVERSE)))
    return root


def _add(element: etree._Element, model: type[Section], leave_out: tuple[str, ...] = ()) -> None:
    for name, info in model.model_fields.items():
        if name in leave_out:
            continue
        found = element.find(name)
        child = etree.SubElement(element, name) if found is None else found
        section = section_of(info)
        if section is not None:
            _add(child, section)


def unknown_tags(root: Node) -> list[Problem]:
    """Return one problem for each tag that neither VOTCA nor this package knows in its section.

    Sections that other programs or scripts brought along are accepted with all their content: an unknown
    section where VOTCA lets others add theirs, unless its name and content look like one of the known.
    """
    return _unknown(root, (tag_tree(),))


def repeated_tags(root: Node) -> list[Problem]:
    """Return one problem for each known tag given again: VOTCA joins the values, we read the first."""
    return _repeated(root, (tag_tree(),))


def stray_text(root: Node) -> list[Problem]:
    """Return one problem for each known section with text of its own, which is not read.

    ``<convergence_check>chi2</convergence_check>`` is meant as a value, and would count as no check at all.
    """
    return _stray(root, (tag_tree(),))


def _stray(node: Node, sections: tuple[etree._Element, ...]) -> list[Problem]:
    inside = sorted({str(child.tag) for section in sections for child in section} - {"DESC"})
    values = any(len(section) == 0 or section.get("any") for section in sections)
    problems = []
    if node.text and inside and not values:
        words = " ".join(node.text.split())
        what = f"is a section, but has the text '{words[:80]}'"
        accepted = " ".join(f"<{name}>" for name in inside[:6]) + (" ..." if len(inside) > 6 else "")
        problems.append(Problem(node.line, node.path, what, f"tags inside: {accepted}"))
    for child in node.children:
        problems += _stray(child, _inside(child.tag, sections))
    return problems


def _repeated(node: Node, sections: tuple[etree._Element, ...]) -> list[Problem]:
    problems = []
    for child in node.children:
        inside = _inside(child.tag, sections)
        if not inside:
            # whether it may be repeated is for those to say who brought it along
            continue
        first = node.first(child.tag)
        if first is not None and first is not child and child.tag not in MANY:
            what = f"is given again, first in line {first.line}"
            problems.append(Problem(child.line, child.path, what, "one value"))
        problems += _repeated(child, inside)
    return problems


def _unknown(node: Node, sections: tuple[etree._Element, ...]) -> list[Problem]:
    if any(section.get("any") for section in sections):
        return []
    known = {str(child.tag) for section in sections for child in section}
    problems = []
    for child in node.children:
        if child.tag == "DESC":
            continue
        inside = _inside(child.tag, sections)
        if inside:
            problems += _unknown(child, inside)
        elif not _foreign(child, node, known, sections):
            problems.append(Problem(child.line, child.path, *_advice(child, known)))
    return problems


def _inside(tag: str, sections: tuple[etree._Element, ...]) -> tuple[etree._Element, ...]:
    """Return the sections one level further in; program sections also have sim_prog's tags."""
    inside = [found for section in sections if (found := section.find(tag)) is not None]
    for section in sections:
        parent = section.getparent()
        if tag == "bonded" and parent is None:
            # the options of bonded interactions are only listed under non-bonded
            inside += [section.find("non-bonded")]
        if tag in (*OF_VOTCA, *engine_names()) and section.tag == "inverse":
            inside += [_sim_prog(section, tag)]
    return tuple(inside)


def _sim_prog(inverse: etree._Element, program: str) -> etree._Element:
    generic = etree.fromstring(etree.tostring(inverse.find("sim_prog"), with_tail=False))
    if program in own_programs():
        for name in NOT_FOR_OURS:
            for element in generic.findall(name):
                generic.remove(element)
    return generic


def nearest(tag: str, known: set[str]) -> str | None:
    """Return the known tag closest to ``tag``, capitals aside, or None when nothing is close."""

    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, tag.lower(), name.lower()).ratio()

    best = max(sorted(known), key=likeness, default=None)
    return best if best is not None and likeness(best) >= _NEAR else None


def _foreign(child: Node, parent: Node, known: set[str], sections: tuple[etree._Element, ...]) -> bool:
    if parent.tag not in _SHARED or not child.children:
        return False
    near = nearest(child.tag, known)
    if near is None:
        return True
    meant = {str(element.tag) for section in _inside(near, sections) for element in section}
    return not any(item.tag in meant for item in child.children)


def _advice(child: Node, known: set[str]) -> tuple[str, str]:
    near = nearest(child.tag, known)
    elsewhere = [_path(element) for element in tag_tree().iter(child.tag)]
    ours = [path for path in elsewhere if _OURS.search(path)]
    if ours or (elsewhere and near is None):
        return "does not belong here", " or ".join((ours or elsewhere)[:3])
    if near is not None:
        return f"is not a tag; did you mean <{near}>?", _listed(known)
    return "is not a tag", _listed(known)


def _listed(known: set[str]) -> str:
    if not known:
        return "only text, no tags"
    return " ".join(f"<{name}>" for name in sorted(known)) if len(known) <= 12 else ""


def _path(element: etree._Element) -> str:
    names = [str(element.tag), *(str(parent.tag) for parent in element.iterancestors())]
    return ".".join(reversed(names))
