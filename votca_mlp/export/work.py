"""What every export format is given, and how it is read from a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from votca_mlp.deploy.compare import Comparison
from votca_mlp.export.provenance import provenance
from votca_mlp.export.source import read_source, reference_configuration
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.tables import Table, read_table

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.potentials.temperature import TemperatureCorrection
    from votca_mlp.settings import MLPSettings

Outcome = tuple[list[str], list[Comparison], list[str]]
"""What a format returns: names of the files, comparisons made, what was left out and why."""


@dataclass(frozen=True)
class Work:
    """An export under way.

    Attributes
    ----------
    content
        Provenance, what ``export.json`` will hold.
    mlp, main, skin
        The model's settings, where its relative paths start, margin of the neighbour list (Angstrom).
    correction
        u(r); of a correction that depends on T the one at the middle of its range.
    tables
        u(r) by name of the interaction, nm and kJ/mol; empty when it depends on T.
    atoms
        Configuration to compare on.
    varying
        u(r; T) when the export is to follow the temperature, None when it is for one temperature.
    folder
        Where the files go.
    """

    content: dict[str, Any]
    mlp: "MLPSettings"
    main: Path
    skin: float
    correction: PairCorrection
    tables: Mapping[str, Table]
    atoms: "Atoms"
    varying: "TemperatureCorrection | None" = None
    folder: Path = Path()


def work_of_run(path: str | Path, step: int | None) -> Work:
    """Return what is exported from a run.

    Raises
    ------
    UserError
        No finished step, a model that is missing, a step that simulated the model alone, a bad table.
    """
    source = read_source(path, step)
    content, correction = provenance(source), source.correction()
    settings = source.settings
    return Work(
        content,
        settings.mlp,
        settings.main_directory,
        float(content["skin"]),
        correction,
        {name: read_table(table) for name, table in source.tables.items()},
        reference_configuration(source),
    )
