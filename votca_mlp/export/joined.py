"""A joined file u(r; T) as what is exported: at one temperature, or following it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.export.provenance import FORMAT, VERSION
from votca_mlp.export.work import Work
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


def is_joined(path: str | Path) -> bool:
    """Return whether a path is a file of ``votca-mlp temperature``, by its name."""
    return Path(path).suffix in (".yaml", ".yml")


def work_of_joined(
    path: str | Path,
    temperature: float | None,
    *,
    extrapolate: bool = False,
    model: str | Path | None = None,
    trust: bool = False,
) -> Work:
    """Return what is exported of a joined file.

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
    joined = read_temperature_file(path)
    correction = joined.correction
    if extrapolate:
        correction = correction.with_extrapolation()
    content = _content(path, joined, correction, temperature)
    mlp = found_model(read_origin(content), where=path, model=model, trust=trust)
    content["model"] = content["model"] | {"model": mlp.model}
    kelvin = 0.5 * (correction.minimum + correction.maximum) if temperature is None else temperature
    at = correction.at(kelvin)
    tables = {}
    if temperature is not None:
        tables = {name: table_of(at.pairs[pair]) for pair, name in joined.names.items()}
        most = max(
            len(tables[name].x) / len(at.pairs[pair].coefficients) for pair, name in joined.names.items()
        )
        content["joined"]["points_per_interval"] = round(most)
    return Work(
        content,
        mlp,
        Path(content["main_directory"]),
        float(content["skin"]),
        at,
        tables,
        _configuration(joined),
        varying=correction if temperature is None else None,
    )


def _content(
    path: Path, joined: TemperatureFile, correction: TemperatureCorrection, temperature: float | None
) -> dict[str, Any]:
    origin = dict(joined.origin)
    sources = origin.pop("sources")
    pressures = {source.get("pressure") for source in sources}
    ensembles = {source.get("ensemble") for source in sources}
    span = [correction.minimum, correction.maximum]
    from ase.data import chemical_symbols

    return {
        "format": FORMAT,
        "version": VERSION,
        **origin,
        "versions": versions(),
        "written": now(),
        "settings": str(path.resolve()),
        "settings_sha256": sha256_of(path),
        "step": None,
        "temperatures": span if temperature is None else [temperature],
        "ensemble": ensembles.pop() if len(ensembles) == 1 else None,
        "pressure": pressures.pop() if len(pressures) == 1 else None,
        "joined": {
            "range": span,
            "extrapolation": correction.allow_extrapolation,
            "extrapolated": temperature is not None and not correction.inside(temperature),
            "follows_temperature": temperature is None,
            **correction.functions.parameters,
            "sources": sources,
        },
        "tables": [
            {"name": name, "types": [chemical_symbols[z] for z in pair], "file": f"{name}.table"}
            for pair, name in joined.names.items()
        ],
    }


def table_of(spline: AkimaPair) -> Table:
    """Return a spline as a VOTCA table, nm and kJ/mol, from which it comes back."""
    # a spacing that is no multiple of the table's, so that all parts of an interval are met
    places = np.arange(spline.first, spline.cutoff, spline.step / 203.7)
    _, slope = spline.evaluate(places)
    for number in PER_INTERVAL:
        r = np.linspace(spline.first, spline.cutoff, len(spline.coefficients) * number + 1)
        u, _ = spline.evaluate(r)
        _, again = akima_from_points(r, u).evaluate(places)
        if np.abs(again - slope).max() < FORCE_ERROR:
            break
    return make_table(np.round(r / ANGSTROM_PER_NM, 12), u * KJMOL_PER_EV)


def _configuration(joined: TemperatureFile) -> "Atoms":
    """Return a source's last configuration if one is left, else a crystal of the elements; rattled."""
    from votca_mlp.engines.shared.start import read_configuration

    for source in joined.origin["sources"]:
        path = source.get("configuration")
        if path is not None and Path(path).is_file():
            try:
                atoms = read_configuration(Path(path))
            except UserError:
                continue
            atoms.rattle(0.05, seed=1)
            return atoms
    return _crystal(joined)


def _crystal(joined: TemperatureFile) -> "Atoms":
    """Return 256 atoms, fcc, neighbours as far apart as 1.1 times two atoms that touch."""
    from ase.build import bulk
    from ase.data import chemical_symbols, covalent_radii

    numbers = sorted({z for pair in joined.names for z in pair})
    apart = 2.2 * float(max(covalent_radii[z] for z in numbers))
    atoms = bulk(chemical_symbols[numbers[0]], "fcc", a=apart * 2**0.5, cubic=True).repeat(4)
    atoms.numbers[:] = np.random.default_rng(1).choice(numbers, len(atoms))
    atoms.rattle(0.1, seed=1)
    return atoms
