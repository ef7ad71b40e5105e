"""VOTCA's csg_defaults.xml with our tags added, for the environment's ``VOTCA_CSG_DEFAULTS``.

VOTCA 2023 and later compare settings.xml with that file and warn of every tag that it lacks (and stop when
the environment has ``CI=true``). VOTCA's own scripts also look up there what settings.xml leaves out.
"""

import copy
from pathlib import Path
from typing import Any

from lxml import etree

from votca_mlp.errors import UserError
from votca_mlp.fields import Section, accepted
from votca_mlp.settings.document import read_document
from votca_mlp.settings.layout import (
    INTERACTION_INVERSE,
    NOT_FOR_OURS,
    SETTINGS_NOT_TAGS,
    own_programs,
    section_of,
)
from votca_mlp.settings.models import Interaction, Settings


def merged_defaults(stock: Path) -> str:
    """Return the text of ``stock``, a csg_defaults.xml of VOTCA, with our tags and their defaults added.

    Tags that VOTCA has keep its defaults, but for GROMACS's programs: a distribution names one of its own
    there (/usr/bin/gmx_d), and both loops must start the same. What VOTCA lists for every simulation
    program (``sim_prog``) is listed for our own programs too.

    Raises
    ------
    UserError
        ``stock`` is missing or not a defaults file of VOTCA.
    """
    read_document(stock, "cg")
    root = etree.parse(stock, etree.XMLParser(resolve_entities=False, remove_blank_text=True)).getroot()
    inverse, pair = root.find("inverse"), root.find("non-bonded/inverse")
    if inverse is None or pair is None:
        accepted_file = "xml/csg_defaults.xml of an installed VOTCA"
        raise UserError("not a defaults file of VOTCA", where=stock, accepted=accepted_file)
    _add(inverse, Settings, SETTINGS_NOT_TAGS)
    _add(pair, Interaction, tuple(set(Interaction.model_fields) - set(INTERACTION_INVERSE)))
    energy = inverse.find("gromacs/g_energy/bin")
    if energy is not None:
        energy.text = "gmx energy"
    for section in (inverse, pair):
        generic = section.find("sim_prog")
        if generic is not None:
            for name in own_programs():
                _copy_missing(generic, _child(section, name), NOT_FOR_OURS)
    etree.indent(root)
    return f"{etree.tostring(root, encoding='unicode')}\n"


def text_of(value: Any) -> str:
    """Return a default as it is written in a tag: yes/no for truth, words separated by spaces."""
    if value is None or value == {}:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(text_of(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _child(element: etree._Element, tag: str) -> etree._Element:
    found = element.find(tag)
    return etree.SubElement(element, tag) if found is None else found


def _add(element: etree._Element, model: type[Section], leave_out: tuple[str, ...] = ()) -> None:
    for name, info in model.model_fields.items():
        section, known = section_of(info), element.find(name)
        if name in leave_out:
            continue
        if section is None and known is not None:
            # VOTCA lists some tags without a default, such as cg.inverse.lammps.traj
            program = name in ("bin", "command") and text_of(info.get_default())
            if program or (not (known.text or "").strip() and not info.is_required()):
                known.text = text_of(info.default)
            continue
        child = _child(element, name)
        if section is not None:
            if child.find("DESC") is None:
                _describe(child, str(section.__doc__).split(": ", 1)[-1])
            _add(child, section)
        else:
            child.text = "" if info.is_required() else text_of(info.default)
            _describe(child, f"{info.description} Accepted: {accepted(info)}")


def _describe(element: etree._Element, words: str) -> None:
    etree.SubElement(element, "DESC").text = words


def _copy_missing(source: etree._Element, into: etree._Element, leave_out: tuple[str, ...] = ()) -> None:
    for child in source:
        if not isinstance(child.tag, str) or child.tag in leave_out:
            continue
        mine = into.find(child.tag)
        if mine is None:
            into.append(copy.deepcopy(child))
        elif child.tag != "DESC":
            _copy_missing(child, mine)
