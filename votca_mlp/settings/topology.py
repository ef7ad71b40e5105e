"""VOTCA's topology file: how many beads of which type, in which order."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.settings.document import Node, read_document

_ACCEPTED = (
    '<topology><molecules><molecule name="Al" nmols="500" nbeads="1">'
    '<bead name="Al" type="Al" mass="26.98" q="0"/></molecule></molecules></topology>'
)


@dataclass(frozen=True)
class Topology:
    """The beads of a topology file; ``types`` has one entry a bead, in order."""

    types: tuple[str, ...]

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
        number of <bead> elements that differs from nbeads, a bead without type.
    """
    path = Path(path)
    root = read_document(path, "topology")
    sections = root.all("molecules")
    molecules = [molecule for section in sections for molecule in section.all("molecule")]
    if not molecules:
        where = f"{path}:{root.line}"
        raise UserError("the topology has no molecules", where=where, accepted=_ACCEPTED)
    types: list[str] = []
    for molecule in molecules:
        nmols, nbeads = _count(molecule, "nmols", path), _count(molecule, "nbeads", path)
        beads = molecule.all("bead")
        if len(beads) != nbeads:
            what = f"nbeads is {nbeads}, but the molecule has {len(beads)} <bead> elements"
            raise UserError(what, where=f"{path}:{molecule.line}", accepted=_ACCEPTED)
        kinds = [bead.attributes.get("type", "").strip() for bead in beads]
        if "" in kinds:
            line = beads[kinds.index("")].line
            raise UserError("a bead without type", where=f"{path}:{line}", accepted=_ACCEPTED)
        types += kinds * nmols
    return Topology(tuple(types))


def _count(molecule: Node, name: str, path: Path) -> int:
    text = molecule.attributes.get(name, "")
    if not text.strip().isdecimal() or int(text) < 1:
        what = f"{name} is '{text}'" if text else f"{name} is missing"
        raise UserError(what, where=f"{path}:{molecule.line}", accepted="a whole number above 0")
    return int(text)
