"""From a run's step to the potential that is exported."""

from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.export.content import ExportContent, ExportedTable, band_of
from votca_mlp.export.potential import CorrectedPotential
from votca_mlp.export.run_step import FinishedStep, find_step, reference_configuration
from votca_mlp.files import sha256_of
from votca_mlp.settings.origin import model_origin
from votca_mlp.tables import read_table
from votca_mlp.units import kelvin

if TYPE_CHECKING:
    from votca_mlp.settings import Settings


def potential_of_run(path: str | Path, step: int | None) -> CorrectedPotential:
    """Return what is exported from a run; arguments as for :func:`votca_mlp.export.run_step.find_step`.

    Raises
    ------
    UserError
        No finished step, a model that is missing, a step that simulated the model alone, a bad table.
    """
    found = find_step(path, step)
    content, correction = content_of_step(found), found.correction()
    tables = {name: read_table(table) for name, table in found.tables.items()}
    return CorrectedPotential(content, found.settings.mlp, correction, tables, reference_configuration(found))


def content_of_step(found: FinishedStep) -> ExportContent:
    """Return where model and correction come from.

    Raises
    ------
    UserError
        A model that is missing, or calculator arguments that JSON cannot hold.
    """
    settings = found.settings
    # engines with an input of their own do not say their ensemble
    ensemble = getattr(settings.engine, "ensemble", None)
    return ExportContent(
        model=model_origin(settings),
        settings=str(settings.path.resolve()),
        settings_sha256=sha256_of(settings.path),
        step=found.step,
        temperatures=tuple(_temperatures(settings)),
        ensemble=ensemble,
        pressure=getattr(settings.engine, "pressure", None) if ensemble == "npt" else None,
        tables=tuple(
            ExportedTable(
                i.name,
                (i.type1, i.type2),
                f"{i.name}.table",
                source_sha256=sha256_of(found.tables[i.name]),
                band=band_of(read_table(found.tables[i.name])),
            )
            for i in settings.interactions
        ),
    )


def _temperatures(settings: "Settings") -> list[float]:
    """Return the temperatures that the correction was fitted at, K."""
    if settings.multistate.enabled:
        from votca_mlp.settings.states import states_of

        return [round(state.temperature, 2) for state in states_of(settings) if state.weight > 0]
    if hasattr(settings.engine, "temperature"):
        return [settings.engine.temperature]
    return [round(kelvin(settings.kBT), 2)]
