"""The data sets of ``<scattering>``: where they are, and what is wrong with them before any MD."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.observables.structure_factor import Resolution
from votca_mlp.scattering.data import ScatteringData
from votca_mlp.scattering.read import check_composition, check_core, check_twice
from votca_mlp.scattering.source import ScatteringSource
from votca_mlp.settings.models import Settings
from votca_mlp.settings.problems import Problem
from votca_mlp.settings.topology import read_topology
from votca_mlp.tables import read_table
from votca_mlp.units import ANGSTROM_PER_NM, KG_PER_M3_PER_AMU_PER_ANGSTROM3

RULE = "gauss_newton"
_SURE = 0.9
"""Of the smallest distance at which a target begins: there no atoms are."""


def scattering_sources(settings: Settings) -> tuple[ScatteringSource, ...]:
    """Return where each data set comes from; nothing is read."""
    return tuple(
        ScatteringSource(
            path=settings.input_path(item.file),
            name=item.name or Path(item.file).stem,
            radiation=item.radiation,
            isotopes=item.isotopes,
            written=item.function,
            normalisation=item.normalisation,
            columns=item.columns or None,
            sigma=item.sigma,
            q_min=item.q_min,
            q_max=item.q_max,
            resolution=Resolution(item.resolution_constant, item.resolution),
            weight=item.weight,
            fit_scale=item.fit_scale,
            fit_background=item.fit_background,
        )
        for item in settings.scattering
    )


def scattering_problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the data sets and their files."""
    if not settings.scattering:
        return
    if settings.rule != RULE:
        what = f"is not used by rule {settings.rule}"
        yield _problem(settings, 0, what, f"<method>imc</method> (rule {RULE})")
        return
    try:
        counts: Mapping[str, int] = read_topology(settings.input_path(settings.topology[0])).counts
    except UserError:
        # the topology's own check says so
        return
    found: list[ScatteringData] = []
    for number, source in enumerate(scattering_sources(settings)):
        item = settings.scattering[number]
        if source.radiation == "xray" and item.isotopes:
            yield _problem(
                settings, number, "names isotopes, but X-rays see electrons", "no <isotopes>", "isotopes"
            )
            continue
        try:
            data = source.data
            check_composition(data, list(counts))
            density = _density(settings, counts)
            if density is not None:
                total = sum(counts.values())
                fractions = {name: count / total for name, count in counts.items()}
                check_core(data, fractions, density, _SURE * _closest(settings))
            check_twice([*found, data])
        except UserError as error:
            where = "" if error.where is None else f"names a bad file: {error.where}: "
            yield _problem(settings, number, f"{where}{error.what}", error.accepted or "", "file")
            continue
        found.append(data)


def _density(settings: Settings, counts: Mapping[str, int]) -> float | None:
    """Return the measured number density, atoms per cubic Angstrom; None where none is given."""
    if settings.target_density is None:
        return None
    from ase.data import atomic_masses, atomic_numbers

    mass = sum(count * atomic_masses[atomic_numbers[name]] for name, count in counts.items()) / sum(
        counts.values()
    )
    return float(settings.target_density.value / (mass * KG_PER_M3_PER_AMU_PER_ANGSTROM3))


def _closest(settings: Settings) -> float:
    """Return the smallest distance at which a target g(r) begins, Angstrom."""
    onsets = []
    for pair in settings.interactions:
        table = read_table(settings.main_directory / pair.target)
        g = np.nan_to_num(table.y)
        onsets.append(float(table.x[np.argmax(g > 0.02 * g.max())]) * ANGSTROM_PER_NM)
    return min(onsets)


def _problem(settings: Settings, number: int, what: str, accepted: str, tag: str = "") -> Problem:
    path = f"cg.inverse.scattering[{number}]{f'.{tag}' if tag else ''}"
    shown = f"cg.inverse.scattering{f'.{tag}' if tag else ''}"
    return Problem(settings.line_of(path), shown, what, accepted)
