"""g(r) of a step's trajectory as csg_stat and table_average.sh would leave it in NAME.dist.new."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from votca_mlp.engines.engine import engine_named
from votca_mlp.errors import UserError
from votca_mlp.files import read_json
from votca_mlp.inverse.context import Context
from votca_mlp.inverse.phase import check_phase
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.inverse.tables.operations import average_values
from votca_mlp.inverse.tables.printing import VOTCA_DIGITS, as_printed
from votca_mlp.observables.rdf import PairHistograms
from votca_mlp.observables.step import StepObservables, measure_frames
from votca_mlp.observables.store import write_observables
from votca_mlp.tables import Table, make_table, write_table
from votca_mlp.targets.window import windowed_table
from votca_mlp.units import ANGSTROM_PER_NM
from votca_mlp.update.rule import PairGrid

ENOUGH_BLOCKS = 5
"""With n blocks chi2 has the mean (n - 1)/(n - 3), and no bound to its spread below 6."""


def measure(context: Context, number: int) -> dict[str, Table]:
    """Write NAME.dist.new of every interaction of a state and return the tables (nm) by name.

    Raises
    ------
    UserError
        A damaged trajectory; types that it does not have; too few frames for two blocks.
    """
    state, directory = context.state, context.step_directory(number)
    found = observe(state, directory)
    tables: dict[str, Table] = {}
    for histograms, pairs in zip(found.histograms, _by_grid(state), strict=True):
        for pair in pairs:
            table = rdf_table(histograms, pair.species, state.block_length)
            write_table(directory / f"{pair.name}.dist.new", table)
            tables[pair.name] = table
    return tables | write_windowed(state, found, directory)


def write_windowed(state: StatePlan, found: StepObservables, directory: Path) -> dict[str, Table]:
    """Write g(r) as the targets were seen: NAME.dist.new of interactions with a window, by name (nm).

    NAME.dist.sharp has g(r) itself, which NAME.dist.new would be without. Both come from the values by frame,
    so that this may be done again.

    Raises
    ------
    UserError
        A step without pair counts to half the box; a bad target.
    """
    tables = {}
    for pair in state.pairs:
        if pair.window is None:
            continue
        species = pair.grid.species
        sharp = rdf_table(found.histogram(species), species, state.block_length)
        counted = found.to_half_box(directory)
        target = pair.target_on_grid().y
        seen = windowed_table(pair.window, sharp, target, counted, species, state.block_length)
        yerr = None if seen.yerr is None else as_printed(seen.yerr, VOTCA_DIGITS)
        tables[pair.name] = replace(seen, y=as_printed(seen.y, VOTCA_DIGITS), yerr=yerr)
        write_table(directory / f"{pair.name}.dist.sharp", sharp)
        write_table(directory / f"{pair.name}.dist.new", tables[pair.name])
    return tables


def observe(state: StatePlan, directory: Path) -> StepObservables:
    """Measure every frame of a state's simulation, and keep the values by frame in its folder of the step.

    Raises
    ------
    UserError
        A damaged trajectory; types that it does not have; an observable that fails; a simulation that
        has left the phase of the run.
    """
    grids = [
        ([pair.species for pair in pairs], pairs[0].points * ANGSTROM_PER_NM) for pairs in _by_grid(state)
    ]
    engine = engine_named(state.md.engine)
    found = measure_frames(
        engine.frames(state.md, directory),
        grids,
        engine.recorded(state.md, directory),
        whole=state.counts_all,
    )
    skipped = max(state.md.first_frame - 1, 0)
    check_frames(directory, state.md.traj, found.n_frames + skipped)
    write_observables(directory, found)
    check_phase(state, directory, found)
    return found


def _by_grid(state: StatePlan) -> list[list[PairGrid]]:
    """Return the interactions that share a grid, for each grid."""
    grids: dict[tuple[float, float, float], list[PairGrid]] = {}
    for pair in (pair.grid for pair in state.pairs):
        grids.setdefault((pair.min, pair.max, pair.step), []).append(pair)
    return list(grids.values())


def frames_expected(directory: Path) -> int | None:
    """Return how many frames the engine sampled in the production, or None when it left no word."""
    from votca_mlp.engines.shared.result import SUMMARY

    try:
        facts = read_json(directory / SUMMARY)
        # an engine's trajectory may be sampled at other times than its energies
        return int(facts.get("frames") or next(iter(facts["production"].values()))["samples"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, StopIteration):
        return None


def few_blocks(state: StatePlan, directory: Path) -> str:
    """Return a word of caution where the errors of g(r) come from so few blocks that chi2 means little."""
    frames = frames_expected(directory) if state.block_length else None
    if not state.block_length or frames is None or frames // state.block_length >= ENOUGH_BLOCKS:
        return ""
    return f" (errors from {frames // state.block_length} blocks: chi2 says little below {ENOUGH_BLOCKS})"


def check_frames(directory: Path, traj: str, found: int) -> None:
    """Refuse a trajectory with fewer frames than the engine sampled.

    Raises
    ------
    UserError
        Naming the file and both numbers.
    """
    expected = frames_expected(directory)
    if expected is not None and found < expected:
        raise UserError(
            f"the trajectory is cut short: {found} of {expected} frames",
            where=directory / traj,
            accepted="remove the file: the simulation of this step then runs again",
        )


def rdf_table(histograms: PairHistograms, pair: tuple[str, str], block_length: int | None) -> Table:
    """Return g(r) in nm with VOTCA's digits; with a block length its mean and error over blocks.

    VOTCA normalises a block with the mean volume of all frames up to its end (csg_stat_imc.cc does not
    clear it between blocks); so does this, or both loops would differ at constant pressure.

    Raises
    ------
    UserError
        Fewer than two blocks.
    """
    x = np.round(histograms.r / ANGSTROM_PER_NM, 12)
    if block_length is None:
        return make_table(x, as_printed(histograms.g(pair), VOTCA_DIGITS))
    count = np.arange(1, histograms.n_frames + 1)
    so_far = np.cumsum(histograms.volumes) / count
    ends = np.minimum((count - 1) // block_length * block_length + block_length, len(count)) - 1
    blocks = replace(histograms, volumes=so_far[ends]).block_g(pair, block_length)
    return average_values(x, as_printed(blocks, VOTCA_DIGITS))
