"""settings.xml into typed settings, every problem collected."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from votca_mlp.engines.engine import engine_named
from votca_mlp.engines.registry import DEFAULT, engine_names
from votca_mlp.fields import Section, accepted
from votca_mlp.settings.checks import Parts, cross_checks
from votca_mlp.settings.document import Node, read_document
from votca_mlp.settings.kbt import with_mean_temperature
from votca_mlp.settings.layout import INTERACTION_INVERSE, MANY, SETTINGS_NOT_TAGS, is_repeated, section_of
from votca_mlp.settings.models import (
    ConvergenceCheck,
    EngineSettings,
    Interaction,
    MLPSettings,
    MultistateSettings,
    Settings,
    TargetDensity,
    TargetPressure,
)
from votca_mlp.settings.problems import Problem, SettingsError
from votca_mlp.settings.vocabulary import repeated_tags, stray_text, unknown_tags
from votca_mlp.update.registry import rules

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
    path = Path(path).absolute()
    return settings_of(with_mean_temperature(read_document(path, "cg")), path)


def settings_of(root: Node, path: Path) -> tuple[Settings | None, list[Problem]]:
    """Return the settings of an XML tree that counts as the file ``path``; see :func:`read_settings`."""
    problems = [*unknown_tags(root), *repeated_tags(root), *stray_text(root)]
    inverse = root.first("inverse")
    if inverse is None:
        problems.append(Problem(root.line, "cg", "has no <inverse> section", "<cg> with <inverse> inside"))
        return None, problems
    pairs = [(node, _interaction(node, problems)) for node in root.all("non-bonded")]
    if not pairs:
        what = "has no <non-bonded> section"
        problems.append(Problem(root.line, "cg", what, "one <non-bonded> a pair of bead types"))
    program = _program(inverse)
    others = tuple(name for name in engine_names() if name != program)
    tags = {
        name: info
        for name, info in Settings.model_fields.items()
        if name not in SETTINGS_NOT_TAGS and name not in others
    }
    values = _values(inverse, tags, problems)
    sections = {
        name: _validate(section, values[name], {"": node}, problems)
        for name, info in tags.items()
        if (section := section_of(info)) is not None
        and not is_repeated(info)
        and (node := inverse.first(name)) is not None
    }
    failed = tuple(name for name, section in sections.items() if section is None)
    good = tuple((node, pair) for node, pair in pairs if pair is not None)
    # what failed on its own was reported above
    values = {name: value for name, value in values.items() if name not in sections}
    values |= {name: section for name, section in sections.items() if section is not None}
    values |= {"path": path, "interactions": tuple(pair for _, pair in good)}
    kBT = _number(inverse.first("kBT"))
    if program not in sections:
        section = engine_named(program).section
        if any(info.is_required() for info in section.model_fields.values()):
            what = "is missing"
            words = _section_words(section)
            problems.append(Problem(inverse.line, f"{inverse.path}.{program}", what, words))
            failed = (*failed, program)
        else:
            values[program] = section.model_validate({})
    settings = _validate(Settings, values, {"": inverse}, problems, reported=failed)
    parts = Parts(
        root=root,
        interactions=good,
        kBT=kBT,
        mlp=_part(sections, "mlp", MLPSettings),
        program=program,
        engine=_part(sections, program, EngineSettings),
        multistate=_part(sections, "multistate", MultistateSettings),
        convergence_check=_part(sections, "convergence_check", ConvergenceCheck),
        rule_options={name: found for name in rules() if (found := sections.get(name)) is not None},
        target_density=_part(sections, "target_density", TargetDensity),
        target_pressure=_part(sections, "target_pressure", TargetPressure),
    )
    problems += cross_checks(parts)
    if settings is None or failed or len(good) < len(pairs) or not good:
        return None, problems
    settings._lines.update(_index(root, lambda node: node.line))
    settings._texts.update(_index(root, lambda node: node.text))
    settings._root = root
    return settings, problems


def _part(sections: dict[str, Section | None], name: str, kind: type[_S]) -> _S | None:
    section = sections.get(name)
    return section if isinstance(section, kind) else None


def _program(inverse: Node) -> str:
    """Return the engine that is named, the default for one that is not known (reported elsewhere)."""
    node = inverse.first("program")
    return node.text if node is not None and node.text in engine_names() else DEFAULT


def _number(node: Node | None) -> float | None:
    try:
        return float(node.text) if node is not None else None
    except ValueError:
        return None


def _interaction(node: Node, problems: list[Problem]) -> Interaction | None:
    inverse = node.first("inverse") or Node("inverse", f"{node.path}.inverse", node.line, "", {}, ())
    fields = Interaction.model_fields
    values = _values(node, {k: v for k, v in fields.items() if k not in INTERACTION_INVERSE}, problems)
    values |= _values(inverse, {k: v for k, v in fields.items() if k in INTERACTION_INVERSE}, problems)
    nodes = {"": node} | dict.fromkeys(INTERACTION_INVERSE, inverse)
    for rule, entry in rules().items():
        if rule in values:
            # on its own, so that a bad weight does not hide a bad grid
            section = inverse.first(rule) or inverse
            options = _validate(entry.options, values[rule], {"": section}, problems)
            values[rule] = options if options is not None else entry.options()
    return _validate(Interaction, values, nodes, problems)


def _values(node: Node, fields: dict[str, FieldInfo], problems: list[Problem]) -> dict[str, Any]:
    """Return the texts of the fields' tags, nested like the sections; empty tags count as absent."""
    values: dict[str, Any] = {}
    for name, info in fields.items():
        found = node.all(name)
        if not found:
            continue
        section = section_of(info)
        many = section is not None and is_repeated(info)
        for each in found if many else found[:1]:
            for attribute in each.attributes:
                what = f"has an attribute '{attribute}', which VOTCA does not read"
                problems.append(Problem(each.line, each.path, what, "<tag>value</tag>"))
        if section is not None and many:
            values[name] = tuple(_values(each, dict(section.model_fields), problems) for each in found)
        elif section is not None:
            values[name] = _values(found[0], dict(section.model_fields), problems)
        elif found[0].text:
            values[name] = found[0].text
    return values


def _validate(
    model: type[_S],
    values: dict[str, Any],
    nodes: dict[str, Node],
    problems: list[Problem],
    reported: tuple[str, ...] = (),
) -> _S | None:
    try:
        return model(**values)
    except ValidationError as error:
        items = [item for item in error.errors(include_url=False) if item["loc"][0] not in reported]
        problems += [_problem(model, item, nodes) for item in items]
        return None


def _problem(model: type[Section], error: Any, nodes: dict[str, Node]) -> Problem:
    """Translate one of pydantic's errors; the location leads from the model through its sections."""
    names = [str(part) for part in error["loc"] if not isinstance(part, int)]
    # of several sections of one name, which
    number = next((part for part in error["loc"] if isinstance(part, int)), 0)
    node = nodes.get(names[0], nodes[""])
    tag, info = node.path, None
    section: type[Section] | None = model
    for name in names:
        if section is None or name not in section.model_fields:
            break
        info = section.model_fields[name]
        section = section_of(info)
        tag = f"{tag}.{name}"
        same = node.all(name)
        node = same[number if is_repeated(info) and number < len(same) else 0] if same else node
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
    """Return value(node) by path and, for interactions, by ``cg.non-bonded[NAME]...``; the first counts."""
    index: dict[str, Any] = {}
    for node in root.walk():
        index.setdefault(node.path, value(node))
    inverse = root.first("inverse")
    for number, section in enumerate(inverse.all("scattering") if inverse is not None else ()):
        for node in section.walk():
            index[node.path.replace(".scattering", f".scattering[{number}]", 1)] = value(node)
    for kind in MANY[:2]:
        for section in root.all(kind):
            name = section.first("name")
            for node in section.walk() if name is not None else ():
                key = node.path.replace(f"cg.{kind}", f"cg.{kind}[{name.text if name else ''}]", 1)
                index.setdefault(key, value(node))
    return index
