"""``export.json``: written into every exported folder, read and checked when one is loaded."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from votca_mlp.errors import UserError
from votca_mlp.export.content import FORMAT, VERSION, Band, ExportContent, ExportedTable, JoinedOrigin
from votca_mlp.files import atomic_write, read_json
from votca_mlp.models.origin import read_origin

NAME = "export.json"
ACCEPTED = "a folder written by 'votca-mlp export', or its export.json"


def write_content(folder: Path, content: ExportContent) -> None:
    """Write ``export.json``.

    Raises
    ------
    UserError
        No space or no permission.
    """
    with atomic_write(folder / NAME) as file:
        json.dump(content.as_data(), file, indent=1)
        file.write("\n")


def read_content(path: str | Path) -> tuple[ExportContent, Path]:
    """Return the content of an exported folder, or of the ``export.json`` in it, and the folder.

    Raises
    ------
    UserError
        Not an export, or a damaged one.
    """
    path = Path(path)
    file = path / NAME if path.is_dir() else path
    try:
        return _content(read_json(file)), file.parent
    except FileNotFoundError:
        raise UserError("no such export", where=file, accepted=ACCEPTED) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UserError("this is not an export, or it is damaged", where=file, accepted=ACCEPTED) from None


def _content(data: Mapping[str, Any]) -> ExportContent:
    """Return the content of plain data.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError
        Data of another kind.
    """
    if data["format"] != FORMAT or data["version"] != VERSION:
        raise ValueError("another format")
    joined = data.get("joined")
    content = ExportContent(
        model=read_origin(data),
        settings=_typed(data.get("settings"), str, None),
        settings_sha256=_typed(data.get("settings_sha256"), str, None),
        step=_typed(data.get("step"), int, None),
        temperatures=tuple(_typed(kelvin, int, float) for kelvin in data["temperatures"]),
        ensemble=_typed(data.get("ensemble"), str, None),
        pressure=_typed(data["pressure"], int, float, None),
        tables=tuple(_table(entry) for entry in data["tables"]),
        joined=None if joined is None else _joined(joined),
        format=_typed(data.get("export_format"), str, None),
        comparisons=tuple(data.get("comparisons") or ()),
        left_out=tuple(data.get("left_out") or ()),
    )
    if joined is not None and not content.temperatures:
        raise ValueError("no temperature")
    return content


def _table(entry: Mapping[str, Any]) -> ExportedTable:
    first, second = (_typed(symbol, str) for symbol in entry["types"])
    return ExportedTable(
        name=str(entry.get("name")),
        types=(first, second),
        # a file in the folder, whatever the entry says
        file=Path(entry["file"]).name,
        source_sha256=_typed(entry.get("source_sha256"), str, None),
        sha256=_typed(entry.get("sha256"), str, None),
        band=None if "standard_error" not in entry else Band(**entry["standard_error"]),
    )


def _joined(entry: Mapping[str, Any]) -> JoinedOrigin:
    low, high = (float(kelvin) for kelvin in entry["range"])
    if low > high:
        raise ValueError("an empty range")
    parameters = ("form", "temperatures", "reference", "scale")
    return JoinedOrigin(
        (low, high),
        extrapolation=_typed(entry["extrapolation"], bool),
        extrapolated=_typed(entry["extrapolated"], bool),
        follows_temperature=_typed(entry["follows_temperature"], bool),
        functions={key: entry[key] for key in parameters if key in entry},
        sources=tuple(entry.get("sources") or ()),
        points_per_interval=_typed(entry.get("points_per_interval"), int, None),
        sha256=_typed(entry.get("sha256"), str, None),
    )


def _typed(value: Any, *kinds: type | None) -> Any:
    """Return a value that is of one of these types; None stands for none.

    Raises
    ------
    TypeError
        It is of another.
    """
    if value is None and None in kinds:
        return value
    if not any(kind is not None and isinstance(value, kind) for kind in kinds):
        raise TypeError(f"{value!r}")
    return value
