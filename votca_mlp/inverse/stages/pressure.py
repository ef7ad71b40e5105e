"""The post_update task ``pressure``: towards a pressure at constant volume, a density at constant pressure.

VOTCA's formulas (:mod:`votca_mlp.inverse.tables.pressure`) take a difference of pressures. With a barostat
it is what the barostat would have to be changed by for the measured density:

    dp = (rho* - rho)/(rho kappa_T),    kappa_T = var(V)/(kBT <V>)

Of several states each asks for its own A; that of u(r), or those of the terms of u(r; T), are their weighted
least-squares fit, as with wIBI.
"""

from pathlib import Path

import numpy as np

from votca_mlp.engines.engine import engine_named
from votca_mlp.errors import UserError
from votca_mlp.inverse.pair_plan import PressureTask, cycle
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.inverse.tables import operations as ops
from votca_mlp.inverse.tables.pressure import pressure_correction, simple_prefactor, wjk_prefactor
from votca_mlp.observables.step import StepObservables
from votca_mlp.observables.store import read_observables
from votca_mlp.tables import Table, read_table, write_table
from votca_mlp.units import ANGSTROM_PER_NM, BAR_PER_EV_PER_ANGSTROM3, EV_PER_KJMOL
from votca_mlp.update.rule import PairGrid
from votca_mlp.update.states import shared_update


def with_pressure(
    plan: InversePlan, number: int, stem: str, update: Table, directory: Path
) -> tuple[Table, list[str]]:
    """Return the update of a table with the pressure corrected, and lines for the user.

    The correction itself is written beside, ``STEM.pressure_correction``, as VOTCA does.

    Parameters
    ----------
    number
        Of the step, from 1.
    stem
        The interaction's name, or that of a term.
    update
        So far (nm, kJ/mol).
    directory
        The step's.

    Raises
    ------
    UserError
        A simulation whose pressure or volume is not known; missing or damaged values by frame.
    """
    pair = next(pair for pair in plan.pairs if stem in plan.tables(pair.name))
    found, weights, factors, lines = [], [], [], []
    for state in plan.states:
        own = state.pair(pair.name)
        if own is None or own.pressure is None or not cycle(own.pressure.do, number):
            continue
        prefactor, said = _prefactor(state, own.grid, own.pressure, directory / state.name)
        found.append(prefactor)
        weights.append(state.weight)
        factors.append(plan.basis.values(state.temperature))
        lines.append(f"{state.name + ', ' if state.name else ''}{pair.name}: {said}")
    if not found:
        return update, []
    asked = np.array(found)[:, None]
    shared = shared_update(asked, np.ones(asked.shape, bool), np.array(weights), np.stack(factors))
    term = plan.tables(pair.name).index(stem)
    correction = pressure_correction(
        pair.grid.points, float(shared.terms[term, 0]), f"pressure correction, A = {shared.terms[term, 0]:g}"
    )
    write_table(directory / f"{stem}.pressure_correction", correction)
    # one line a state, not one a term
    return ops.add(update, correction), lines if term == 0 else []


def _prefactor(state: StatePlan, pair: PairGrid, task: PressureTask, folder: Path) -> tuple[float, str]:
    """Return the A that a state asks for, kJ/mol, and why in words."""
    frames = read_observables(folder)
    difference, said = _difference(state, task, frames, folder)
    how = {"kBT": state.kBT, "scale": task.scale, "max_A": task.max_A}
    if task.type == "simple":
        prefactor = simple_prefactor(difference, **how)
    else:
        g = read_table(folder / f"{pair.name}.dist.new")
        density = task.particle_density or _pair_density(frames, pair)
        prefactor = wjk_prefactor(difference, g, density=density, **how)
    return prefactor, f"{said}, pressure correction A = {prefactor:.4g} kJ/mol"


def _difference(
    state: StatePlan, task: PressureTask, frames: StepObservables, folder: Path
) -> tuple[float, str]:
    """Return dp in bar, and what it comes from."""
    volumes = frames.series["volume"].values
    if np.ptp(volumes) > 1e-9 * volumes[0]:
        if state.density is None:
            raise UserError(
                "the volume moves, and a barostat holds the pressure",
                where=folder,
                accepted="<target_density> for the pressure correction, or constant volume",
            )
        density, wanted = float(frames.series["density"].mean()), float(state.density.values[0])
        compressibility = float(volumes.var()) / (state.kBT * EV_PER_KJMOL * float(volumes.mean()))
        difference = (wanted - density) / (density * compressibility) * BAR_PER_EV_PER_ANGSTROM3
        return difference, f"density {density:.6g} kg/m3, wanted {wanted:.6g}, or {difference:+.4g} bar"
    target = task.target
    if target is None and state.pressure is not None:
        target = float(state.pressure.values[0])
    if target is None:
        raise UserError(
            "the volume is held, so that the density is",
            where=folder,
            accepted="<target_pressure> for the pressure correction, or a barostat",
        )
    pressure = engine_named(state.md.engine).mean_pressure(state.md, folder)
    if pressure is None:
        raise UserError("the simulation has no pressure", where=folder, accepted="an engine that records it")
    return pressure - target, f"pressure {pressure:.6g} bar, wanted {target:.6g}"


def _pair_density(frames: StepObservables, pair: PairGrid) -> float:
    """Return rho (1/nm^3) with rho^2/2 pairs in a volume: of one species its density."""
    counted = frames.histogram(pair.species)
    volume = float(counted.volumes.mean()) / ANGSTROM_PER_NM**3
    # 2/N^2 of one species, 1/(N_a N_b) of two
    return float(np.sqrt(2.0 / counted.norms[counted.row(pair.species)])) / volume
