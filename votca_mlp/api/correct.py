"""From a model and measured curves to a correction: the loop, without XML."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from votca_mlp.api.checks import (
    check_density,
    check_errors,
    check_frames,
    check_kind,
    check_scattering,
    check_species,
    check_targets,
)
from votca_mlp.api.correction import Correction, Species
from votca_mlp.api.model import Model
from votca_mlp.api.rules import Rule, said_of_rule, wibi
from votca_mlp.api.simulate import placed, working_directory
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
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
    check_kind(model, Model, "model", "votca_mlp.load_model(...)")
    check_kind(md, MDPlan, "md", "votca_mlp.MDPlan(temperature=...)")
    check_kind(chosen, Rule, "rule", "votca_mlp.wibi(), votca_mlp.gauss_newton() or votca_mlp.rule(...)")
    for target in given:
        check_kind(target, Target, "targets", "votca_mlp.read_target(...), rdf_target or no_target")
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
        check_scattering(scattering, rule, sorted({name for grid in grids for name in grid.species}))
    if rules()[rule.name].weighs_errors:
        check_errors(targets)
    check_targets(targets, rule, other_data=bool(scattering) or density is not None or pressure is not None)
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
    check_species(targets, plan.symbols)
    check_frames(plan, block_length)
    measured = _density(density)
    if scattering and measured is not None:
        check_density(scattering, plan, float(measured.values[0]), targets)
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
