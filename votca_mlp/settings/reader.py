"""settings.xml into typed settings, every problem collected."""

from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from votca_mlp.settings.document import Node, read_document
from votca_mlp.settings.fields import Section, accepted
from votca_mlp.settings.models import Interaction, Settings
from votca_mlp.settings.problems import Problem, SettingsError

INTERACTION_INVERSE = ("target", "do_potential", "post_update", "post_add", "wibi")
"""Fields of an Interaction that lie in its <inverse> section."""

_NOT_TAGS = ("path", "interactions")
_S = TypeVar("_S", bound=Section)


def load_settings(path: str | Path) -> Settings:
    """Read and check a settings.xml; the files it names are not opened.

    Raises
    ------
    UserError
        Not readable as XML; or a SettingsError with one line a problem: unknown tags, values that are not
        accepted, values that contradict each other.
    """
    settings, problems = read_settings(Path(path))
    if problems or settings is None:
        raise SettingsError(Path(path), problems)
    return settings


def read_settings(path: Path) -> tuple[Settings | None, list[Problem]]:
    """Return the settings (None when they could not be built) and all problems found in the file alone.

    Raises
    ------
    UserError
        Not readable as XML.
    """
    from votca_mlp.settings.checks import cross_checks
    from votca_mlp.settings.vocabulary import unknown_tags

    path = Path(path).absolute()
    root = read_document(path, "cg")
    problems = unknown_tags(root)
    settings = _build(root, path, problems)
    if settings is not None:
        problems += cross_checks(settings)
    return settings, problems


def _build(root: Node, path: Path, problems: list[Problem]) -> Settings | None:
    inverse = root.first("inverse")
    if inverse is None:
        problems.append(Problem(root.line, "cg", "has no <inverse> section", "<cg> with <inverse> inside"))
        return None
    found = [_interaction(node, problems) for node in root.all("non-bonded")]
    if not found:
        what = "has no <non-bonded> section"
        problems.append(Problem(root.line, "cg", what, "one <non-bonded> a pair of bead types"))
    names = {name: info for name, info in Settings.model_fields.items() if name not in _NOT_TAGS}
    values = _values(inverse, names, problems)
    values |= {"path": path, "interactions": tuple(item for item in found if item is not None)}
    settings = _validate(Settings, values, {"": inverse}, problems)
    if settings is None or None in found or not found:
        return None
    settings._lines.update(_index(root, lambda node: node.line))
    settings._texts.update(_index(root, lambda node: node.text))
    return settings


def _interaction(node: Node, problems: list[Problem]) -> Interaction | None:
    inverse = node.first("inverse") or Node("inverse", f"{node.path}.inverse", node.line, "", (), ())
    fields = Interaction.model_fields
    values = _values(node, {k: v for k, v in fields.items() if k not in INTERACTION_INVERSE}, problems)
    values |= _values(inverse, {k: v for k, v in fields.items() if k in INTERACTION_INVERSE}, problems)
    return _validate(Interaction, values, {"": node} | dict.fromkeys(INTERACTION_INVERSE, inverse), problems)


def _values(node: Node, fields: dict[str, FieldInfo], problems: list[Problem]) -> dict[str, Any]:
    """Return the texts of the fields' tags, nested like the sections; empty tags count as absent."""
    values: dict[str, Any] = {}
    for name, info in fields.items():
        found = node.all(name)
        for again in found[1:]:
            what = f"is given again, first in line {found[0].line}"
            problems.append(Problem(again.line, again.path, what, "one value"))
        if not found:
            continue
        for attribute in found[0].attributes:
            what = f"has an attribute '{attribute}', which VOTCA does not read"
            problems.append(Problem(found[0].line, found[0].path, what, f"only text: {accepted(info)}"))
        section = section_of(info)
        if section is not None:
            values[name] = _values(found[0], dict(section.model_fields), problems)
        elif found[0].text:
            values[name] = found[0].text
    return values


def section_of(info: FieldInfo) -> type[Section] | None:
    """Return the section class of a field, or None for a value."""
    kinds = (info.annotation, *get_args(info.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)


def _validate(
    model: type[_S], values: dict[str, Any], places: dict[str, Node], problems: list[Problem]
) -> _S | None:
    try:
        return model(**values)
    except ValidationError as error:
        problems += [_problem(model, item, places) for item in error.errors(include_url=False)]
        return None


def _problem(model: type[Section], error: Any, places: dict[str, Node]) -> Problem:
    """Translate one of pydantic's errors; the location leads from the model through its sections."""
    names = [str(part) for part in error["loc"] if not isinstance(part, int)]
    node = places.get(names[0], places[""])
    tag, info, section = node.path, None, model
    for name in names:
        if section is None or name not in section.model_fields:
            break
        info = section.model_fields[name]
        section = section_of(info)
        tag = f"{tag}.{name}"
        node = node.first(name) or node
    words = "" if info is None else _section_words(section) if section else accepted(info)
    if error["type"] == "missing" and isinstance(error["loc"][-1], str):
        what = "is missing"
    elif node.text:
        what = f"is '{' '.join(node.text.split())}'"
        if error["type"] == "value_error":
            what += f" ({error['ctx']['error']})"
    else:
        what = str(error["msg"])
    return Problem(node.line, tag, what, words)


def _section_words(section: type[Section]) -> str:
    needed = [f"<{name}>" for name, info in section.model_fields.items() if info.is_required()]
    return f"a section with {' '.join(needed)}" if needed else "a section"


def _index(root: Node, value: Any) -> dict[str, Any]:
    """Return value(node) by path and, for interactions, by ``cg.non-bonded[NAME]...``; the first one counts."""
    index: dict[str, Any] = {}
    for node in root.walk():
        index.setdefault(node.path, value(node))
    for kind in ("non-bonded", "bonded"):
        for section in root.all(kind):
            name = section.first("name")
            for node in section.walk() if name is not None else ():
                key = node.path.replace(f"cg.{kind}", f"cg.{kind}[{name.text if name else ''}]", 1)
                index.setdefault(key, value(node))
    return index
