"""From a model and measured curves to a correction: the loop, without XML."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from votca_mlp.api.correction import Correction, Species
from votca_mlp.api.model import Model
from votca_mlp.api.simulate import placed, working_directory
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.fields import Section
from votca_mlp.runs.reading import Run, read_run
from votca_mlp.targets.target import Target, density_target, number_target, write_target
from votca_mlp.units import ANGSTROM_PER_NM

if TYPE_CHECKING:
    from ase import Atoms

    from votca_mlp.engines.options import Crystal
    from votca_mlp.inverse.plan import InversePlan
    from votca_mlp.scattering.source import ScatteringSource
    from votca_mlp.update.rule import PairGrid


_SAID = (
    *("engine", "temperature", "ensemble", "pressure", "timestep", "first_equilibration", "equilibration"),
    *("production", "sample_every", "thermostat_time", "barostat_time", "seed"),
)
"""What of a plan is kept with the run."""


@dataclass(frozen=True)
class Rule:
    """An update rule of the registry with its options."""

    name: str
    options: Section
    run_options: Section | None = None


def rule(name: str, **options: Any) -> Rule:
    """Return an update rule by its name in the registry, with its options.

    Raises
    ------
    UserError
        An unknown rule or option, or a value that is not accepted.
    """
    from pydantic import ValidationError

    from votca_mlp.update.registry import rules

    if name not in rules():
        raise UserError(f"no rule '{name}'", where="rule", accepted=", ".join(rules()))
    section, whole = rules()[name].options, rules()[name].run_options
    of_run = {} if whole is None else {key: options.pop(key) for key in whole.model_fields if key in options}
    unknown = sorted(options.keys() - section.model_fields.keys())
    if unknown:
        known = ", ".join((*section.model_fields, *(whole.model_fields if whole is not None else ())))
        raise UserError(f"no option '{unknown[0]}' of rule {name}", where="rule", accepted=known)
    try:
        return Rule(name, section(**options), None if whole is None else whole(**of_run))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"{first['loc'][0]} is {first['input']!r}: {first['msg']}"
        raise UserError(what, where=f"rule {name}") from None


def wibi(alpha: float = 0.2, weight: str = "target", **options: Any) -> Rule:
    """Return weighted iterative Boltzmann inversion; see docs/theory.md.

    Parameters
    ----------
    alpha
        Learning rate; diverges near 2 / S_max^2, S_max the main peak of the structure factor.
    weight
        ``target`` (w = g_E), ``uniform`` (plain IBI), ``power`` with ``power=``, ``table`` with
        ``weight_file=``.

    Raises
    ------
    UserError
        A value that is not accepted.
    """
    return rule("wibi", alpha=alpha, weight=weight, **options)


def gauss_newton(**options: Any) -> Rule:
    """Return Gauss-Newton inversion, which fits all pairs and the density at once; see docs/theory.md.

    Parameters
    ----------
    options
        Tags of ``cg.inverse.gauss_newton`` (amplitude in eV, length and knots in Angstrom), and
        ``error``, the standard error of targets that have none of their own.

    Raises
    ------
    UserError
        An unknown option, or a value that is not accepted.
    """
    return rule("gauss_newton", **options)


def correct(
    model: Model,
    targets: Target | Sequence[Target],
    start: "Atoms | Crystal | str | Path",
    md: MDPlan,
    rule: Rule | None = None,
    iterations: int = 10,
    directory: str | Path | None = None,
    *,
    block_length: int | None = None,
    density: "float | tuple[float, float] | None" = None,
    pressure: "float | tuple[float, float] | None" = None,
    scattering: "Sequence[ScatteringSource]" = (),
) -> Correction:
    """Run the inverse method and return the correction that the last simulation ran with.

    The same loop as ``votca-mlp inverse``, and the same digits as a settings.xml that says the same.

    Parameters
    ----------
    model
        Of :func:`votca_mlp.load_model`.
    targets
        g(r) of one or several pairs of species, each on the evenly spaced grid that its u(r) is to have; of
        :func:`votca_mlp.no_target` where u(r) of a pair follows from other data.
    start
        A configuration, its file, or a crystal to melt; later iterations start where the last one ended.
    md
        Ensemble, temperature, lengths, sampling, seed.
    rule
        Such as :func:`wibi`, the default.
    iterations
        Number of simulations; the first has no correction.
    directory
        Kept; a run found there goes on. A temporary one by default.
    block_length
        Frames in a block for the errors of g(r); None: without errors.
    density
        Measured, kg/m^3, or that and its standard error: for the verdict, and for rules that fit it.
    pressure
        Likewise the pressure (bar) that a simulation at constant volume is to have.
    scattering
        Measured F(Q), for the rule ``gauss_newton``; with its option ``fit=False`` g(r) is not fitted.

    Raises
    ------
    UserError
        Input that does not fit, a simulation that has gone wrong, another run in the directory.
    """
    from votca_mlp.inverse.start import run_plan

    given = (targets,) if isinstance(targets, Target) else tuple(targets)
    chosen = rule or wibi()
    with working_directory(directory) as folder:
        plan = inverse_plan(
            model, given, start, md, chosen, iterations, folder, block_length, density, scattering, pressure
        )
        run_plan(plan, again=True)
        runs = {pair.grid.species: read_run(folder, pair.name) for pair in plan.pairs}
        kept = None if directory is None else folder
        held = md.pressure if md.ensemble == "npt" else None
        return correction_of_runs(runs, md.temperature, held, model.identity, kept)


def inverse_plan(
    model: Model,
    targets: Sequence[Target],
    start: "Atoms | Crystal | str | Path",
    md: MDPlan,
    rule: Rule,
    iterations: int,
    folder: Path,
    block_length: int | None,
    density: "float | tuple[float, float] | None" = None,
    scattering: "Sequence[ScatteringSource]" = (),
    pressure: "float | tuple[float, float] | None" = None,
) -> "InversePlan":
    """Return the plan of a run in a directory, with targets and start written there.

    Raises
    ------
    UserError
        As :func:`correct`.
    """
    from votca_mlp.inverse.pair_plan import PairPlan
    from votca_mlp.inverse.plan import InversePlan
    from votca_mlp.inverse.state_plan import Origin, StatePlan
    from votca_mlp.update.registry import rules

    grids = [grid_of(target) for target in targets]
    names = [grid.name for grid in grids]
    if not grids or len({frozenset(grid.species) for grid in grids}) < len(grids):
        what = "no target" if not grids else f"two targets for one pair: {', '.join(names)}"
        raise UserError(what, where="targets", accepted="one target for each pair of species")
    if iterations < 1:
        raise UserError(f"is {iterations}", where="iterations", accepted="a whole number > 0")
    if scattering:
        _check_scattering(scattering, rule, sorted({name for grid in grids for name in grid.species}))
    if rules()[rule.name].weighs_errors:
        _check_errors(targets)
    _check_targets(targets, rule, other_data=bool(scattering) or density is not None or pressure is not None)
    files = write_targets(targets, folder)
    pairs = tuple(
        PairPlan(grid, files.get(grid.name), rule.options, window=target.window)
        for grid, target in zip(grids, targets, strict=True)
    )
    plan = placed(
        md,
        start,
        folder,
        model,
        tables=[f"{name}.pot.cur" for name in names],
        r_max=max(grid.max for grid in grids) * ANGSTROM_PER_NM,
    )
    measured = _density(density)
    if scattering and measured is not None:
        _check_density(scattering, plan, float(measured.values[0]), targets)
    said = settings_of(model, plan, rule, {grid.name: grid.species for grid in grids})
    seen = {pair.name: asdict(pair.window) for pair in pairs if pair.window is not None}
    if seen:
        said["windows"] = seen
    if scattering:
        said["scattering"] = [{**asdict(item), "path": str(item.path)} for item in scattering]
    watched = {file.name: file for file in files.values()} | {item.name: item.path for item in scattering}
    origin = Origin(tags=said, watched=watched, settings={"python": said})
    state = StatePlan(
        md=replace(plan, directory=folder, frames_needed=1 if block_length is None else 2 * block_length),
        pairs=pairs,
        model=model.options,
        inputs=folder,
        block_length=block_length,
        filelist=plan.files,
        origin=origin,
        density=measured,
        pressure=_pressure(pressure, md),
        scattering=tuple(scattering),
    )
    return InversePlan(
        directory=folder,
        pairs=pairs,
        states=(state,),
        model=model.options,
        iterations_max=iterations,
        rule=rule.name,
        rule_options=rule.run_options,
        origin=origin,
    )


def _check_scattering(sources: "Sequence[ScatteringSource]", rule: Rule, symbols: Sequence[str]) -> None:
    from votca_mlp.scattering.read import check_composition, check_twice

    if rule.name != "gauss_newton":
        raise UserError(f"is not used by rule {rule.name}", where="scattering", accepted="rule gauss_newton")
    for source in sources:
        check_composition(source.data, symbols)
    check_twice([source.data for source in sources])


def _check_density(
    sources: "Sequence[ScatteringSource]",
    plan: MDPlan,
    density: float,
    targets: Sequence[Target],
) -> None:
    """Refuse data that contradict density and composition (UserError)."""
    from votca_mlp.engines.shared.start import read_configuration
    from votca_mlp.scattering.core import check_core, closest_distance, number_density

    closest = closest_distance(targets, None if plan.start is None else read_configuration(plan.start))
    counts = Counter(plan.symbols)
    total = sum(counts.values())
    fractions = {name: count / total for name, count in counts.items()}
    for source in sources:
        check_core(source.data, fractions, number_density(density, counts), closest)


def _check_targets(targets: Sequence[Target], rule: Rule, *, other_data: bool) -> None:
    """Refuse a pair without a g(r) for a rule that fits nothing else, and a run without data (UserError)."""
    without = ["-".join(target.species) for target in targets if not target.known]
    if without and rule.name != "gauss_newton":
        what = f"no g(r) of {', '.join(without)}, which rule {rule.name} fits"
        raise UserError(what, where="targets", accepted="read_target, rdf_target, or rule gauss_newton")
    fitted = getattr(rule.options, "fit", True) and len(without) < len(targets)
    if rule.name == "gauss_newton" and not fitted and not other_data:
        what = "there is nothing to fit: no g(r) is fitted, and there are no other data"
        raise UserError(what, where="targets", accepted="scattering=, density=, or a g(r) with fit=True")


def _check_errors(targets: Sequence[Target]) -> None:
    """Refuse an error of 0 among others (UserError)."""
    from votca_mlp.targets.plausible import zero_error

    for target in targets:
        doubt = None if target.errors is None else zero_error(target.x, target.values, target.errors)
        if doubt is not None:
            raise UserError(
                f"{'-'.join(target.species)} {doubt.what}", where="targets", accepted=doubt.accepted
            )


def _density(given: "float | tuple[float, float] | None") -> Target | None:
    if given is None:
        return None
    value, sigma = given if isinstance(given, tuple) else (given, None)
    if not value > 0 or (sigma is not None and not 0 < sigma < value):
        what = f"is {value:g}" if sigma is None else f"is {value:g} with a standard error of {sigma:g}"
        raise UserError(what, where="density", accepted="kg/m^3 > 0, with a standard error > 0 below it")
    return density_target(value, sigma, source="density")


def _pressure(given: "float | tuple[float, float] | None", md: MDPlan) -> Target | None:
    if given is None:
        return None
    value, sigma = given if isinstance(given, tuple) else (given, None)
    if md.ensemble == "npt":
        what = "is given, but the barostat holds the pressure of an npt run"
        raise UserError(what, where="pressure", accepted='density=, or MDPlan(ensemble="nvt")')
    if not np.isfinite(value) or (sigma is not None and not 0 < sigma < np.inf):
        what = f"is {value:g}" if sigma is None else f"is {value:g} with a standard error of {sigma:g}"
        raise UserError(what, where="pressure", accepted="bar, with a standard error > 0")
    return number_target("pressure", value, sigma, source="pressure")


def settings_of(
    model: Model, md: MDPlan, rule: Rule, species: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """Return what a run was asked for as plain data: a change is told of, and :mod:`.runs` reads it."""
    plan = {name: getattr(md, name) for name in _SAID}
    return {
        "interactions": {name: list(pair) for name, pair in species.items()},
        "model": model.identity,
        "md": plan,
        "rule": {rule.name: said_of_rule(rule)},
    }


def said_of_rule(rule: Rule) -> dict[str, Any]:
    """Return a rule's options as plain data, those of the run with those of the pairs."""
    of_run = {} if rule.run_options is None else rule.run_options.model_dump(mode="json")
    return {**rule.options.model_dump(mode="json"), **of_run}


def correction_of_runs(
    runs: dict[Species, Run],
    temperature: float,
    pressure: float | None,
    model: str,
    directory: Path | None,
) -> Correction:
    """Return the correction of a finished run: the tables that its last measured step ran with.

    Raises
    ------
    UserError
        No step has a g(r) yet.
    """
    tables, updated, iterations = {}, {}, 0
    for species, run in runs.items():
        if not run.measured or run.measured[-1].before is None:
            raise UserError(
                "no step has a g(r) yet", where=run.directory, accepted="a run with one iteration"
            )
        last = run.measured[-1]
        assert last.before is not None
        tables[species], iterations = last.before, last.number
        if last.after is not None:
            updated[species] = last.after
    return Correction(
        tables, temperature, pressure, model, iterations, updated, tuple(runs.values()), directory
    )


def grid_of(target: Target) -> "PairGrid":
    """Return the grid of an interaction (nm): that of its target.

    Raises
    ------
    UserError
        A target that is no g(r), or not evenly spaced.
    """
    from votca_mlp.update.rule import PairGrid

    name = "-".join(target.species)
    if target.observable != "rdf" or len(target.species) != 2:
        raise UserError(f"is {target.observable}", where=f"target {name}", accepted="rdf of two species")
    x = target.x / ANGSTROM_PER_NM
    step = (x[-1] - x[0]) / (len(x) - 1)
    if np.abs(np.diff(x) - step).max() > 1e-4 * step:
        raise UserError(
            "the grid is not evenly spaced",
            where=f"target {name}",
            accepted="read_target(..., grid=(first, last, spacing))",
        )
    first, last, spacing = (round(float(value), 12) for value in (x[0], x[-1], step))
    return PairGrid(name, (target.species[0], target.species[1]), first, last, spacing)


def write_targets(targets: Sequence[Target], folder: Path) -> dict[str, Path]:
    """Write NAME.dist.tgt of each target that was measured and return the files by name."""
    files = {}
    for target in targets:
        if not target.known:
            continue
        name = "-".join(target.species)
        files[name] = folder / f"{name}.dist.tgt"
        write_target(files[name], target)
    return files
