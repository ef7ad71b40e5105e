"""Bad and missing values in every engine's section: each is answered with line, tag and what is accepted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.settings.conftest import GOOD
from tests.settings.test_problems import problem_lines
from votca_mlp.engines.engine import engines
from votca_mlp.fields import Section
from votca_mlp.settings import load_settings
from votca_mlp.settings.layout import section_of

# one of them is bad for every tag that does not take just any text
CANDIDATES = ("no/such?", "-1e99", "x y")


Leaf = tuple[tuple[str, ...], type[Section]]


def leaves(section: type[Section], before: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Yield the path of every value of a section, and the section that it is in."""
    for name, info in section.model_fields.items():
        inner = section_of(info)
        if inner is None:
            yield (*before, name), section
        else:
            yield from leaves(inner, (*before, name))


def is_bad(section: type[Section], name: str, value: str) -> bool:
    try:
        section(**{name: value})
    except ValidationError as error:
        return any(item["loc"][0] == name for item in error.errors())
    return False


def cases() -> list[tuple[str, tuple[str, ...], str | None]]:
    """Return every value of every engine's section with a bad text, None where any text is good."""
    found = []
    for engine, entry in engines().items():
        for path, section in leaves(entry.section):
            bad = (value for value in CANDIDATES if is_bad(section, path[-1], value))
            found.append((engine, path, next(bad, None)))
    # what else a crystal needs is not there
    found.remove(("ase", ("crystal", "element"), None))
    return found


def with_section(engine: str, content: str) -> str:
    """Return good settings for an engine, with this in its section."""
    begin, end = GOOD.index("    <ase>"), GOOD.index("</ase>\n") + len("</ase>\n")
    text = GOOD[:begin] + f"    <{engine}>{content}</{engine}>\n" + GOOD[end:]
    return text.replace("<program>ase<", f"<program>{engine}<")


def nested(path: tuple[str, ...], text: str) -> str:
    for name in reversed(path):
        text = f"<{name}>{text}</{name}>"
    return text


NEEDED = {
    "ase": ("<temperature>1023</temperature>", "<conf>conf.extxyz</conf>"),
    "lammps": ("<script>in</script>",),
}


@pytest.mark.parametrize(
    ("engine", "path", "bad"),
    cases(),
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else None,
)
def test_a_bad_value(good: Path, engine: str, path: tuple[str, ...], bad: str | None) -> None:
    others = [tag for tag in NEEDED.get(engine, ()) if not tag.startswith(f"<{path[0]}>")]
    good.write_text(with_section(engine, "".join(others) + nested(path, bad or "text")))
    if bad is None:
        load_settings(good)
        return
    line = 1 + GOOD[: GOOD.index("<ase>")].count("\n")
    tag = ".".join(("cg.inverse", engine, *path))
    words = f"settings.xml:{line}: <{tag}> is '{bad}'"
    lines = problem_lines(good)
    assert any(words in text and "; accepted: " in text for text in lines), lines


def test_a_section_that_is_missing(good: Path) -> None:
    line = 1 + GOOD[: GOOD.index("<inverse>\n    <script")].count("\n")
    for engine, needed in (("ase", "temperature"), ("lammps", "script")):
        good.write_text(with_section(engine, "").replace(f"    <{engine}></{engine}>\n", ""))
        (text,) = problem_lines(good)
        words = f"<cg.inverse.{engine}> is missing; accepted: a section with <{needed}>"
        assert f"settings.xml:{line}: {words}" in text
        good.write_text(with_section(engine, "<topol>topol.xml</topol>"))
        words = f"<cg.inverse.{engine}.{needed}> is missing; accepted: "
        assert any(words in text for text in problem_lines(good))
    # GROMACS needs nothing said
    good.write_text(with_section("gromacs", "").replace("    <gromacs></gromacs>\n", ""))
    assert load_settings(good).engine.traj == "traj.xtc"
