"""The checks at the end of a run: what g(r) does not say, with the correction and without it.

``checks.json`` in the main directory has the results, ``checks/`` the simulations of diffusion. Nothing of it
is fitted to. Interrupted anywhere, the checks go on; a result that is there for the same step stays.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.result import production_mean, read_facts
from votca_mlp.engines.shared.resume import is_finished
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.files import atomic_write, read_json
from votca_mlp.inverse.context import Context, state_contexts
from votca_mlp.inverse.potentials import current_correction
from votca_mlp.observables.angles import Array, first_minimum, surroundings, surroundings_by_kind
from votca_mlp.runs.left_over import CHECKS
from votca_mlp.runs.record import digest
from votca_mlp.settings.final_checks import FinalChecks
from votca_mlp.tables import read_table
from votca_mlp.units import ANGSTROM_PER_NM

if TYPE_CHECKING:
    from ase import Atoms

NAME = "checks.json"
BEFORE, AFTER = "uncorrected", "corrected"
START = "start.extxyz"


def run_checks(run: Context, last: int) -> bool:
    """Make the checks that a run asks for after its last step; return False when the wall time came first.

    Raises
    ------
    UserError
        A simulation that has gone wrong, a trajectory that cannot be read.
    """
    wanted = run.plan.checks
    if wanted is None or not wanted.observables or last < 1:
        return True
    results = read_checks(run.plan.directory)
    for context in state_contexts(run):
        found = results.setdefault(context.name, {})
        for label, number in ((BEFORE, 1), (AFTER, last)):
            identity = _identity(context, wanted, number)
            if found.get(label, {}).get("identity") == identity:
                continue
            of = f" of {context.name}" if context.name else ""
            run.messages.say(f"Checks{of}: {label}, step {number}")
            facts = _measured(context, wanted, label, number)
            if facts is None:
                return False
            found[label] = {"step": number, "identity": identity, **facts}
            _write(run.plan.directory, results)
            for line in lines_of(facts):
                run.messages.say(f"  {line}")
    return True


def read_checks(directory: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the results by state (empty with one) and ``uncorrected`` or ``corrected``; empty without."""
    try:
        found = read_json(directory / NAME)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def estimate_of(facts: Mapping[str, Any], name: str) -> Estimate | None:
    """Return a result that is one number; None where it is not there."""
    entry = facts.get(name)
    if not isinstance(entry, dict) or not isinstance(entry.get("mean"), int | float):
        return None
    return Estimate(entry["mean"], np.nan if entry.get("error") is None else entry["error"])


def lines_of(facts: Mapping[str, Any]) -> list[str]:
    """Return the results in words."""
    words = {
        "diffusion": "diffusion {:.3g} +- {:.1g} m2/s",
        "diffusion_infinite": "diffusion in an infinite box {:.3g} +- {:.1g} m2/s",
        "density": "density {:.1f} +- {:.1g} kg/m3",
        "coordination": "{:.2f} +- {:.1g} neighbours",
    }
    lines = []
    for name, form in words.items():
        found = estimate_of(facts, name)
        if found is not None:
            lines.append(form.format(found.mean, found.error))
    return [*lines, *facts.get("notes", [])]


def _identity(context: Context, wanted: FinalChecks, number: int) -> str:
    """Return what a result belongs to: the options, the model, the step's tables and last configuration."""
    step, state = context.step_directory(number), context.state
    names = [*(f"{pair.name}.pot.cur" for pair in state.pairs), state.md.conf_out]
    sums = [digest(step / name)[1] for name in names if (step / name).is_file()]
    # options that are not given do not change the results of earlier versions
    options = {k: v for k, v in wanted.model_dump(mode="json").items() if k != "viscosity" or v is not None}
    facts = [options, context.model_identity, sums]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _measured(context: Context, wanted: FinalChecks, label: str, number: int) -> dict[str, Any] | None:
    """Return the results of one of both; None when the wall time came."""
    step = context.step_directory(number)
    notes: list[str] = []
    facts: dict[str, Any] = {"notes": notes}
    # a run that began with a table has no step of the model alone
    simulated = label == AFTER or not any(
        np.any(read_table(step / f"{pair.name}.pot.cur").y) for pair in context.state.pairs
    )
    if not simulated:
        notes.append("step 1 had a correction already: of the model alone only the diffusion is known")
    if "density" in wanted.observables and simulated:
        density = production_mean(read_facts(step), "density[kg/m3]")
        if density is not None:
            facts["density"] = _plain(density)
    if {"angles", "coordination"} & set(wanted.observables) and simulated:
        facts |= _surroundings(context, wanted, step, notes)
    if "diffusion" in wanted.observables:
        diffusion = _diffusion(context, wanted, label, number)
        if diffusion is None:
            return None
        facts["diffusion"] = _plain(diffusion)
        if wanted.viscosity is not None:
            infinite = _infinite(context, wanted, step, diffusion)
            facts |= {} if infinite is None else {"diffusion_infinite": _plain(infinite)}
            notes += ["the box is not cubic: no diffusion in an infinite one"] if infinite is None else []
    return facts


def _surroundings(context: Context, wanted: FinalChecks, step: Path, notes: list[str]) -> dict[str, Any]:
    from votca_mlp.engines.engine import engine_named

    md = context.state.md
    if not (step / md.traj).is_file():
        notes.append(f"no angles: {md.traj} of {step.name} is not there any more")
        return {}
    reach = wanted.reach
    if reach is None:
        target = context.state.pairs[0].target_on_grid()
        reach = first_minimum(target.x * ANGSTROM_PER_NM, target.y)
    found = surroundings(engine_named(md.engine).frames(md, step), reach)
    facts: dict[str, Any] = {"reach": reach}
    if "coordination" in wanted.observables:
        facts["coordination"] = _plain(found.coordination)
    if "angles" in wanted.observables:
        facts["angles"] = _plain_angles(found.angles, found.density, found.error)
    if len(set(md.symbols)) > 1:
        facts["by_species"] = _by_species(context, wanted, step)
    return facts


def _by_species(context: Context, wanted: FinalChecks, step: Path) -> dict[str, Any]:
    """Return distances, neighbours and angles of each kind; the distance of each pair is its own."""
    from votca_mlp.engines.engine import engine_named

    md, reaches = context.state.md, {}
    for pair in context.state.pairs:
        target = pair.target_on_grid()
        first, second = sorted(pair.grid.species)
        reaches[first, second] = wanted.reach or first_minimum(target.x * ANGSTROM_PER_NM, target.y)
    found = surroundings_by_kind(engine_named(md.engine).frames(md, step), reaches)
    facts: dict[str, Any] = {"reach": {"-".join(pair): reach for pair, reach in reaches.items()}}
    if "coordination" in wanted.observables:
        facts["coordination"] = {"-".join(key): _plain(value) for key, value in found.coordination.items()}
    if "angles" in wanted.observables:
        facts["angles"] = {
            "-".join(key): _plain_angles(found.angles, *curve) for key, curve in found.densities.items()
        }
    return facts


def _plain_angles(angles: Array, density: Array, error: Array) -> dict[str, Any]:
    return {
        "degrees": angles.tolist(),
        "density": [float(f"{value:.6g}") for value in density],
        "error": [None if np.isnan(value) else float(f"{value:.3g}") for value in error],
    }


def _diffusion(context: Context, wanted: FinalChecks, label: str, number: int) -> Estimate | None:
    """Return the diffusion coefficient from our own MD at the mean density of a step; None: wall time."""
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.evaluation.load import evaluator_of
    from votca_mlp.observables.diffusion import self_diffusion

    step = context.step_directory(number)
    identity = _identity(context, wanted, number)
    # of what another step, table or model has left nothing is taken
    folder = context.plan.directory / CHECKS / context.name / f"{label}_{identity}"
    plan = _plan(context, wanted, folder)
    engine = engine_named(plan.engine)
    if not is_finished(folder, plan):
        _write_start(context, step, folder)
        correction = None
        if label == AFTER:
            correction = current_correction([pair.grid for pair in context.state.pairs], step)
        evaluator = evaluator_of(context.model, context.state.model, correction, plan.skin)
        evaluator.forget()
        left = context.time_left()
        result = engine.run_step(
            plan,
            evaluator,
            step_directory=folder,
            step_number=1,
            progress=context.messages.progress(f"diffusion, {label}"),
            deadline=None if left is None else time.time() + left,
            max_steps=context.max_steps,
            identity=identity,
        )
        if result.status != "finished":
            return None
    frames = engine.frames(plan, folder)
    return self_diffusion(frames, wanted.sample_every, pieces=wanted.trajectories, fit_from=wanted.fit_from)


def _infinite(context: Context, wanted: FinalChecks, step: Path, found: Estimate) -> Estimate | None:
    """Return the diffusion coefficient without the box's periodic images; None in a box that is not cubic."""
    from votca_mlp.engines.shared.start import read_configuration
    from votca_mlp.observables.diffusion import infinite_box

    edges = read_configuration(step / context.state.md.conf_out).cell.lengths()
    volume = production_mean(read_facts(step), "volume[A3]")
    if np.ptp(edges) > 1e-4 * edges.max():
        return None
    edge = float(edges[0] if volume is None else np.cbrt(volume.mean))
    assert wanted.viscosity is not None
    return infinite_box(found, context.state.temperature, wanted.viscosity, edge)


def _plan(context: Context, wanted: FinalChecks, folder: Path) -> MDPlan:
    state, md = context.state, context.state.md
    return MDPlan(
        temperature=state.temperature,
        engine="ase",
        ensemble="nvt",
        timestep=wanted.timestep,
        first_equilibration=wanted.equilibration,
        production=wanted.trajectories * wanted.length,
        sample_every=wanted.sample_every,
        thermostat_time=md.thermostat_time,
        seed=md.seed if md.seed is not None else 1,
        limits=md.limits,
        start=folder / START,
        symbols=md.symbols,
        topology=md.topology,
        r_max=md.r_max,
        model=state.model,
        model_directory=context.plan.directory,
        directory=folder,
    )


def _write_start(context: Context, step: Path, folder: Path) -> None:
    """Write the last configuration of a step, scaled to the mean volume of its production."""
    import ase.io

    from votca_mlp.engines.shared.start import read_configuration

    if (folder / START).is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    atoms: Atoms = read_configuration(step / context.state.md.conf_out)
    volume = production_mean(read_facts(step), "volume[A3]")
    if volume is not None:
        scale = (volume.mean / atoms.get_volume()) ** (1.0 / 3.0)
        atoms.set_cell(atoms.cell.array * scale, scale_atoms=True)
    if context.state.md.symbols:
        atoms.set_chemical_symbols(list(context.state.md.symbols))
    with atomic_write(folder / START) as file:
        ase.io.write(file, atoms, format="extxyz", columns=["symbols", "positions"], write_results=False)


def _plain(found: Estimate) -> dict[str, float | None]:
    return {name: float(value) if np.isfinite(value) else None for name, value in asdict(found).items()}


def _write(directory: Path, results: Mapping[str, Any]) -> None:
    with atomic_write(directory / NAME) as file:
        json.dump(results, file, indent=1, allow_nan=False)
        file.write("\n")
