"""The corrections of single temperatures that are joined into u(r; T): of runs, exported folders, tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.export.content_file import NAME, read_content
from votca_mlp.export.from_run import content_of_step
from votca_mlp.export.load import read_correction_of
from votca_mlp.export.run_step import find_step, last_configuration
from votca_mlp.files import sha256_of
from votca_mlp.models.origin import ModelOrigin
from votca_mlp.potentials.correction import PairCorrection, Species, read_correction, species_pair
from votca_mlp.settings.origin import model_origin

if TYPE_CHECKING:
    from votca_mlp.export.content import ExportContent
    from votca_mlp.settings import Settings

ACCEPTED = "RUN, RUN/step_NNN, an exported folder, or TABLE@T with T in K and --settings"
_HOTTEST = 1e6  # K; beyond it sums of squares leave the range of numbers sooner or later
_SAME = 0.5  # K; what a run says and what @T says may be rounded


@dataclass(frozen=True)
class JoinSource:
    """A correction of one temperature.

    Attributes
    ----------
    argument
        Of the command, that it came from.
    temperature
        K.
    correction, names
        u(r), and the name of the interaction of each pair of atomic numbers.
    model
        The model that it corrects.
    record
        What the joined file says of it, plain data; ``tables`` are SHA-256 by name of the interaction.
    is_table
        A bare table of one interaction; others of the same temperature make it complete.
    """

    argument: str
    temperature: float
    correction: PairCorrection
    names: Mapping[Species, str]
    model: ModelOrigin
    record: Mapping[str, Any]
    is_table: bool = False


def read_join_source(argument: str, settings: "Settings | None") -> JoinSource:
    """Read ``PATH`` or ``PATH@T``; ``settings`` say which model and interactions bare tables belong to.

    Raises
    ------
    UserError
        No such path, no finished step, a temperature that is missing or contradicts the run's, a table
        without settings or of no interaction.
    """
    path, kelvin = _split(argument)
    if path.is_dir() and (path / NAME).is_file():
        return _of_export(argument, path, kelvin)
    if path.is_dir() or path.suffix == ".xml":
        return _of_run(argument, path, kelvin)
    if not path.is_file():
        raise UserError("no such run or table", where=path, accepted=ACCEPTED)
    return _of_table(argument, path, kelvin, settings)


def _split(argument: str) -> tuple[Path, float | None]:
    path, at, text = argument.rpartition("@")
    if not at or Path(argument).exists():
        return Path(argument), None
    try:
        kelvin = float(text)
    except ValueError:
        kelvin = -1.0
    if not 0 < kelvin <= _HOTTEST:
        raise UserError(f"'{text}' is no temperature", where=argument, accepted=ACCEPTED)
    return Path(path), kelvin


def _of_run(argument: str, path: Path, kelvin: float | None) -> JoinSource:
    number = None
    match = re.fullmatch(r"step_(\d+)", path.resolve().name)
    if match and not (path / "settings.xml").exists():
        number, path = int(match[1]), path.resolve().parent
    step = find_step(path, number)
    content, correction = content_of_step(step), step.correction()
    configuration = last_configuration(step)
    record = _record(content) | {
        "tables": {table.name: table.source_sha256 for table in content.tables},
        "configuration": None if configuration is None else str(configuration.resolve()),
    }
    temperature = _temperature(argument, content.temperatures, kelvin)
    return JoinSource(argument, temperature, correction, _names(content), content.model, record)


def _of_export(argument: str, path: Path, kelvin: float | None) -> JoinSource:
    content, folder = read_content(path)
    if content.joined is not None:
        accepted = "exports of one run each; a joined file is made from the runs"
        raise UserError("this export is of a joined correction", where=argument, accepted=accepted)
    if content.format not in ("ase", "table"):
        raise UserError("this export has no VOTCA table", where=argument, accepted="formats ase and table")
    correction = read_correction_of(content, folder)
    record = _record(content) | {
        "tables": {table.name: table.sha256 for table in content.tables},
        "export": str(folder.resolve()),
    }
    temperature = _temperature(argument, content.temperatures, kelvin)
    return JoinSource(argument, temperature, correction, _names(content), content.model, record)


def _of_table(argument: str, path: Path, kelvin: float | None, settings: "Settings | None") -> JoinSource:
    if kelvin is None:
        raise UserError("a table does not say its temperature", where=argument, accepted="TABLE@T, T in K")
    if settings is None:
        accepted = "--settings with the settings.xml of the run that the tables are from"
        raise UserError("a table does not say which model it corrects", where=argument, accepted=accepted)
    named = {i.name: i for i in settings.interactions}
    # NAME.pot.cur, NAME.pot.new, NAME.table: a name may have a dot of its own
    fitting = [name for name in named if path.name == name or path.name.startswith(f"{name}.")]
    if not fitting:
        accepted = f"NAME.pot.new or the like, NAME one of {', '.join(named)}"
        raise UserError(f"the table is of no interaction of {settings.path}", where=path, accepted=accepted)
    interaction = named[max(fitting, key=len)]
    correction = read_correction({(interaction.type1, interaction.type2): path})
    (pair,) = correction.pairs
    return JoinSource(
        argument,
        kelvin,
        correction,
        {pair: interaction.name},
        model_origin(settings),
        {"table": str(path.resolve()), "tables": {interaction.name: sha256_of(path)}},
        is_table=True,
    )


def _record(content: "ExportContent") -> dict[str, Any]:
    return {
        "settings": content.settings,
        "settings_sha256": content.settings_sha256,
        "step": content.step,
        "ensemble": content.ensemble,
        "pressure": content.pressure,
    }


def _temperature(argument: str, known: Sequence[float], kelvin: float | None) -> float:
    if len(set(known)) != 1:
        raise UserError(
            f"the run has several temperatures: {', '.join(f'{t:g}' for t in known)} K",
            where=argument,
            accepted="runs of one temperature each",
        )
    if kelvin is not None and abs(kelvin - known[0]) > _SAME:
        raise UserError(f"the run is at {known[0]:g} K, not {kelvin:g} K", where=argument, accepted=ACCEPTED)
    return float(known[0])


def _names(content: "ExportContent") -> dict[Species, str]:
    """Return the name of the interaction of each pair of atomic numbers."""
    from ase.data import atomic_numbers

    return {
        species_pair(*(atomic_numbers[symbol] for symbol in table.types)): table.name
        for table in content.tables
    }
