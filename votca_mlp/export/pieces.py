"""The corrections of single temperatures that are joined: runs, exported folders, tables."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.errors import UserError
from votca_mlp.export.provenance import NAME, provenance
from votca_mlp.export.source import Source, last_configuration, read_source
from votca_mlp.files import sha256_of
from votca_mlp.potentials.correction import PairCorrection, Species, read_correction
from votca_mlp.settings.origin import model_origin

if TYPE_CHECKING:
    from votca_mlp.settings import Settings

ACCEPTED = "RUN, RUN/step_NNN, an exported folder, or TABLE@T with T in K and --settings"
_SAME = 0.5  # K; what a run says and what @T says may be rounded
ORIGIN = ("model", "model_sha256", "main_directory", "skin", "versions", "written")


@dataclass(frozen=True)
class Piece:
    """A correction of one temperature.

    Attributes
    ----------
    name
        The argument that it came from.
    temperature
        K.
    correction, names
        u(r), and the name of the interaction of each pair of atomic numbers.
    origin
        Its model, as :meth:`votca_mlp.models.origin.ModelOrigin.as_data` gives it.
    record
        What the joined file says of it.
    """

    name: str
    temperature: float
    correction: PairCorrection
    names: dict[Species, str]
    origin: dict[str, Any]
    record: dict[str, Any]


def read_piece(argument: str, settings: "Settings | None") -> Piece:
    """Read ``PATH`` or ``PATH@T``; ``settings`` say which model and interactions bare tables belong to.

    Raises
    ------
    UserError
        No such path, no finished step, a temperature that is missing or contradicts the run's, a table
        without settings or of no interaction.
    """
    path, kelvin = _split(argument)
    if path.is_dir() and (path / NAME).is_file():
        return _exported(argument, path, kelvin)
    if path.is_dir() or path.suffix == ".xml":
        return _run(argument, path, kelvin)
    if not path.is_file():
        raise UserError("no such run or table", where=path, accepted=ACCEPTED)
    return _table(argument, path, kelvin, settings)


def _split(argument: str) -> tuple[Path, float | None]:
    path, at, text = argument.rpartition("@")
    if not at or Path(argument).exists():
        return Path(argument), None
    try:
        kelvin = float(text)
    except ValueError:
        kelvin = -1.0
    if not 0 < kelvin < float("inf"):
        raise UserError(f"'{text}' is no temperature", where=argument, accepted=ACCEPTED)
    return Path(path), kelvin


def _run(argument: str, path: Path, kelvin: float | None) -> Piece:
    step = None
    match = re.fullmatch(r"step_(\d+)", path.resolve().name)
    if match and not (path / "settings.xml").exists():
        step, path = int(match[1]), path.resolve().parent
    source = read_source(path, step)
    content, correction = provenance(source), source.correction()
    return Piece(
        argument,
        _temperature(argument, content["temperatures"], kelvin),
        correction,
        _names(source),
        {key: content[key] for key in ORIGIN},
        {
            "settings": content["settings"],
            "settings_sha256": content["settings_sha256"],
            "step": content["step"],
            "ensemble": content["ensemble"],
            "pressure": content["pressure"],
            "tables": {entry["name"]: entry["source_sha256"] for entry in content["tables"]},
            "configuration": _text(last_configuration(source)),
        },
    )


def _exported(argument: str, path: Path, kelvin: float | None) -> Piece:
    from ase.data import atomic_numbers

    from votca_mlp.export.load import read_export, read_exported_correction
    from votca_mlp.potentials.correction import species_pair

    content, folder = read_export(path)
    if content.get("joined"):
        accepted = "exports of one run each; a joined file is made from the runs"
        raise UserError("this export is of a joined correction", where=argument, accepted=accepted)
    if content.get("export_format") not in ("ase", "table"):
        raise UserError("this export has no VOTCA table", where=argument, accepted="formats ase and table")
    keys = ("settings", "settings_sha256", "step", "ensemble", "pressure")
    correction = read_exported_correction(content, folder)
    names = {
        species_pair(*(atomic_numbers[symbol] for symbol in entry["types"])): str(entry.get("name"))
        for entry in content["tables"]
    }
    return Piece(
        argument,
        _temperature(argument, content["temperatures"], kelvin),
        correction,
        names,
        {key: content.get(key) for key in ORIGIN},
        {key: content.get(key) for key in keys}
        | {
            "tables": {str(e.get("name")): e["sha256"] for e in content["tables"]},
            "export": str(folder.resolve()),
        },
    )


def _table(argument: str, path: Path, kelvin: float | None, settings: "Settings | None") -> Piece:
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
    return Piece(
        argument,
        kelvin,
        correction,
        {pair: interaction.name},
        model_origin(settings).as_data(),
        {"table": str(path.resolve()), "tables": {interaction.name: sha256_of(path)}},
    )


def _temperature(argument: str, known: list[float], kelvin: float | None) -> float:
    if len(set(known)) != 1:
        raise UserError(
            f"the run has several temperatures: {', '.join(f'{t:g}' for t in known)} K",
            where=argument,
            accepted="runs of one temperature each",
        )
    if kelvin is not None and abs(kelvin - known[0]) > _SAME:
        raise UserError(f"the run is at {known[0]:g} K, not {kelvin:g} K", where=argument, accepted=ACCEPTED)
    return float(known[0])


def _names(source: Source) -> dict[Species, str]:
    from ase.data import atomic_numbers

    from votca_mlp.potentials.correction import species_pair

    return {
        species_pair(atomic_numbers[i.type1], atomic_numbers[i.type2]): i.name
        for i in source.settings.interactions
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())
