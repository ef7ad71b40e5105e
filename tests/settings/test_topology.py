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


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('nmols="500"', "", ":3: nmols is missing"),
        ('nmols="500"', 'nmols="-1"', ":3: nmols is '-1'"),
        ('nbeads="1"', 'nbeads="2"', ":3: nbeads is 2, but the molecule has 1 <bead>"),
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
