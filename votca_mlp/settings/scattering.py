"""The data sets of ``<scattering>``: where they are, and what is wrong with them before any MD."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.observables.structure_factor import Resolution
from votca_mlp.scattering.core import check_core, closest_distance, number_density
from votca_mlp.scattering.data import ScatteringData
from votca_mlp.scattering.read import check_composition, check_twice
from votca_mlp.scattering.source import ScatteringSource
from votca_mlp.settings.models import Settings
from votca_mlp.settings.problems import Problem
from votca_mlp.settings.topology import read_topology
from votca_mlp.targets.target import Target, read_target

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
            if settings.target_density is not None:
                total = sum(counts.values())
                fractions = {name: count / total for name, count in counts.items()}
                density = number_density(settings.target_density.value, counts)
                check_core(data, fractions, density, closest_distance(_targets(settings)))
            check_twice([*found, data])
        except UserError as error:
            where = "" if error.where is None else f"names a bad file: {error.where}: "
            yield _problem(settings, number, f"{where}{error.what}", error.accepted or "", "file")
            continue
        found.append(data)


def _targets(settings: Settings) -> Iterator[Target]:
    for pair in settings.interactions:
        yield read_target(settings.main_directory / pair.target, (pair.type1, pair.type2))


def _problem(settings: Settings, number: int, what: str, accepted: str, tag: str = "") -> Problem:
    path = f"cg.inverse.scattering[{number}]{f'.{tag}' if tag else ''}"
    shown = f"cg.inverse.scattering{f'.{tag}' if tag else ''}"
    return Problem(settings.line_of(path), shown, what, accepted)
