"""An exported folder as an ASE calculator, without settings.xml."""

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.export.provenance import FORMAT, JOINED, NAME, VERSION, holds_at
from votca_mlp.files import sha256_of
from votca_mlp.models.origin import found_model, read_origin

if TYPE_CHECKING:
    from votca_mlp.evaluation.calculator import MLPCalculator
    from votca_mlp.potentials.correction import PairCorrection
    from votca_mlp.potentials.temperature import TemperatureCorrection

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
    path: str | Path,
    *,
    temperature: float | None = None,
    model: str | Path | None = None,
    device: str | None = None,
    trust: bool = False,
) -> "MLPCalculator":
    """Return an ASE calculator of model + correction.

    Parameters
    ----------
    path
        The exported folder (formats ``ase`` and ``table``), or the ``export.json`` in it.
    temperature
        K, for an export that follows the temperature; the calculator's ``set_temperature`` changes it.
    model
        Where the model's file is now; by default where it was. Its checksum must be that of the export.
    device
        ``auto`` (default), ``cpu``, ``cuda`` or ``cuda:N``.
    trust
        Allow what can run code of others: the callable of kind ``ase``, a pickled hippynn experiment.

    Raises
    ------
    UserError
        Not an export, damaged; a model that is missing or is another one; code without ``trust``; a
        temperature outside the fitted range, or where the export has only one.
    """
    from votca_mlp.evaluation.annealing import TemperatureCalculator
    from votca_mlp.evaluation.calculator import MLPCalculator
    from votca_mlp.evaluation.load import evaluator_of
    from votca_mlp.models.load import load_model

    content, folder = read_export(path)
    main = Path(content["main_directory"])
    mlp = found_model(read_origin(content), where=folder / NAME, model=model, device=device, trust=trust)
    varying = read_varying(content, folder)
    correction = read_exported_correction(content, folder) if varying is None else varying.terms[0]
    _log.info("the correction holds only near %s", holds_at(content))
    evaluator = evaluator_of(load_model(mlp, main), mlp, correction, float(content["skin"]))
    if varying is None:
        if temperature is not None:
            what, accepted = f"the export is for {holds_at(content)} only", "no temperature"
            raise UserError(what, where=folder / NAME, accepted=accepted)
        return MLPCalculator(evaluator)
    calculator = TemperatureCalculator(evaluator, varying)
    if temperature is not None:
        calculator.set_temperature(temperature)
    return calculator


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
        known = known and _joined_is_whole(content)
    except FileNotFoundError:
        raise UserError("no such export", where=file, accepted=_ACCEPTED) from None
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise UserError("this is not an export, or it is damaged", where=file, accepted=_ACCEPTED)
    return content, file.parent


def _joined_is_whole(content: dict[str, Any]) -> bool:
    joined = content.get("joined")
    if joined is None:
        return True
    low, high = (float(kelvin) for kelvin in joined["range"])
    flags = all(
        isinstance(joined[key], bool) for key in ("extrapolation", "extrapolated", "follows_temperature")
    )
    return flags and low <= high and len(content["temperatures"]) > 0


def read_varying(content: dict[str, Any], folder: Path) -> "TemperatureCorrection | None":
    """Return the exported u(r; T), or None when the export is for one temperature.

    Raises
    ------
    UserError
        A missing or damaged file.
    """
    joined = content.get("joined")
    return _joined_file(joined, folder) if joined and joined["follows_temperature"] else None


def _joined_file(joined: dict[str, Any], folder: Path) -> "TemperatureCorrection":
    from votca_mlp.potentials.temperature_file import read_temperature_file

    file = folder / JOINED
    if file.is_file() and sha256_of(file) != joined.get("sha256"):
        raise UserError("the file is not the one that was exported", where=file, accepted=_ACCEPTED)
    correction = read_temperature_file(file).correction
    return correction.with_extrapolation(joined["extrapolation"])


def read_exported_correction(content: dict[str, Any], folder: Path) -> "PairCorrection":
    """Return the correction in the exported tables.

    Raises
    ------
    UserError
        A missing or damaged table.
    """
    from votca_mlp.potentials.correction import read_correction

    joined = content.get("joined")
    if joined and "sha256" in joined:
        return _joined_file(joined, folder).at(float(content["temperatures"][0]))
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
