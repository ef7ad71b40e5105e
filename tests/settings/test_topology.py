"""VOTCA's topology file."""

from pathlib import Path

import pytest

from tests.settings.conftest import TOPOLOGY
from votca_mlp.errors import UserError
from votca_mlp.settings import read_topology


def test_several_molecules_in_order(tmp_path: Path) -> None:
    path = tmp_path / "topol.xml"
    path.write_text(
        "<topology><molecules>"
        '<molecule name="SOL" nmols="2" nbeads="3">'
        '<bead name="O" type="O" mass="16" q="0"/>'
        '<bead name="H1" type="H" mass="1" q="0"/><bead name="H2" type="H" mass="1" q="0"/></molecule>'
        '<molecule name="Na" nmols="1" nbeads="1"><bead name="Na" type="Na" mass="23" q="1"/></molecule>'
        "</molecules></topology>"
    )
    topology = read_topology(path)
    assert topology.types == ("O", "H", "H", "O", "H", "H", "Na")
    assert topology.counts == {"O": 2, "H": 4, "Na": 1}
    assert topology.molecules == (0, 0, 0, 1, 1, 1, 2)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('nmols="500"', "", ":3: nmols is missing"),
        ('nmols="500"', 'nmols="-1"', ":3: nmols is '-1'"),
        ('nmols="500"', 'nmols="1000000000"', ":3: the topology has at least 1e.09 beads"),
        ('nbeads="1"', 'nbeads="2"', ":3: nbeads is 2, but the molecule has 1 <bead>"),
        ('nmols="500"', 'nmols="1_0"', ":3: nmols is '1_0'"),
        ('nmols="500"', f'nmols="{"9" * 5000}"', ":3: nmols is '9+[.]{3}'"),
        ('type="Al"', "", ":4: a bead without type"),
        ("topology>", "top>", "the outermost element is <top>"),
        ("</bead>", "", "not valid XML"),
        ("molecule>", "mol>", "not valid XML"),
    ],
)
def test_damage(tmp_path: Path, before: str, after: str, words: str) -> None:
    path = tmp_path / "topol.xml"
    text = TOPOLOGY.replace(before, after) if before in TOPOLOGY else TOPOLOGY.replace("/>", ">")
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        read_topology(path)


_BEAD = '<bead name="Ar" type="Ar" mass="39.948" q="0"/>'


def _topology(bead: str = _BEAD, molecule: str = 'name="Ar" nmols="108" nbeads="1"', more: str = "") -> str:
    return f"<topology>\n<molecules>\n<molecule {molecule}>\n{bead}</molecule></molecules>{more}</topology>"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_topology(2 * _BEAD, 'name="D" nmols="54" nbeads="2"'), ":4: a second bead 'Ar' in one molecule"),
        (_topology(_BEAD.replace('name="Ar" ', "")), ":4: a <bead> without name"),
        (_topology(molecule='nmols="108" nbeads="1"'), ":3: a <molecule> without name"),
        (_topology(more="\n<title>argon</title>"), ":5: <title>, which csg_stat does not know"),
        (_topology(_BEAD + "\n<bond/>"), ":5: <bond> inside a molecule"),
        (_topology(_BEAD.replace("/>", "><mass/></bead>")), ":4: <mass> inside a bead"),
        (_topology(molecule='name="Ar" nmols="108" nbeads="1 "'), ":3: nbeads is '1 ', with a blank"),
        (_topology(molecule='name="Ar" nmols=" 108" nbeads="1"'), ":3: nmols is ' 108', with a blank"),
        (_topology(_BEAD.replace('type="Ar"', 'type="Ar "')), ":4: type is 'Ar ', with a blank"),
        (
            _topology(more='<beadtypes><rename name="Ar" newname="Kr"/></beadtypes>'),
            ":4: types that are renamed",
        ),
        (_topology().replace("<topology>", '<topology base="other.xml">'), ":1: .* another file, base"),
        (_topology(more="\n<bonded><bond/></bonded>"), ":5: <bonded>: csg_stat would leave these pairs out"),
    ],
)
def test_what_csg_stat_refuses_or_counts_otherwise(tmp_path: Path, text: str, words: str) -> None:
    """Each was tried with csg_stat 2022.1: it dies, or (bonded, rename, base) its g(r) is another one."""
    path = tmp_path / "topol.xml"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        read_topology(path)


def test_other_tags_of_votca_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "topol.xml"
    more = '<box xx="3" yy="3" zz="3"/><beadtypes><mass name="Ar" value="39"/></beadtypes>'
    path.write_text(_topology(more=more))
    assert read_topology(path).counts == {"Ar": 108}
