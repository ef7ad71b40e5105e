"""An XML file as elements that know their line and their dotted path."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from votca_mlp.errors import UserError
from votca_mlp.files import refuse_special


class Line(int):
    """A line number that knows its file, where several files make up one tree."""

    file: Path | None = None

    def __new__(cls, number: int, file: Path | None = None) -> "Line":
        """Return line ``number`` of ``file``."""
        line = super().__new__(cls, number)
        line.file = file
        return line


@dataclass(frozen=True)
class Node:
    """One element.

    Attributes
    ----------
    tag, path
        Its name, and the dotted names from the root, as VOTCA writes them (``cg.inverse.kBT``).
    line
        Line in the file, which it knows: a tree may be made of several.
    text
        Its own text without comments, stripped; indentation common to all lines is removed.
    attributes
        Its XML attributes.
    children
        Elements inside, in order.
    """

    tag: str
    path: str
    line: int
    text: str
    attributes: dict[str, str]
    children: tuple["Node", ...]

    def all(self, tag: str) -> tuple["Node", ...]:
        """Return the children of this name."""
        return tuple(child for child in self.children if child.tag == tag)

    def first(self, tag: str) -> "Node | None":
        """Return the first child of this name, or None."""
        return next((child for child in self.children if child.tag == tag), None)

    def at(self, path: str) -> "Node | None":
        """Return the element at a dotted path below this one, or None."""
        node: Node | None = self
        for tag in path.split("."):
            node = node.first(tag) if node is not None else None
        return node

    def deepest(self, path: str) -> "Node":
        """Return the element at a dotted path below this one, or the innermost one around it that exists."""
        node = self
        for tag in path.split("."):
            inner = node.first(tag)
            if inner is None:
                break
            node = inner
        return node

    def walk(self) -> Iterator["Node"]:
        """Yield this node and everything inside, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_document(path: Path, root: str) -> Node:
    """Read an XML file whose outermost element must be ``root``.

    Entities that the file itself declares are expanded, as VOTCA does, up to the limit of libxml2; those of
    other files are not followed.

    Raises
    ------
    UserError
        The file is missing, not a file that can be read twice, not XML (naming the line; an entity that is
        not known counts so), or has another root.
    """
    accepted = f"an XML file with <{root}> outermost"
    refuse_special(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError("no such file", where=path, accepted=accepted) from None
    except OSError as error:
        raise UserError(f"cannot read: {error.strerror}", where=path, accepted=accepted) from None
    parser = etree.XMLParser(resolve_entities="internal", no_network=True, load_dtd=False)
    try:
        element = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        reason = str(error.msg or "empty").rsplit(", line", 1)[0]
        raise UserError(f"not valid XML: {reason}", where=f"{path}:{line}", accepted=accepted) from None
    if element.tag != root:
        where = f"{path}:{element.sourceline}"
        raise UserError(f"the outermost element is <{element.tag}>", where=where, accepted=accepted)
    return _node(element, "", path)


def _node(element: etree._Element, parent: str, file: Path) -> Node:
    tag = str(element.tag)
    path = f"{parent}.{tag}" if parent else tag
    # comments and processing instructions have a function as tag; the text after them is the element's
    texts = [element.text or "", *(child.tail or "" for child in element)]
    text = textwrap.dedent("".join(texts).strip("\r\n")).strip()
    children = tuple(_node(child, path, file) for child in element if isinstance(child.tag, str))
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    return Node(tag, path, Line(element.sourceline or 1, file), text, attributes, children)
