"""What is checked of the model and the start configuration before the first step."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from votca_mlp.errors import UserError
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.molecules import said_of_molecules
from votca_mlp.inverse.potentials import initial_potential
from votca_mlp.inverse.state_plan import StatePlan

if TYPE_CHECKING:
    from votca_mlp.evaluation.contract import Evaluator
    from votca_mlp.potentials.correction import PairCorrection

_TIMED = 5
_SHORT, _ENOUGH = 0.2, 2.0
"""Seconds of timed evaluations: at least, and what ends them however few they are."""


def check_start_and_model(context: Context) -> str:
    """Check topology and start configuration of a state and evaluate the start once, with the first u(r).

    Returns
    -------
    A line about the system.

    Raises
    ------
    UserError
        What does not fit, or a model that cannot be loaded or does not know an element.
    """
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.evaluation.load import evaluator_of

    state, md = context.state, context.state.md
    _check_density(state, context.step_directory(1))
    made: list[Evaluator] = []

    def evaluator() -> "Evaluator":
        made.append(evaluator_of(context.model, state.model, _first_correction(context), md.skin))
        return made[-1]

    line = engine_named(md.engine).check(md, evaluator, context.step_directory(1))
    if made and not made[-1].gives_stress:
        _refuse_unknown_pressure(context)
    said = said_of_molecules(md, [pair.grid for pair in state.pairs], context.step_directory(1))
    return "; ".join(words for words in (line, said, _without_sigma(state)) if words)


def _without_sigma(state: StatePlan) -> str:
    """Return what is to be said of F(Q) without errors, empty where there is none."""
    names = [source.name for source in state.scattering if source.data.errors is None]
    if not names:
        return ""
    return (
        f"{', '.join(names)}: no sigma, so that what no u(r) meets counts as errors, and chi2 does not "
        "compare simulations: R does"
    )


def _first_correction(context: Context) -> "PairCorrection | None":
    """Return the u(r) of the first simulation, None where no pot.in is given.

    A u(r; T) of several terms is left out: each is known, their sum belongs to a state of a step.
    """
    from votca_mlp.potentials.correction import correction_of_tables

    plan, tables, any_given = context.plan, {}, False
    for pair in context.state.pairs:
        if len(plan.tables(pair.name)) > 1:
            return None
        table, given = initial_potential(pair.grid, plan.directory)
        tables[pair.grid.species] = (table, plan.directory / f"{pair.name}.pot.in")
        any_given = any_given or given
    return correction_of_tables(tables) if any_given else None


def _refuse_unknown_pressure(context: Context) -> None:
    """Refuse what goes by the pressure where the calculator has no stress, or one that is not used."""
    state = context.state
    wanted = {
        "cg.inverse.target_pressure": state.pressure is not None,
        "cg.inverse.phase.pressure": state.pressure_limit is not None,
    }
    for pair in state.pairs:
        wanted[f"cg.non-bonded[{pair.name}].inverse.post_update"] = pair.pressure is not None
    for tag in (tag for tag, there in wanted.items() if there):
        raise UserError(
            "needs the pressure, and the calculator has no stress, or none that matches its energy",
            where=context.plan.where(tag),
            accepted="a stress in eV/Angstrom^3, dE/dstrain by the volume, tension positive (votca-mlp "
            "validate compares its components), or a run without this tag",
        )


def _check_density(state: StatePlan, first: Path) -> None:
    """Refuse a pressure that is wanted at a measured density where the box, which stays, has another one."""
    if state.pressure is None or state.density is None or (state.md.start or state.md.crystal) is None:
        # a LAMMPS script reads its own start
        return
    from votca_mlp.engines.shared.start import load_start
    from votca_mlp.observables.density import density

    start = load_start(state.md, first)
    found = density(float(start.atoms.get_masses().sum()), float(start.atoms.get_volume()))
    measured = float(state.density.values[0])
    sigma = 0.0 if state.density.errors is None else float(state.density.errors[0])
    if abs(found - measured) > max(state.drift_limit * measured, 3.0 * sigma):
        raise UserError(
            f"has {found:.5g} kg/m3 and keeps its volume, but <target_density> is {measured:.5g}: "
            "<target_pressure> belongs to one of them",
            where=start.source,
            accepted="a start of the measured density, or one of the two targets alone",
        )


def cost_line(context: Context, iterations: int) -> str | None:
    """Return what an MD step and the run cost here, from a few evaluations of the start.

    None with an engine that only knows its number of steps from its own input.

    Raises
    ------
    UserError
        As :func:`check_start_and_model`.
    """
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.engines.shared.start import load_start
    from votca_mlp.evaluation.load import evaluator_of
    from votca_mlp.processes import in_words

    state, md = context.state, context.state.md
    steps = engine_named(md.engine).md_steps(md)
    if steps is None:
        return None
    evaluator = evaluator_of(context.model, state.model, None, md.skin)
    atoms = load_start(md, context.step_directory(1)).atoms
    # the first ones compile, and build the lists
    evaluator.evaluate(atoms)
    found: list[float] = []
    begin = time.perf_counter()
    while (len(found) < _TIMED or sum(found) < _SHORT) and time.perf_counter() - begin < _ENOUGH:
        atoms.positions += 1e-4
        before = time.perf_counter()
        evaluator.evaluate(atoms)
        found.append(time.perf_counter() - before)
    # the fastest: what else this machine does, and torch's second and third call, are not the model's
    each = min(found)
    first, later = steps
    total = first + (iterations - 1) * later
    times = [in_words(each * count) for count in (first, later, total)]
    return (
        f"forces take about {each * 1000:.2g} ms on this machine: at least {times[0]} of MD for step_001, "
        f"{times[1]} for a later one, {times[2]} for {iterations} together"
    )
