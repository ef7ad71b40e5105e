"""From a file u(r; T) to the potential that is exported: at one temperature, or following it."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.export.content import ExportContent, ExportedTable, JoinedOrigin
from votca_mlp.export.crystal import crystal_of
from votca_mlp.export.potential import CorrectedPotential
from votca_mlp.files import sha256_of
from votca_mlp.models.origin import found_model, now, read_origin
from votca_mlp.potentials.akima import AkimaPair, akima_from_points
from votca_mlp.potentials.temperature import TemperatureCorrection
from votca_mlp.potentials.temperature_file import TemperatureFile, read_temperature_file
from votca_mlp.tables import Table, make_table
from votca_mlp.units import ANGSTROM_PER_NM, KJMOL_PER_EV
from votca_mlp.versions import versions

if TYPE_CHECKING:
    from ase import Atoms

PER_INTERVAL = (1, 100, 300, 1000)
"""Points of a VOTCA table for each of u(r; T). Between the fitted temperatures the spline through points of
u(r; T) is not u(r; T); the first of these is taken whose force is good to ``FORCE_ERROR`` everywhere."""
FORCE_ERROR = 1e-3
"""eV/Angstrom."""


def is_temperature_file(path: str | Path) -> bool:
    """Return whether a path is a file of ``votca-mlp temperature``, by its name."""
    return Path(path).suffix in (".yaml", ".yml")


def potential_of_temperature_file(
    path: str | Path,
    temperature: float | None,
    *,
    extrapolate: bool = False,
    model: str | Path | None = None,
    trust: bool = False,
) -> CorrectedPotential:
    """Return what is exported of a file u(r; T).

    Parameters
    ----------
    temperature
        K; None for an export that follows the temperature.
    extrapolate
        Allow temperatures outside the fitted range, if the file does not yet.
    model, trust
        As for :func:`votca_mlp.export.load_corrected`.

    Raises
    ------
    UserError
        A damaged file, a temperature outside the range, a model that is missing or another one.
    """
    path = Path(path)
    file = read_temperature_file(path)
    correction = file.correction
    if extrapolate:
        correction = correction.with_extrapolation()
    content = _content(path, file, correction, temperature)
    mlp = found_model(content.model, where=path, model=model, trust=trust)
    # where the model is now
    content = replace(
        content, model=replace(content.model, settings=content.model.settings | {"model": mlp.model})
    )
    middle = 0.5 * (correction.minimum + correction.maximum)
    at_one = correction.at(middle if temperature is None else temperature)
    tables = {}
    if temperature is not None:
        tables = {name: table_of(at_one.pairs[pair]) for pair, name in file.names.items()}
        points = (
            len(tables[name].x) / len(at_one.pairs[pair].coefficients) for pair, name in file.names.items()
        )
        assert content.joined is not None
        joined = replace(content.joined, points_per_interval=round(max(points)))
        content = replace(content, joined=joined)
    following = correction if temperature is None else None
    return CorrectedPotential(content, mlp, at_one, tables, _configuration(file), of_temperature=following)


def _content(
    path: Path, file: TemperatureFile, correction: TemperatureCorrection, temperature: float | None
) -> ExportContent:
    from ase.data import chemical_symbols

    sources = file.origin["sources"]
    pressures = {source.get("pressure") for source in sources}
    ensembles = {source.get("ensemble") for source in sources}
    span = (correction.minimum, correction.maximum)
    return ExportContent(
        # the export is of today and of these programs
        model=replace(read_origin(file.origin), versions=versions(), written=now()),
        settings=str(path.resolve()),
        settings_sha256=sha256_of(path),
        step=None,
        temperatures=span if temperature is None else (temperature,),
        ensemble=ensembles.pop() if len(ensembles) == 1 else None,
        pressure=pressures.pop() if len(pressures) == 1 else None,
        tables=tuple(
            ExportedTable(name, (chemical_symbols[pair[0]], chemical_symbols[pair[1]]), f"{name}.table")
            for pair, name in file.names.items()
        ),
        joined=JoinedOrigin(
            range=span,
            extrapolation=correction.allow_extrapolation,
            extrapolated=temperature is not None and not correction.inside(temperature),
            follows_temperature=temperature is None,
            functions=correction.functions.parameters,
            sources=tuple(sources),
        ),
    )


def table_of(spline: AkimaPair) -> Table:
    """Return a spline as a VOTCA table, nm and kJ/mol, from which it comes back."""
    # a spacing that is no multiple of the table's, so that all parts of an interval are met
    checked = np.arange(spline.first, spline.cutoff, spline.step / 203.7)
    _, slope = spline.evaluate(checked)
    for number in PER_INTERVAL:
        r = np.linspace(spline.first, spline.cutoff, len(spline.coefficients) * number + 1)
        u, _ = spline.evaluate(r)
        _, again = akima_from_points(r, u).evaluate(checked)
        if np.abs(again - slope).max() < FORCE_ERROR:
            break
    return make_table(np.round(r / ANGSTROM_PER_NM, 12), u * KJMOL_PER_EV)


def _configuration(file: TemperatureFile) -> "Atoms":
    """Return a source's last configuration if one is left, else a crystal of the elements; rattled."""
    from votca_mlp.engines.shared.start import read_configuration

    for source in file.origin["sources"]:
        path = source.get("configuration")
        if path is not None and Path(path).is_file():
            try:
                atoms = read_configuration(Path(path))
            except UserError:
                continue
            atoms.rattle(0.05, seed=1)
            return atoms
    return crystal_of(sorted({z for pair in file.names for z in pair}))
