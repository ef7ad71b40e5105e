"""What an exported potential is made of: the content of ``export.json``, typed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from votca_mlp.models.origin import ModelOrigin
from votca_mlp.tables import Table
from votca_mlp.units import ANGSTROM_PER_NM, EV_PER_KJMOL

FORMAT = "votca-mlp export"
VERSION = 1


@dataclass(frozen=True)
class Band:
    """The standard error of u(r), where the rule knows one, from the first r on where pairs are.

    Attributes
    ----------
    mean, largest
        Root mean square and largest, eV.
    begin, at
        The first r, and where it is largest, Angstrom.
    """

    mean: float
    largest: float
    begin: float
    at: float

    def __str__(self) -> str:
        """Return it in words."""
        return (
            f"{1e3 * self.mean:.3g} meV in the mean from {self.begin:g} Angstrom on, at most "
            f"{1e3 * self.largest:.3g} at {self.at:g}"
        )


def band_of(table: Table) -> Band | None:
    """Return the band of a table of u(r) (nm, kJ/mol); None where it has no errors."""
    if table.yerr is None or not np.nan_to_num(table.yerr).max() > 0.0:
        return None
    # below the first knot u and its error are constant
    changes = np.flatnonzero(table.yerr != table.yerr[0])
    begin = int(changes[0]) if len(changes) else 0
    errors, r = table.yerr[begin:] * EV_PER_KJMOL, table.x[begin:] * ANGSTROM_PER_NM
    numbers = (np.sqrt(np.mean(errors**2)), errors.max(), r[0], r[np.argmax(errors)])
    return Band(*(float(f"{number:.4g}") for number in numbers))


@dataclass(frozen=True)
class ExportedTable:
    """One interaction's u(r).

    Attributes
    ----------
    name, types
        Of the interaction: its name and two chemical symbols.
    file
        The VOTCA table in the exported folder, in the formats that write one.
    source_sha256
        Of the run's table that it was made from.
    sha256
        Of ``file``.
    band
        The standard error of u(r), None where the rule knows none.
    """

    name: str
    types: tuple[str, str]
    file: str
    source_sha256: str | None = None
    sha256: str | None = None
    band: Band | None = None

    def as_data(self) -> dict[str, Any]:
        """Return the entry of export.json."""
        digests: dict[str, Any] = {"source_sha256": self.source_sha256, "sha256": self.sha256}
        digests |= {"standard_error": None if self.band is None else asdict(self.band)}
        return {"name": self.name, "types": list(self.types), "file": self.file} | _without_none(digests)


@dataclass(frozen=True)
class JoinedOrigin:
    """Where a correction comes from that was taken from a file u(r; T).

    Attributes
    ----------
    range
        Lowest and highest fitted temperature, K.
    extrapolation
        Whether temperatures outside are allowed.
    extrapolated
        Whether the exported one is outside.
    follows_temperature
        Whether the export holds u(r; T) itself, not u(r) of one temperature.
    functions
        The c_k(T) as plain data: ``form`` and its parameters.
    sources
        The runs and tables that were joined, one mapping each, as the file has them.
    points_per_interval
        Of the VOTCA tables, for each interval of u(r; T); None where there are none.
    sha256
        Of the copy of the file in the exported folder, in the formats that have one.
    """

    range: tuple[float, float]
    extrapolation: bool
    extrapolated: bool
    follows_temperature: bool
    functions: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[Mapping[str, Any], ...] = ()
    points_per_interval: int | None = None
    sha256: str | None = None

    def as_data(self) -> dict[str, Any]:
        """Return the entry of export.json."""
        return {
            "range": list(self.range),
            "extrapolation": self.extrapolation,
            "extrapolated": self.extrapolated,
            "follows_temperature": self.follows_temperature,
            **self.functions,
            "sources": [dict(source) for source in self.sources],
            **_without_none({"points_per_interval": self.points_per_interval, "sha256": self.sha256}),
        }


@dataclass(frozen=True)
class ExportContent:
    """The content of ``export.json``.

    Attributes
    ----------
    model
        The model that the correction belongs to.
    settings, settings_sha256
        The settings.xml of the run, or the file u(r; T); None for a run in Python.
    step
        Number of the run's step whose u(r) this is; None for a file u(r; T).
    temperatures
        That the correction was fitted at, K; lowest and highest of one that follows the temperature.
    ensemble, pressure
        ``nvt``, ``npt`` or None; bar, or None.
    tables
        One entry an interaction.
    joined
        More about a correction from a file u(r; T), else None.
    format
        Name of the export's format.
    comparisons, left_out
        In words, once they are made: differences from the package's own forces, what was left out and why.
    """

    model: ModelOrigin
    settings: str | None
    settings_sha256: str | None
    step: int | None
    temperatures: tuple[float, ...]
    ensemble: str | None
    pressure: float | None
    tables: tuple[ExportedTable, ...]
    joined: JoinedOrigin | None = None
    format: str | None = None
    comparisons: tuple[str, ...] | None = None
    left_out: tuple[str, ...] | None = None

    @property
    def main_directory(self) -> Path:
        """Where relative paths of the model start."""
        return Path(self.model.main_directory)

    @property
    def skin(self) -> float:
        """Of the neighbour list, Angstrom."""
        return float(self.model.skin)

    def as_data(self) -> dict[str, Any]:
        """Return the plain data of export.json."""
        later = {
            "export_format": self.format,
            "comparisons": None if self.comparisons is None else list(self.comparisons),
            "left_out": None if self.left_out is None else list(self.left_out),
        }
        return {
            "format": FORMAT,
            "version": VERSION,
            **self.model.as_data(),
            "settings": self.settings,
            "settings_sha256": self.settings_sha256,
            "step": self.step,
            "temperatures": list(self.temperatures),
            "ensemble": self.ensemble,
            "pressure": self.pressure,
            **({} if self.joined is None else {"joined": self.joined.as_data()}),
            "tables": [table.as_data() for table in self.tables],
            **_without_none(later),
        }


def _without_none(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value is not None}
