"""Which model a correction belongs to: written into every file that leaves a run, checked on loading."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.models.arguments import resolved
from votca_mlp.models.identity import model_digest, model_file
from votca_mlp.versions import versions

if TYPE_CHECKING:
    from votca_mlp.models.options import MLPSettings

_ACCEPTED = "a folder written by 'votca-mlp export', or its export.json"


@dataclass(frozen=True)
class ModelOrigin:
    """The model of a correction.

    Attributes
    ----------
    settings
        ``cg.inverse.mlp`` as plain data, without what belongs to a machine (device, threads, trust).
    sha256
        Of the model's file or folder; of a calculator's module and files where they are beside the settings;
        None where there is none of that.
    main_directory
        Where relative paths of the model start.
    skin
        Of the neighbour list, Angstrom.
    versions, written
        Of the programs, and the time in UTC.
    """

    settings: dict[str, Any]
    sha256: str | None
    main_directory: str
    skin: float
    versions: Mapping[str, str] = field(default_factory=dict)
    written: str = ""

    def as_data(self) -> dict[str, Any]:
        """Return the plain data that files hold; :func:`read_origin` is the way back."""
        return {
            "model": self.settings,
            "model_sha256": self.sha256,
            "main_directory": self.main_directory,
            "skin": self.skin,
            "versions": dict(self.versions),
            "written": self.written,
        }


def read_origin(data: Mapping[str, Any]) -> ModelOrigin:
    """Return the origin in the plain data of a file; other keys are left alone.

    Raises
    ------
    KeyError, TypeError
        Data that is missing or of another type.
    """
    origin = ModelOrigin(
        data["model"],
        data["model_sha256"],
        data["main_directory"],
        data["skin"],
        data.get("versions") or {},
        data.get("written") or "",
    )
    typed = (
        (origin.settings, dict),
        (origin.sha256, (str, type(None))),
        (origin.main_directory, str),
        (origin.skin, (int, float)),
        (origin.versions, dict),
        (origin.written, str),
    )
    if not all(isinstance(value, kind) for value, kind in typed):
        raise TypeError("not the origin of a model")
    return origin


def describe_model(
    mlp: "MLPSettings", main_directory: Path, skin: float, *, where: str | None = None
) -> ModelOrigin:
    """Return the origin of a correction of this model, with the checksum of the model as it is now.

    Parameters
    ----------
    main_directory
        Where relative paths start.
    skin
        Of the neighbour list, Angstrom.
    where
        Names the calculator's arguments in messages.

    Raises
    ------
    UserError
        A model that is missing, or calculator arguments that JSON cannot hold.
    """
    from votca_mlp.models.options import potential_facts

    settings = potential_facts(mlp)
    path = model_file(mlp, main_directory)
    if path is not None and not str(mlp.model).startswith("builtin:"):
        settings["model"] = str(path.resolve())
    if settings.get("arguments"):
        settings["arguments"] = resolved(settings["arguments"], main_directory)
    try:
        json.dumps(settings)
    except TypeError as error:
        raise UserError(
            f"the calculator's arguments cannot be written: {error}",
            where=where,
            accepted="numbers, text, lists and mappings",
        ) from None
    digest = model_digest(mlp, main_directory)
    found = versions(mlp.calculator)
    return ModelOrigin(settings, digest, str(main_directory.resolve()), skin, found, now())


def now() -> str:
    """Return the time in UTC, as files have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def found_model(
    origin: ModelOrigin,
    *,
    where: str | Path,
    model: str | Path | None = None,
    device: str | None = None,
    trust: bool = False,
) -> "MLPSettings":
    """Return the settings of the origin's model, which is there and is the one that was corrected.

    Parameters
    ----------
    where
        The file that messages name.
    model
        Where the model's file is now; by default where it was.
    device
        ``auto`` (default), ``cpu``, ``cuda`` or ``cuda:N``.
    trust
        Allow what can run code of others: the callable of kind ``ase``, a pickled hippynn experiment.

    Raises
    ------
    UserError
        A damaged section, a model that is missing or another one, code without ``trust``.
    """
    from votca_mlp.models.kind import model_kind

    mlp = _settings(origin, where, model, device, trust)
    try:
        digest = model_digest(mlp, Path(origin.main_directory))
    except UserError as error:
        accepted = "load_corrected(path, model=...) with the place of the model now"
        raise UserError(error.what, where=where, accepted=accepted) from None
    # exports of earlier versions have none for calculators
    if digest != origin.sha256 and (origin.sha256 is not None or model_kind(mlp.kind).has_file):
        at = model_file(mlp, Path(origin.main_directory))
        what = f"the model at {at}" if at else f"{mlp.calculator}, or a file of its <arguments>,"
        raise UserError(
            f"{what} is not the one that was corrected (its SHA-256 differs)",
            where=where,
            accepted=f"the model with SHA-256 {origin.sha256}; a correction belongs to one model",
        )
    return mlp


def _settings(
    origin: ModelOrigin, where: str | Path, model: str | Path | None, device: str | None, trust: bool
) -> "MLPSettings":
    from pydantic import ValidationError

    from votca_mlp.models.kind import model_kind
    from votca_mlp.models.options import LATER, MLPSettings

    values = origin.settings | {"device": device or "auto", "trust_pickle": trust}
    if model is not None:
        text = str(model)
        values["model"] = text if text.startswith("builtin:") else str(Path(model).expanduser().resolve())
    try:
        mlp = MLPSettings(**values)
    except (ValidationError, TypeError):
        raise UserError("the model's section is damaged", where=where, accepted=_ACCEPTED) from None
    # what the file leaves out because its absence means it
    meant = {
        tag: LATER[tag] for tag in model_kind(mlp.kind).uses if getattr(mlp, tag) is None and tag in LATER
    }
    mlp = mlp.model_copy(update=meant)
    if model_kind(mlp.kind).names_code and not trust:
        raise UserError(
            f"the export calls {mlp.calculator}, which can run any code",
            where=where,
            accepted="load_corrected(path, trust=True) when you trust where the export comes from",
        )
    return mlp
