"""What g(r) and density a potential would have, from the simulations that a run has made: no MD, no model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.shared.result import read_facts
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.ensemble.mbar import pool_of
from votca_mlp.ensemble.weights import effective_sample_size
from votca_mlp.errors import UserError
from votca_mlp.inverse.pair_plan import PairPlan
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.potentials import check_grid
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.observables.step import StepObservables
from votca_mlp.observables.store import NAME, read_observables
from votca_mlp.tables import Table, make_table, read_table
from votca_mlp.targets.window import empty_core, tail_seen, window_matrix
from votca_mlp.units import ANGSTROM_PER_NM
from votca_mlp.update.gauss_newton.response import rdf_factor

Array = NDArray[np.float64]

BLOCKS = 5
"""Parts of each simulation; the errors are from leaving out one part at a time."""


@dataclass(frozen=True)
class Prediction:
    """What one state would have.

    Attributes
    ----------
    state
        Its name, empty for the only one.
    rdfs
        g(r) with errors by interaction (nm).
    density
        kg/m^3.
    samples
        How many equally weighted frames it is worth, of ``frames``; below some tens it is a guess.
    frames
        Of all simulations together.
    """

    state: str
    rdfs: Mapping[str, Table]
    density: Estimate
    samples: float
    frames: int


def predict(
    plan: InversePlan, potentials: Mapping[str, Table], steps: Sequence[int] | None = None
) -> list[Prediction]:
    """Return what each state would have with other potentials.

    Parameters
    ----------
    potentials
        u(r) (nm, kJ/mol) by interaction, of u(r; T) with several terms each u_k by its table's name (NAME,
        NAME.term1, ...); the others are those of the last step.
    steps
        Numbers of the steps that are used; default: all that have values by frame.

    Raises
    ------
    UserError
        No such step; a table on another grid; steps of another model, temperature or number of atoms.
    """
    return [_of_state(plan, state, potentials, steps) for state in plan.states]


def _of_state(
    plan: InversePlan, state: StatePlan, potentials: Mapping[str, Table], steps: Sequence[int] | None
) -> Prediction:
    numbers = [n for n in _steps(plan) if (plan.step_directory(n) / state.name / NAME).is_file()]
    missing = sorted(set(steps or ()) - set(numbers))
    if missing or not numbers:
        what = f"step {missing[0]} has no values by frame" if missing else "no step has values by frame"
        known = ", ".join(map(str, numbers)) or f"a run whose steps have {NAME}"
        raise UserError(what, where=plan.directory, accepted=known)
    numbers = [n for n in numbers if steps is None or n in steps]
    _check_alike(plan, state, numbers)
    runs = [read_observables(plan.step_directory(n) / state.name) for n in numbers]
    _check_atoms(plan, state, numbers, runs)
    tables = [_potentials(plan, state, n) for n in numbers]
    of_last = tables[-1].items()
    asked = {name: _asked(plan, state, potentials, name, numbers[-1]) or table for name, table in of_last}
    energies = np.stack([_energies(state, runs, table) for table in tables])
    counts = [run.n_frames for run in runs]
    pool = pool_of(energies, counts)
    weights = pool.weights(_energies(state, runs, asked))
    drop = _parts(counts)
    density = np.concatenate([run.series["density"].values for run in runs])
    rdfs = {pair.name: _rdf(state, pair, runs, weights, drop) for pair in state.pairs}
    return Prediction(
        state.name, rdfs, _estimate(density, weights, drop), effective_sample_size(weights), len(weights)
    )


def _steps(plan: InversePlan) -> list[int]:
    from votca_mlp.runs.reading import step_directories

    return [number for number, _ in step_directories(plan.directory) if number > 0]


def _check_alike(plan: InversePlan, state: StatePlan, numbers: Sequence[int]) -> None:
    """Refuse steps whose simulations were of another ensemble than the last one's."""
    known: dict[str, object] = {}
    for number in reversed(numbers):
        here = _simulated(plan.step_directory(number) / state.name)
        known = known or here
        other = next((key for key in known if key in here and here[key] != known[key]), None)
        if other is not None:
            raise UserError(
                f"{other} was {here[other]} in step {number}, and {known[other]} later",
                where=plan.step_directory(number),
                accepted="--steps that were made alike",
            )


def _simulated(folder: Path) -> dict[str, object]:
    """Return model, ensemble, temperature and pressure of a simulation, as the engine has noted them."""
    inputs = read_facts(folder).get("inputs") or {}
    names = ("model", "ensemble", "temperature", "pressure")
    return {name: inputs[name] for name in names if name in inputs}


def _check_atoms(
    plan: InversePlan, state: StatePlan, numbers: Sequence[int], runs: Sequence[StepObservables]
) -> None:
    for number, run in zip(numbers, runs, strict=True):
        for pair in state.pairs:
            last, own = (item.histogram(pair.grid.species) for item in (runs[-1], run))
            if own.r.shape != last.r.shape or not np.allclose(own.norms, last.norms):
                raise UserError(
                    "has other atoms, or another grid, than the last step",
                    where=plan.step_directory(number),
                    accepted="--steps that were made alike",
                )


def _potentials(plan: InversePlan, state: StatePlan, number: int) -> dict[str, Table]:
    folder = plan.step_directory(number) / state.name
    tables = {pair.name: read_table(folder / f"{pair.name}.pot.cur") for pair in state.pairs}
    for pair in state.pairs:
        check_grid(tables[pair.name], pair.grid.points, where=folder / f"{pair.name}.pot.cur")
    return tables


def _asked(
    plan: InversePlan, state: StatePlan, given: Mapping[str, Table], name: str, last: int
) -> Table | None:
    """Return the u(r) asked for in a state, of terms their sum at its temperature; None where none is."""
    stems = plan.tables(name)
    if len(stems) == 1 or not given.keys() & set(stems):
        return given.get(name)
    step = plan.step_directory(last)
    terms = [given.get(stem) or read_table(step / f"{stem}.pot.cur") for stem in stems]
    for stem, table in zip(stems, terms, strict=True):
        check_grid(table, plan.pair(name).grid.points, where=stem)
    return terms[0].with_y(plan.basis.values(state.temperature) @ np.stack([table.y for table in terms]))


def _energies(state: StatePlan, runs: Sequence[StepObservables], tables: Mapping[str, Table]) -> Array:
    """Return u / kB T of every frame: pairs at the centre of their bin."""
    found = []
    for run in runs:
        total = np.zeros(run.n_frames)
        for pair in state.pairs:
            counted = run.histogram(pair.grid.species)
            total += counted.counts[:, counted.row(pair.grid.species)] @ tables[pair.name].y
        found.append(total / state.kBT)
    return np.concatenate(found)


def _parts(counts: Sequence[int]) -> NDArray[np.int64]:
    """Return the part that each frame is in: the same number in all simulations is left out together."""
    return np.concatenate([np.arange(count) * BLOCKS // count for count in counts])


def _left_out(weights: Array, drop: NDArray[np.int64]) -> list[Array]:
    found = []
    for part in range(BLOCKS):
        kept = np.where(drop == part, 0.0, weights)
        if kept.sum() > 0:
            found.append(kept / kept.sum())
    return found


def _spread(values: Array) -> Array:
    """Return the jackknife's standard error of values that each leave out a part, shape of one."""
    count = len(values)
    return np.asarray(np.sqrt((count - 1) / count * ((values - values.mean(axis=0)) ** 2).sum(axis=0)))


def _estimate(values: Array, weights: Array, drop: NDArray[np.int64]) -> Estimate:
    # what does not move has no rounding for an error
    moved = values - values[0]
    each = np.array([item @ moved for item in _left_out(weights, drop)])
    return Estimate(float(values[0] + weights @ moved), float(_spread(each)))


def _rdf(
    state: StatePlan,
    pair: PairPlan,
    runs: Sequence[StepObservables],
    weights: Array,
    drop: NDArray[np.int64],
) -> Table:
    """Return g(r) of an interaction with its errors (nm), as its target was seen."""
    species = pair.grid.species
    shares = [weights, *_left_out(weights, drop)]
    r, values = _weighted([run.histogram(species) for run in runs], species, shares)
    if pair.window is not None:
        counted = [run.to_half_box(state.inputs) for run in runs]
        # at constant pressure the boxes of the steps have other halves
        bins, sharp = _weighted([_shortened(item, counted) for item in counted], species, shares)
        end = tail_seen(pair.window, r, counted[-1], species)
        seen = 1.0 + (sharp - 1.0) @ window_matrix(pair.window, r, bins).T + end
        values = np.where(empty_core(pair.target_on_grid().y), values, seen)
    return make_table(np.round(r / ANGSTROM_PER_NM, 12), values[0], yerr=_spread(values[1:]))


def _shortened(item: PairHistograms, all_of: Sequence[PairHistograms]) -> PairHistograms:
    bins = min(len(other.r) for other in all_of)
    return replace(item, r=item.r[:bins], counts=item.counts[:, :, :bins])


def _weighted(
    counted: Sequence[PairHistograms], species: tuple[str, str], shares: Sequence[Array]
) -> tuple[Array, Array]:
    """Return r (Angstrom) and g(r) for each set of weights of the frames, shape [n_shares, n_bins]."""
    row = counted[0].row(species)
    counts = np.concatenate([item.counts[:, row] for item in counted]).astype(float)
    volumes = np.concatenate([item.volumes for item in counted])
    factor = rdf_factor(counted[0], row)
    return counted[0].r, np.stack([factor * (share @ volumes) * (share @ counts) for share in shares])
