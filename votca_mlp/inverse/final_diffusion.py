"""Of the checks at the end: the simulation of diffusion at constant volume, and D without periodic images."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.result import production_mean, read_facts
from votca_mlp.engines.shared.resume import is_finished
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.files import atomic_write
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.potentials import current_correction
from votca_mlp.runs.left_over import CHECKS
from votca_mlp.settings.final_checks import FinalChecks

if TYPE_CHECKING:
    from ase import Atoms

START = "start.extxyz"


def simulated_diffusion(
    context: Context, wanted: FinalChecks, step: Path, label: str, identity: str, *, corrected: bool
) -> Estimate | None:
    """Return the diffusion coefficient from our own MD at the mean density of a step; None: wall time.

    Parameters
    ----------
    step
        Whose last configuration, volume and u(r) are taken; this where it is ``corrected``.
    label, identity
        Name the simulation's folder.

    Raises
    ------
    UserError
        A simulation that has gone wrong.
    """
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.evaluation.load import evaluator_of
    from votca_mlp.observables.diffusion import self_diffusion

    # of what another step, table or model has left nothing is taken
    folder = context.plan.directory / CHECKS / context.name / f"{label}_{identity}"
    plan = _plan(context, wanted, folder)
    engine = engine_named(plan.engine)
    if not is_finished(folder, plan):
        _write_start(context, step, folder)
        correction = None
        if corrected:
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


def without_images(context: Context, wanted: FinalChecks, step: Path, found: Estimate) -> Estimate | None:
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
