"""Targets made by simulation with a known correction: the inverse method must find it again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from votca_mlp.tables import Table, grid_points, make_table, write_table
from votca_mlp.units import ANGSTROM_PER_NM, KJMOL_PER_EV

if TYPE_CHECKING:
    from votca_mlp.settings import Settings

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
    settings: "Settings",
    potentials: Mapping[str, Table],
    directory: str | Path,
    *,
    production: float,
) -> dict[str, Table]:
    """Return g(r) of model plus known potentials, with block errors, for each interaction.

    Parameters
    ----------
    settings
        Model, engine and interactions.
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
    from votca_mlp.settings.plans import md_plan

    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    named = {i.name: i for i in settings.interactions}
    for name, table in potentials.items():
        write_table(directory / f"{name}.pot.cur", table)
    correction = read_correction(
        {(named[name].type1, named[name].type2): directory / f"{name}.pot.cur" for name in potentials}
    )
    plan = replace(md_plan(settings), production=production)
    engine = engine_named(plan.engine)
    engine.run_step(
        plan,
        make_evaluator(settings.mlp, correction, settings.run_directory, plan.skin),
        step_directory=directory,
        step_number=1,
        progress=open_progress(),
        identity="known answer",
    )
    targets = {}
    for name, interaction in named.items():
        pair = (interaction.type1, interaction.type2)
        grid = grid_points(interaction.min, interaction.max, interaction.step)
        histograms = pair_histograms(engine.frames(plan, directory), [pair], grid * ANGSTROM_PER_NM)
        targets[name] = histograms.table(pair, block_length=histograms.n_frames // BLOCKS)
    return targets
