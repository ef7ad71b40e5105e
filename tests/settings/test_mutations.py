"""Each tag deleted, renamed, doubled, or with any text: accepted as the reference says, or one message."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.settings.conftest import GOOD, write_good
from tests.settings.test_engine_sections import NEEDED, leaves, with_section
from votca_mlp.engines.engine import engines
from votca_mlp.fields import Section, accepted
from votca_mlp.settings import Settings, SettingsError, load_settings
from votca_mlp.settings.layout import INTERACTION_INVERSE, SETTINGS_NOT_TAGS, section_of
from votca_mlp.settings.models import Interaction

TEXTS = (
    "abc",
    "-1",
    "-0",
    "2.5",
    "nan",
    "1e300",
    "1_0",
    "1 2",
    "1,5",
    "\u0663",
    "TRUE",
    "9" * 400,
    "[1",
    "'a",
)
BASES = {
    engine: GOOD if engine == "ase" else with_section(engine, "".join(NEEDED.get(engine, ())))
    for engine in engines()
}
NUMBER = re.compile(r"a (whole )?number((?: and)? (?:>=?|<=?) [-+.\de]+)*(?: \(.*\))?")
BOUND = re.compile(r"(>=?|<=?) ([-+.\de]+)")
LARGEST = 1e15


@dataclass(frozen=True)
class Tag:
    """A value of settings.xml: in which engine's file, where, and what declares it."""

    engine: str
    path: tuple[str, ...]
    section: type[Section]

    @property
    def words(self) -> str:
        """What the reference says is accepted."""
        return accepted(self.section.model_fields[self.path[-1]])

    @property
    def dotted(self) -> str:
        return ".".join(("cg", *self.path))


def fields(section: type[Section], names: Any) -> Iterator[tuple[tuple[str, ...], type[Section]]]:
    for name in names:
        inner = section_of(section.model_fields[name])
        if inner is None:
            yield (name,), section
        else:
            yield from leaves(inner, (name,))


def all_tags() -> list[Tag]:
    names = [name for name in Settings.model_fields if name not in SETTINGS_NOT_TAGS]
    shared = [name for name in names if name not in engines()]
    found = [Tag("ase", ("inverse", *path), of) for path, of in fields(Settings, shared)]
    for engine in engines():
        found += [Tag(engine, ("inverse", *path), of) for path, of in fields(Settings, [engine])]
    for path, of in fields(Interaction, Interaction.model_fields):
        inside = ("non-bonded", "inverse") if path[0] in INTERACTION_INVERSE else ("non-bonded",)
        found.append(Tag("ase", (*inside, *path), of))
    return found


def text_of(root: etree._Element) -> str:
    return etree.tostring(root, encoding="unicode")


def with_tag(tag: Tag, text: str) -> tuple[etree._Element, etree._Element]:
    """Return the good settings of the tag's engine with this text in the tag, and the tag's element."""
    root = element = etree.fromstring(BASES[tag.engine])
    for name in tag.path:
        found = element.find(name)
        element = etree.SubElement(element, name) if found is None else found
    element.text = text
    # what was added has no line of its own before it is read again
    root = etree.fromstring(text_of(root))
    (found, *_) = root.iterfind("/".join(tag.path))
    return root, found


def problems(path: Path, text: str) -> list[tuple[str, int, str]]:
    """Return tag, line and message of each problem; none where the settings are accepted."""
    path.write_text(text)
    try:
        load_settings(path)
    except SettingsError as error:
        lines = [problem.text(path) for problem in error.problems]
        # one message, each line of it with file, line and tag
        assert all(re.match(rf"{re.escape(str(path))}:\d+: <cg[\w.-]*> \S", line) for line in lines), lines
        return [(item.tag, item.line, line) for item, line in zip(error.problems, lines, strict=True)]
    return []


def documented(words: str, text: str) -> bool | None:
    """Return whether the words of the reference take a text, None where they name no form."""
    if words == "yes | no" or (" | " in words and not re.search(r"name|path|auto|N\b", words)):
        return text in words.split(" | ")
    if not NUMBER.fullmatch(words):
        return None
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return False
    bounds = {">": value.__gt__, ">=": value.__ge__, "<": value.__lt__, "<=": value.__le__}
    whole = "whole" not in words or bool(re.fullmatch(r"[-+]?\d+", text))
    inside = all(bounds[sign](float(limit)) for sign, limit in BOUND.findall(words))
    return whole and inside and abs(value) <= LARGEST


def value_of(found: Settings, tag: Tag) -> Any:
    section: Any = found.interactions[0] if tag.path[0] == "non-bonded" else found
    for name in [name for name in tag.path if name not in ("non-bonded", "inverse")]:
        section = getattr(section, name)
    return section


@pytest.fixture(scope="module")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_good(tmp_path_factory.mktemp("mutations"))


TAGS = all_tags()


@pytest.mark.parametrize("tag", TAGS, ids=lambda tag: f"{tag.engine}-{tag.dotted}")
def test_any_text(settings_file: Path, tag: Tag) -> None:
    for text in TEXTS:
        root, element = with_tag(tag, text)
        found = problems(settings_file, text_of(root))
        good = documented(tag.words, text)
        if good is False:
            own = [line for name, number, line in found if (name, number) == (tag.dotted, element.sourceline)]
            assert own, (tag, text, found)
            assert any("; accepted: " in line for line in own), own
        elif good and not found:
            value = value_of(load_settings(settings_file), tag)
            assert value == float(text) if NUMBER.fullmatch(tag.words) else value in (text, True, False)


@pytest.mark.parametrize("tag", TAGS, ids=lambda tag: f"{tag.engine}-{tag.dotted}")
def test_deleted_renamed_doubled(settings_file: Path, tag: Tag) -> None:
    root, element = with_tag(tag, "1")
    parent = element.getparent()
    assert parent is not None
    # an attribute
    element.set("unit", "1")
    found = problems(settings_file, text_of(root))
    assert any(name == tag.dotted and "has an attribute 'unit'" in line for name, _, line in found), found
    del element.attrib["unit"]
    # twice
    again = etree.SubElement(parent, element.tag)
    again.text = "1"
    found = problems(settings_file, text_of(root))
    assert any(name == tag.dotted and "is given again" in line for name, _, line in found), found
    parent.remove(again)
    # text beside it, in its section
    element.tail = " 5 "
    found = problems(settings_file, text_of(root))
    section = tag.dotted.rpartition(".")[0]
    assert any(name == section and "has the text '5'" in line for name, _, line in found), found
    element.tail = "\n"
    # under another name
    element.tag = f"{element.tag}_x"
    found = problems(settings_file, text_of(root))
    own = f"{tag.dotted}_x"
    assert any(name == own and number == element.sourceline for name, number, _ in found), found
    # not at all: missing is said of it, or its default counts
    parent.remove(element)
    found = problems(settings_file, text_of(root))
    info = tag.section.model_fields[tag.path[-1]]
    if info.is_required():
        missing = [name for name, _, line in found if "is missing" in line]
        assert not missing or tag.dotted in missing, found
    elif not found:
        assert value_of(load_settings(settings_file), tag) == info.get_default(call_default_factory=True)
