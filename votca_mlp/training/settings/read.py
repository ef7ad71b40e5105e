"""settings.yaml into typed settings, every problem collected with its line."""

from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from votca_mlp.fields import accepted
from votca_mlp.settings.problems import Problem, SettingsError
from votca_mlp.training.checks import refuse_unknown_levels
from votca_mlp.training.settings.document import Place, dotted, read_yaml
from votca_mlp.training.settings.models import TrainSettings


def load_train_settings(path: Path) -> TrainSettings:
    """Read and check a settings.yaml; the files it names are not opened.

    Raises
    ------
    UserError
        No YAML; a SettingsError with one line a problem; a level of theory that is not among ``levels``.
    """
    values, lines = read_yaml(path)
    try:
        _refuse_twice(path, values, lines)
        settings = TrainSettings.model_validate(_given(values))
    except ValidationError as error:
        problems = [_problem(item, values, lines) for item in error.errors(include_url=False)]
        raise SettingsError(path, problems) from None
    for name in ("data", "levels"):
        if not getattr(settings, name):
            raise SettingsError(path, [Problem(line_of(lines, (name,)), name, "is empty", "one or more")])
    named = {
        f"{path}:{line_of(lines, ('data', k, 'levels', level))}, data[{k + 1}].levels": [level]
        for k, source in enumerate(settings.data)
        for level in source.levels
    }
    refuse_unknown_levels(named, list(settings.levels))
    return settings


def _refuse_twice(path: Path, values: dict[str, Any], lines: dict[Place, int]) -> None:
    levels = values.get("levels")
    names = list(map(str, levels)) if isinstance(levels, list) else []
    for name in names:
        if names.count(name) > 1:
            problem = Problem(line_of(lines, ("levels",)), "levels", f"has '{name}' twice", "each level once")
            raise SettingsError(path, [problem])


def line_of(lines: dict[Place, int], place: Place) -> int:
    """Return the line of a key, or of what it would be in."""
    while place not in lines and place:
        place = place[:-1]
    return lines.get(place, 1)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values without keys that have none; a level's name alone has the defaults."""
    given: dict[str, Any] = _without_empty(values)
    if isinstance(given.get("start"), str):
        given["start"] = {"model": given["start"]}
    levels = values.get("levels")
    if isinstance(levels, dict):
        given["levels"] = {
            name: {} if found is None else _without_empty(found) for name, found in levels.items()
        }
    elif isinstance(levels, list):
        given["levels"] = {str(name): {} for name in levels}
    elif isinstance(levels, str):
        given["levels"] = {levels: {}}
    return given


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_empty(found) for name, found in value.items() if found is not None}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def _problem(error: Any, values: Any, lines: dict[Place, int]) -> Problem:
    """Translate one of pydantic's errors; its location leads through the sections."""
    place = tuple(part for part in error["loc"] if part != "[key]")
    info = _field(place)
    words = accepted(info) if info is not None else ""
    found = values
    for part in place:
        inside = isinstance(found, dict) and part in found
        inside |= isinstance(found, list) and isinstance(part, int) and part < len(found)
        found = found[part] if inside else None
    if error["type"] == "missing":
        what = "is missing"
    elif error["type"] == "extra_forbidden":
        what, words = "is no setting", ", ".join(_names(place[:-1]))
    elif isinstance(found, str):
        what = f"is '{found}'"
        if error["type"] == "value_error":
            what += f" ({error['ctx']['error']})"
    else:
        what = str(error["msg"]).removeprefix("Value error, ")
    return Problem(line_of(lines, place), dotted(place), what, words)


def _model_at(place: Place) -> type[BaseModel] | None:
    """Return the section at a place: through tuples and mappings of sections, too."""
    model: type[BaseModel] | None = TrainSettings
    skip = False
    for part in place:
        if isinstance(part, int) or skip:
            skip = False
            continue
        info = None if model is None else model.model_fields.get(part)
        if info is None:
            return None
        model = _section(info.annotation)
        skip = str(info.annotation).startswith("dict")
    return model


def _section(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for part in get_args(kind) if (found := _section(part)) is not None), None)


def _field(place: Place) -> FieldInfo | None:
    """Return the innermost declared field that the place goes through."""
    for end in range(len(place), 0, -1):
        model, name = _model_at(place[: end - 1]), place[end - 1]
        if model is not None and isinstance(name, str) and name in model.model_fields:
            return model.model_fields[name]
    return None


def _names(place: Place) -> list[str]:
    model = _model_at(place)
    return list(model.model_fields) if model is not None else []
