"""An exported folder as an ASE calculator, without settings.xml."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.errors import UserError
from votca_mlp.export.content import ExportContent, JoinedOrigin
from votca_mlp.export.content_file import ACCEPTED, NAME, read_content
from votca_mlp.export.provenance import holds_at
from votca_mlp.files import sha256_of
from votca_mlp.models.arguments import user_module
from votca_mlp.models.origin import found_model

if TYPE_CHECKING:
    from votca_mlp.evaluation.calculator import MLPCalculator
    from votca_mlp.potentials.correction import PairCorrection
    from votca_mlp.potentials.temperature import TemperatureCorrection

JOINED = "u_of_T.yaml"
"""Copy of the file u(r; T) in an export of format ase."""
_log = logging.getLogger(__name__)


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

    content, folder = read_content(path)
    if user_module(content.model.settings.get("calculator"), folder) is not None:
        # the calculator's own module has come with the export
        content = replace(content, model=replace(content.model, main_directory=str(folder.resolve())))
    mlp = found_model(content.model, where=folder / NAME, model=model, device=device, trust=trust)
    of_temperature = read_of_temperature(content, folder)
    correction = read_correction_of(content, folder) if of_temperature is None else of_temperature.terms[0]
    if content.temperatures:
        _log.info("the correction holds only near %s", holds_at(content))
    evaluator = evaluator_of(load_model(mlp, content.main_directory), mlp, correction, content.skin)
    if of_temperature is None:
        if temperature is not None:
            what, accepted = f"the export is for {holds_at(content)} only", "no temperature"
            raise UserError(what, where=folder / NAME, accepted=accepted)
        return MLPCalculator(evaluator)
    calculator = TemperatureCalculator(evaluator, of_temperature)
    if temperature is not None:
        calculator.set_temperature(temperature)
    return calculator


def read_of_temperature(content: ExportContent, folder: Path) -> "TemperatureCorrection | None":
    """Return the exported u(r; T), or None when the export is for one temperature.

    Raises
    ------
    UserError
        A missing or damaged file.
    """
    joined = content.joined
    return _joined_file(joined, folder) if joined is not None and joined.follows_temperature else None


def read_correction_of(content: ExportContent, folder: Path) -> "PairCorrection":
    """Return the exported u(r) of one temperature.

    Raises
    ------
    UserError
        A missing or damaged table.
    """
    from votca_mlp.potentials.correction import read_correction

    if content.joined is not None and content.joined.sha256 is not None:
        return _joined_file(content.joined, folder).at(float(content.temperatures[0]))
    for table in content.tables:
        file = folder / table.file
        if table.sha256 is None:
            where = folder / NAME
            raise UserError("the list of tables is damaged", where=where, accepted=ACCEPTED)
        # a table cut short would be a shorter correction, without a sign of it
        if file.is_file() and sha256_of(file) != table.sha256:
            raise UserError("the table is not the one that was exported", where=file, accepted=ACCEPTED)
    return read_correction({table.types: folder / table.file for table in content.tables})


def _joined_file(joined: JoinedOrigin, folder: Path) -> "TemperatureCorrection":
    from votca_mlp.potentials.temperature_file import read_temperature_file

    file = folder / JOINED
    if file.is_file() and sha256_of(file) != joined.sha256:
        raise UserError("the file is not the one that was exported", where=file, accepted=ACCEPTED)
    return read_temperature_file(file).correction.with_extrapolation(joined.extrapolation)
