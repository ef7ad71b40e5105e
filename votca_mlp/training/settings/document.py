"""A YAML file as texts, lists and mappings that know their lines."""

from pathlib import Path
from typing import Any

from votca_mlp.errors import UserError
from votca_mlp.files import read_text
from votca_mlp.settings.problems import Problem, SettingsError

Place = tuple[str | int, ...]


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[Place, int]]:
    """Return the file's mapping, every number still a text, and the line of each key and item.

    Texts, because YAML reads 1e-3 as a text and the element No as false; the settings know what they want.

    Raises
    ------
    UserError
        Not readable, no YAML (with file and line), a key twice, no mapping.
    """
    import yaml

    text = read_text(path, what="settings", accepted="a YAML file")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise UserError(f"no YAML: {error.problem}", where=where, accepted="name: value") from None
    except yaml.YAMLError as error:
        raise UserError(f"no YAML: {error}", where=path, accepted="name: value") from None
    lines: dict[Place, int] = {}
    if not isinstance(node, yaml.MappingNode):
        raise UserError("is no mapping", where=path, accepted="data: ..., levels: ..., output: ...")
    problems: list[Problem] = []
    try:
        values = _value(node, (), lines, problems)
    except RecursionError:
        # also an alias of what it is in
        raise UserError("is nested without end", where=path, accepted="name: value") from None
    if problems:
        raise SettingsError(path, problems)
    return values, lines


def _value(node: Any, at: Place, lines: dict[Place, int], problems: list[Problem]) -> Any:
    import yaml

    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            place = (*at, name)
            if name in found:
                what = f"is there twice (first in line {lines[place]})"
                problems.append(Problem(key.start_mark.line + 1, dotted(place), what, "one"))
                continue
            lines[place] = key.start_mark.line + 1
            found[name] = _value(value, place, lines, problems)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*at, k), lines, problems) for k, item in enumerate(node.value)]
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def dotted(place: Place) -> str:
    """Return a key's place as a.b[1].c, items counted from 1."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
