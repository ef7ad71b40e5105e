"""Targets made by simulation with a known correction: the inverse method must find it again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.tables import Table, make_table, write_table
from votca_mlp.units import ANGSTROM_PER_NM, KJMOL_PER_EV

BLOCKS = 10
"""Over so many blocks of frames the errors are estimated."""


def known_correction(r: NDArray[np.float64], bumps: Sequence[tuple[float, float, float]]) -> Table:
    """Return u*(r) (nm, kJ/mol), a sum of Gaussians brought smoothly to zero at the end of the grid.

    Parameters
    ----------
    r
        Grid, nm.
    bumps
        Height in eV, centre and width in nm of each.
    """
    u = sum(height * np.exp(-(((r - centre) / width) ** 2)) for height, centre, width in bumps)
    end = np.clip((r[-1] - r) / 0.2, 0.0, 1.0)
    return make_table(r, KJMOL_PER_EV * u * end**2 * (3.0 - 2.0 * end), comments=("known answer",))


def simulate_targets(
    state: StatePlan, potentials: Mapping[str, Table], directory: str | Path, *, production: float
) -> dict[str, Table]:
    """Return g(r) of model plus known potentials, with block errors, for each interaction.

    Parameters
    ----------
    state
        Model, MD and interactions.
    potentials
        By name of interaction; nm and kJ/mol. Interactions that are not named have no correction.
    directory
        Where the simulation runs; a finished or interrupted one there is taken up.
    production
        Length of the production run, fs.
    """
    from votca_mlp.engines.engine import engine_named
    from votca_mlp.evaluation.load import make_evaluator
    from votca_mlp.observables.rdf import pair_histograms
    from votca_mlp.potentials.correction import read_correction
    from votca_mlp.progress import open_progress

    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    pairs = {pair.name: pair.grid for pair in state.pairs}
    for name, table in potentials.items():
        write_table(directory / f"{name}.pot.cur", table)
    correction = read_correction({pairs[name].species: directory / f"{name}.pot.cur" for name in potentials})
    md = replace(state.md, production=production)
    engine = engine_named(md.engine)
    engine.run_step(
        md,
        make_evaluator(state.model, correction, md.model_directory, md.skin),
        step_directory=directory,
        step_number=1,
        progress=open_progress(),
        identity="known answer",
    )
    targets = {}
    for name, pair in pairs.items():
        histograms = pair_histograms(
            engine.frames(md, directory), [pair.species], pair.points * ANGSTROM_PER_NM
        )
        targets[name] = histograms.table(pair.species, block_length=histograms.n_frames // BLOCKS)
    return targets
