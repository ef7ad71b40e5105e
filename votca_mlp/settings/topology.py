"""VOTCA's topology file: how many beads of which type, in which order."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from votca_mlp.errors import UserError
from votca_mlp.settings.document import Node, read_document

_ACCEPTED = (
    '<topology><molecules><molecule name="Al" nmols="500" nbeads="1">'
    '<bead name="Al" type="Al" mass="26.98" q="0"/></molecule></molecules></topology>'
)
_KNOWN = ("molecules", "beadtypes", "box", "h5md_particle_group")
_DIGITS = 18
MOST_BEADS = 20_000_000
"""More than any simulation of this kind can have."""


@dataclass(frozen=True)
class Topology:
    """The beads of a topology file, in order: the type of each, and the number of its molecule, from 0 on."""

    types: tuple[str, ...]
    molecules: tuple[int, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of beads of each type, in the order of first appearance."""
        return dict(Counter(self.types))


def read_topology(path: str | Path) -> Topology:
    """Read the beads of a topology file.

    Raises
    ------
    UserError
        Naming file and line: missing, not XML, no molecules, a count that is not a whole number above 0, a
        number of <bead> elements that differs from nbeads, a bead without type; what csg_stat refuses (two
        beads of one name, blanks around a type, unknown tags), pairs that it would leave out (<bonded>), more
        than MOST_BEADS.
    """
    path = Path(path)
    root = read_document(path, "topology")
    _check_root(root, path)
    sections = root.all("molecules")
    molecules = [molecule for section in sections for molecule in section.all("molecule")]
    if not molecules:
        where = f"{path}:{root.line}"
        raise UserError("the topology has no molecules", where=where, accepted=_ACCEPTED)
    types: list[str] = []
    numbers: list[int] = []
    total = begun = 0
    for molecule in molecules:
        _check_attributes(molecule, path)
        nmols, nbeads = _count(molecule, "nmols", path), _count(molecule, "nbeads", path)
        beads = molecule.all("bead")
        for child in molecule.children:
            if child.tag != "bead":
                _refuse(f"<{child.tag}> inside a molecule", child, path)
        if len(beads) != nbeads:
            what = f"nbeads is {nbeads}, but the molecule has {len(beads)} <bead> elements"
            raise UserError(what, where=f"{path}:{molecule.line}", accepted=_ACCEPTED)
        names: set[str] = set()
        for bead in beads:
            _check_attributes(bead, path)
            if bead.attributes["name"] in names:
                what = f"a second bead '{bead.attributes['name']}' in one molecule"
                accepted = (
                    "a name of its own for each bead of a molecule, such as H1 and H2; types may repeat"
                )
                raise UserError(what, where=f"{path}:{bead.line}", accepted=accepted)
            names.add(bead.attributes["name"])
            if not bead.attributes.get("type", "").strip():
                _refuse("a bead without type", bead, path)
            for child in bead.children:
                _refuse(f"<{child.tag}> inside a bead", child, path)
        # counted before they are built: a mistyped number would fill the memory first
        total += len(beads) * nmols
        if total > MOST_BEADS:
            what = f"the topology has at least {total:.4g} beads up to this molecule"
            raise UserError(what, where=f"{path}:{molecule.line}", accepted=f"at most {MOST_BEADS} in all")
        types += [bead.attributes["type"] for bead in beads] * nmols
        numbers += [begun + k // nbeads for k in range(nbeads * nmols)]
        begun += nmols
    return Topology(tuple(types), tuple(numbers))


def _check_root(root: Node, path: Path) -> None:
    """Refuse what csg_stat does not know, and what changes which atoms or pairs it counts."""
    if "base" in root.attributes:
        accepted = "all molecules in this file, without the attribute base"
        raise UserError(
            "the topology is read from another file, base", where=f"{path}:{root.line}", accepted=accepted
        )
    for child in root.children:
        if child.tag == "bonded":
            # csg_stat makes exclusions of them; the model's u(r) acts on every pair, so every pair counts
            raise UserError(
                "<bonded>: csg_stat would leave these pairs out of g(r), while u(r) acts on them",
                where=f"{path}:{child.line}",
                accepted="a topology without <bonded>: the model has the bonds, and an interaction whose "
                "<min> is beyond them leaves them alone",
            )
        if child.tag not in _KNOWN:
            known = ", ".join(f"<{tag}>" for tag in _KNOWN)
            _refuse(f"<{child.tag}>, which csg_stat does not know", child, path, known)
        if child.tag == "beadtypes" and child.first("rename") is not None:
            _refuse("types that are renamed", child, path)


def _check_attributes(node: Node, path: Path) -> None:
    """Refuse a missing name, and blanks at an end of what csg_stat takes as it stands."""
    if "name" not in node.attributes:
        _refuse(f"a <{node.tag}> without name", node, path)
    for name in ("nmols", "nbeads", "type"):
        text = node.attributes.get(name, "")
        if text.strip() and text != text.strip():
            what = f"{name} is '{text}', with a blank that csg_stat takes as part of it"
            raise UserError(what, where=f"{path}:{node.line}", accepted=f'{name}="{text.strip()}"')


def _refuse(what: str, node: Node, path: Path, accepted: str = _ACCEPTED) -> NoReturn:
    raise UserError(what, where=f"{path}:{node.line}", accepted=accepted)


def _count(molecule: Node, name: str, path: Path) -> int:
    text = molecule.attributes.get(name, "")
    # ASCII alone, and not more digits than Python reads
    if not (text.isascii() and text.strip().isdecimal() and len(text) <= _DIGITS) or int(text) < 1:
        shown = text if len(text) <= _DIGITS else f"{text[:_DIGITS]}..."
        what = f"{name} is '{shown}'" if text else f"{name} is missing"
        raise UserError(what, where=f"{path}:{molecule.line}", accepted="a whole number above 0")
    return int(text)
