"""The data sets of ``<scattering>``: where they are, and what is wrong with them before any MD."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from votca_mlp.engines.shared.start import read_configuration
from votca_mlp.errors import UserError
from votca_mlp.observables.structure_factor import Resolution
from votca_mlp.scattering.core import check_core, closest_distance, number_density
from votca_mlp.scattering.data import ScatteringData
from votca_mlp.scattering.read import check_composition, check_twice
from votca_mlp.scattering.source import ScatteringSource
from votca_mlp.settings.models import Settings
from votca_mlp.settings.problems import Problem
from votca_mlp.settings.topology import read_topology
from votca_mlp.tables import undefined_table
from votca_mlp.targets.target import Target, read_target, target_of_table

RULE = "gauss_newton"


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
            low_q=item.low_q,
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
    closest = _closest(settings) if settings.target_density is not None else 0.0
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
            if settings.target_density is not None:
                total = sum(counts.values())
                fractions = {name: count / total for name, count in counts.items()}
                density = number_density(settings.target_density.value, counts)
                check_core(data, fractions, density, closest)
            check_twice([*found, data])
        except UserError as error:
            where = "" if error.where is None else f"names a bad file: {error.where}: "
            yield _problem(settings, number, f"{where}{error.what}", error.accepted or "", "file")
            continue
        found.append(data)


def scattering_notes(settings: Settings) -> Iterator[str]:
    """Yield a line about each data set: what it is, and how its core fits density and normalisation."""
    counts = read_topology(settings.input_path(settings.topology[0])).counts if settings.scattering else {}
    for source in scattering_sources(settings):
        data = source.data
        error = "errors not known" if data.errors is None else f"error {np.median(data.errors):.2g}"
        yield (
            f"{data.name}: {data.radiation} F(Q), {data.q[0]:g} to {data.q[-1]:g} 1/Angstrom, "
            f"{len(data.q)} points, {error}"
        )
        if settings.target_density is not None:
            total = sum(counts.values())
            fractions = {name: count / total for name, count in counts.items()}
            density = number_density(settings.target_density.value, counts)
            yield check_core(data, fractions, density, _closest(settings))


def _closest(settings: Settings) -> float:
    """Return the distance below which no atoms are, by the targets and the start."""
    conf = settings.engine.conf
    start = None
    if conf and settings.input_path(conf).is_file():
        try:
            start = read_configuration(settings.input_path(conf))
        except UserError:
            # the start's own check says so
            start = None
    return closest_distance(_targets(settings), start)


def _targets(settings: Settings) -> Iterator[Target]:
    for pair in settings.interactions:
        species = (pair.type1, pair.type2)
        if pair.target is None:
            # below it may be bonds, which the start shows
            yield target_of_table(undefined_table(pair.grid.points), species)
        else:
            yield read_target(settings.main_directory / pair.target, species)


def _problem(settings: Settings, number: int, what: str, accepted: str, tag: str = "") -> Problem:
    path = f"cg.inverse.scattering[{number}]{f'.{tag}' if tag else ''}"
    shown = f"cg.inverse.scattering{f'.{tag}' if tag else ''}"
    return Problem(settings.line_of(path), shown, what, accepted)
