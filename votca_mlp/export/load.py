"""An exported folder as an ASE calculator, without settings.xml."""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.export.provenance import FORMAT, NAME, VERSION, holds_at, model_file
from votca_mlp.files import sha256_of

if TYPE_CHECKING:
    from votca_mlp.models.calculator import MLPCalculator
    from votca_mlp.potentials.correction import PairCorrection
    from votca_mlp.settings import MLPSettings

_log = logging.getLogger(__name__)
_ACCEPTED = "a folder written by 'votca-mlp export', or its export.json"
_NEEDED: dict[str, Any] = {
    "model": dict,
    "model_sha256": (str, type(None)),
    "main_directory": str,
    "skin": (int, float),
    "tables": list,
    "temperatures": list,
    "pressure": (int, float, type(None)),
}


def load_corrected(
    path: str | Path, *, model: str | Path | None = None, device: str | None = None, trust: bool = False
) -> "MLPCalculator":
    """Return an ASE calculator of model + correction.

    Parameters
    ----------
    path
        The exported folder (formats ``ase`` and ``table``), or the ``export.json`` in it.
    model
        Where the model's file is now; by default where it was. Its checksum must be that of the export.
    device
        ``auto`` (default), ``cpu``, ``cuda`` or ``cuda:N``.
    trust
        Allow what can run code of others: the callable of kind ``ase``, a pickled hippynn experiment.

    Raises
    ------
    UserError
        Not an export, damaged; a model that is missing or is another one; code without ``trust``.
    """
    from votca_mlp.models.calculator import MLPCalculator
    from votca_mlp.models.load import evaluator_of, load_model

    content, folder = read_export(path)
    main = Path(content["main_directory"])
    mlp = _model_settings(content, folder, model, device, trust)
    _check_model(content, mlp, main, folder)
    correction = read_exported_correction(content, folder)
    _log.info("the correction holds only near %s", holds_at(content))
    evaluator = evaluator_of(load_model(mlp, main), mlp, correction, float(content["skin"]))
    return MLPCalculator(evaluator)


def read_export(path: str | Path) -> tuple[dict[str, Any], Path]:
    """Return the content of ``export.json`` and its folder.

    Raises
    ------
    UserError
        Not an export, or a damaged one.
    """
    path = Path(path)
    file = path / NAME if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        known = content["format"] == FORMAT and content["version"] == VERSION
        known = known and all(isinstance(content[key], kind) for key, kind in _NEEDED.items())
        known = known and all(isinstance(kelvin, (int, float)) for kelvin in content["temperatures"])
    except FileNotFoundError:
        raise UserError("no such export", where=file, accepted=_ACCEPTED) from None
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise UserError("this is not an export, or it is damaged", where=file, accepted=_ACCEPTED)
    return content, file.parent


def read_exported_correction(content: dict[str, Any], folder: Path) -> "PairCorrection":
    """Return the correction in the exported tables.

    Raises
    ------
    UserError
        A missing or damaged table.
    """
    from votca_mlp.potentials.correction import read_correction

    try:
        entries = content["tables"]
        tables = {(e["types"][0], e["types"][1]): folder / Path(e["file"]).name for e in entries}
        digests = [entry["sha256"] for entry in entries]
    except (KeyError, IndexError, TypeError):
        raise UserError("the list of tables is damaged", where=folder / NAME, accepted=_ACCEPTED) from None
    for file, digest in zip(tables.values(), digests, strict=True):
        # a table cut short would be a shorter correction, without a sign of it
        if file.is_file() and sha256_of(file) != digest:
            raise UserError("the table is not the one that was exported", where=file, accepted=_ACCEPTED)
    return read_correction(tables)


def _model_settings(
    content: dict[str, Any], folder: Path, model: str | Path | None, device: str | None, trust: bool
) -> "MLPSettings":
    from pydantic import ValidationError

    from votca_mlp.settings import MLPSettings

    values = dict(content["model"]) | {"device": device or "auto", "trust_pickle": trust}
    if model is not None:
        text = str(model)
        values["model"] = text if text.startswith("builtin:") else str(Path(model).expanduser().resolve())
    try:
        mlp = MLPSettings(**values)
    except (ValidationError, TypeError):
        raise UserError("the model's section is damaged", where=folder / NAME, accepted=_ACCEPTED) from None
    if mlp.kind == "ase" and not trust:
        raise UserError(
            f"the export calls {mlp.calculator}, which can run any code",
            where=folder / NAME,
            accepted="load_corrected(path, trust=True) when you trust where the export comes from",
        )
    return mlp


def _check_model(content: dict[str, Any], mlp: "MLPSettings", main: Path, folder: Path) -> None:
    try:
        path = model_file(mlp, main)
    except UserError as error:
        accepted = "load_corrected(path, model=...) with the place of the model now"
        raise UserError(error.what, where=folder / NAME, accepted=accepted) from None
    if path is None or sha256_of(path) == content["model_sha256"]:
        return
    raise UserError(
        f"the model at {path} is not the one that was corrected (its SHA-256 differs)",
        where=folder / NAME,
        accepted=f"the model with SHA-256 {content['model_sha256']}; a correction belongs to one model",
    )
