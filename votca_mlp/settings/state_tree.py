"""The tree of one state's settings: its own settings.xml, if it has one, over the run's."""

from dataclasses import replace
from os.path import isdir

from votca_mlp.engines.plan import KBT_TOLERANCE
from votca_mlp.errors import UserError
from votca_mlp.settings.document import Node, read_document
from votca_mlp.settings.kbt import kbt_of, root_has, with_kbt, with_tag
from votca_mlp.settings.merge import merged, not_for_one_state, with_files
from votca_mlp.settings.models import Settings
from votca_mlp.settings.problems import Problem
from votca_mlp.units import kelvin

_TAG = "cg.inverse.multistate"


def state_tree(settings: Settings, name: str, listed: float | None, problems: list[Problem]) -> Node | None:
    """Return the tree of a state, None when it cannot be read; what is wrong is added to ``problems``.

    Parameters
    ----------
    settings
        Of the run.
    listed
        The state's kBT in ``state_kBTs``, kJ/mol.
    """
    main = settings.main_directory
    directory = main / name
    if not isdir(directory):
        what = f"names {name}, but there is no folder {directory}"
        accepted = "a folder with the inputs of each state"
        problems.append(state_problem(settings, "state_names", what, accepted))
        return None
    file = directory / "settings.xml"
    own = Node("cg", "cg", 1, "", {}, ())
    if file.is_file():
        try:
            own = read_document(file, "cg")
        except UserError as error:
            what = f"names {name}, whose settings cannot be read: {error.where}: {error.what}"
            problems.append(state_problem(settings, "state_names", what, error.accepted or ""))
            return None
        problems += not_for_one_state(settings._root, own)
    found = kbt_of(own, settings.program)
    if found is not None and listed is not None and abs(found[0] - listed) > KBT_TOLERANCE * listed:
        node = found[1]
        what = (
            f"has {listed:g} kJ/mol ({kelvin(listed):.5g} K) for {name}, but {file}:{node.line} "
            f"<{node.path}> is {node.text}"
        )
        hint = "kBT and temperature that agree, or only one of them"
        problems.append(state_problem(settings, "state_kBTs", what, hint))
    if found is not None:
        own = _with_own_kbt(own, settings.program, found[0], found[1].line)
    elif listed is not None:
        own = _with_own_kbt(own, settings.program, listed, settings.line_of(f"{_TAG}.state_kBTs"))
    return with_files(merged(_without_states(settings._root), _without_states(own)), main, directory)


def state_problem(settings: Settings, tag: str, what: str, accepted: str) -> Problem:
    """Return a problem of a tag of <multistate>."""
    return Problem(settings.line_of(f"{_TAG}.{tag}"), f"{_TAG}.{tag}", what, accepted)


def _with_own_kbt(own: Node, program: str, kBT: float, line: int) -> Node:
    """Return a state's tree with kBT and temperature, sections included: they replace the run's."""
    for section in (("inverse",), ("inverse", program)):
        if not root_has(own, ".".join(section)):
            own = with_tag(own, section, "", line)
    return with_kbt(own, program, kBT, line)


def _without_states(root: Node) -> Node:
    def inside(node: Node) -> Node:
        return replace(node, children=tuple(c for c in node.children if c.path != _TAG))

    return replace(
        root, children=tuple(inside(child) if child.tag == "inverse" else child for child in root.children)
    )
