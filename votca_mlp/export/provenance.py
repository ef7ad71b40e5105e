"""What an exported potential is made of: written into every export, checked when one is loaded."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.export.source import Source
from votca_mlp.files import atomic_write, sha256_of
from votca_mlp.models.kind import model_kind
from votca_mlp.settings.origin import model_origin
from votca_mlp.units import kelvin

if TYPE_CHECKING:
    from votca_mlp.settings import Settings

FORMAT = "votca-mlp export"
VERSION = 1
NAME = "export.json"
JOINED = "u_of_T.yaml"
"""Copy of the joined file in an export of format ase."""


def provenance(source: Source) -> dict[str, Any]:
    """Return where model and correction come from, as plain data.

    Raises
    ------
    UserError
        A model that is missing, or calculator arguments that JSON cannot hold.
    """
    settings = source.settings
    # engines with an input of their own do not tell their ensemble
    ensemble = getattr(settings.engine, "ensemble", None)
    return {
        "format": FORMAT,
        "version": VERSION,
        **model_origin(settings).as_data(),
        "settings": str(settings.path.resolve()),
        "settings_sha256": sha256_of(settings.path),
        "step": source.step,
        "temperatures": temperatures(settings),
        "ensemble": ensemble,
        "pressure": getattr(settings.engine, "pressure", None) if ensemble == "npt" else None,
        "tables": [
            {
                "name": i.name,
                "types": [i.type1, i.type2],
                "file": f"{i.name}.table",
                "source_sha256": sha256_of(source.tables[i.name]),
            }
            for i in settings.interactions
        ],
    }


def temperatures(settings: "Settings") -> list[float]:
    """Return the temperatures that the correction was fitted at, K."""
    if settings.multistate.enabled:
        from votca_mlp.settings.states import states_of

        return [round(state.temperature, 2) for state in states_of(settings) if state.weight > 0]
    if hasattr(settings.engine, "temperature"):
        return [settings.engine.temperature]
    return [round(kelvin(settings.kBT), 2)]


def holds_at(content: dict[str, Any]) -> str:
    """Return temperature and pressure in words."""
    joined = content.get("joined") or {}
    between = " to " if joined.get("follows_temperature") else ", "
    words = between.join(f"{t:g}" for t in content["temperatures"]) + " K"
    if joined.get("extrapolated"):
        low, high = joined["range"]
        words += f" (EXTRAPOLATED: fitted from {low:g} to {high:g} K)"
    pressure = content["pressure"]
    if pressure is not None:
        return f"{words} and {pressure:g} bar"
    return words + (" at constant volume" if content.get("ensemble") == "nvt" else "")


def header(content: dict[str, Any]) -> list[str]:
    """Return the provenance as lines of a comment."""
    model = content["model"]
    name = model[model_kind(model["kind"]).named_by or "kind"]
    parts = [f"{key} {value}" for key, value in content["versions"].items()]
    if content["step"] is None:
        origin = [f"from {content['settings']}", f"sha256 of this file {content['settings_sha256']}"]
        low, high = content["joined"]["range"]
        allowed = "allowed" if content["joined"]["extrapolation"] else "not allowed"
        origin.append(f"fitted from {low:g} to {high:g} K, extrapolation {allowed}")
    else:
        origin = [
            f"from step {content['step']} of {content['settings']}",
            f"settings sha256 {content['settings_sha256']}",
        ]
    return [
        f"pair correction u(r) for the model {model['kind']} {name}",
        f"model sha256 {content['model_sha256'] or 'unknown (the calculator is called by name)'}",
        f"holds only near {holds_at(content)}, and only together with this model",
        *origin,
        f"written {content['written']} by votca-mlp; " + ", ".join(parts),
    ]


def write_content(folder: Path, content: dict[str, Any]) -> None:
    """Write ``export.json``.

    Raises
    ------
    UserError
        No space or no permission.
    """
    with atomic_write(folder / NAME) as file:
        json.dump(content, file, indent=1)
        file.write("\n")
