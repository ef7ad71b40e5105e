#!/usr/bin/env python3
"""Make the start configurations of a case by melting a crystal: scripts/make_start.py CASE

CASE is al_quickstart, lj_mixture, al_multistate, lj_two_states, n2_liquid or argon_sq. Writes conf.extxyz
(positions and cell, no velocities) into settings/CASE, or into the folder of each state: molten at constant
volume, then settled at temperature and ensemble of the case or state.
"""

import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.io import read, write

from votca_mlp.engines.engine import engine_named
from votca_mlp.engines.plan import MDPlan
from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.progress import open_progress
from votca_mlp.settings import load_settings
from votca_mlp.settings.plans import md_plan
from votca_mlp.settings.states import states_of

ROOT = Path(__file__).resolve().parent.parent
# melting temperature (K) and time (fs), settling time at the temperature of the case (fs)
PLANS = {
    "al_quickstart": (2000.0, 4000.0, 10000.0),
    "lj_mixture": (300.0, 20000.0, 50000.0),
    "al_multistate": (2000.0, 4000.0, 10000.0),
    "lj_two_states": (300.0, 20000.0, 50000.0),
    "n2_liquid": (200.0, 8000.0, 20000.0),
    "argon_sq": (300.0, 20000.0, 20000.0),
}
# edge of the cubic fcc cell, Angstrom
EDGES = {
    "al_quickstart": 4.25,
    "lj_mixture": 6.0,
    "al_multistate": 4.25,
    "lj_two_states": 7.0,
    "n2_liquid": 6.13,
    "argon_sq": (4.0 / 0.02125) ** (1.0 / 3.0),
}
BONDS = {"n2_liquid": 1.1}
"""Angstrom, of the molecules of two atoms whose centres are on the crystal's sites."""


def crystal(edge: float, counts: dict[str, int]) -> Atoms:
    """Return the crystal to melt, its sites given at random to the one or two elements of the topology.

    ``edge`` is that of the cubic cell, Angstrom.
    """
    cells = round((sum(counts.values()) / 4) ** (1 / 3))
    first, *others = counts
    atoms = bulk(first, "fcc", a=edge, cubic=True).repeat(cells)
    for other in others[:1]:
        sites = np.random.default_rng(1).choice(len(atoms), counts[other], replace=False)
        atoms.symbols[sites] = other
    ordered = atoms[np.argsort(atoms.numbers, kind="stable")]
    assert isinstance(ordered, Atoms)
    return ordered


def of_molecules(sites: Atoms, bond: float) -> Atoms:
    """Return a crystal with a molecule of two equal atoms on each site, turned at random."""
    vectors = np.random.default_rng(1).normal(size=(len(sites), 3))
    half = 0.5 * bond * vectors / np.linalg.norm(vectors, axis=1)[:, None]
    both = np.stack([sites.positions - half, sites.positions + half], axis=1)
    return Atoms(np.repeat(sites.numbers, 2), both.reshape(-1, 3), cell=sites.cell, pbc=True)


def run(plan: MDPlan, atoms: Atoms, time: float) -> Atoms:
    """Return the configuration after a run of this length, fs."""
    model = plan.model
    assert model is not None
    with tempfile.TemporaryDirectory() as directory:
        start = Path(directory) / "start.extxyz"
        write(start, atoms)
        plan = replace(plan, start=start, first_equilibration=time, production=plan.sample_every)
        engine_named(plan.engine).run_step(
            plan,
            make_evaluator(model, None, plan.model_directory, plan.skin),
            step_directory=Path(directory),
            step_number=1,
            progress=open_progress(),
        )
        found = read(Path(directory) / plan.conf_out)
        assert isinstance(found, Atoms)
        return found


def molten(plan: MDPlan, atoms: Atoms, times: tuple[float, float, float]) -> Atoms:
    """Return a melt of a crystal; see :data:`PLANS`."""
    melting, melt_time, settle_time = times
    hot = replace(plan, temperature=melting, ensemble="nvt")
    atoms = run(plan, run(hot, atoms, melt_time), settle_time)
    atoms = Atoms(atoms.symbols, positions=atoms.positions.round(5), cell=atoms.cell.array.round(5), pbc=True)
    atoms.wrap()
    return atoms


def main() -> None:
    """Make the start configuration of every state."""
    if len(sys.argv) != 2 or sys.argv[1] not in PLANS:
        sys.exit(__doc__)
    case = sys.argv[1]
    settings = load_settings(ROOT / "settings" / case / "settings.xml")
    views = [state.settings for state in states_of(settings)] if settings.multistate.enabled else [settings]
    for view in views:
        plan = md_plan(view)
        counts = Counter(plan.symbols)
        if case in BONDS:
            sites = crystal(EDGES[case], {symbol: count // 2 for symbol, count in counts.items()})
            atoms = molten(plan, of_molecules(sites, BONDS[case]), PLANS[case])
        else:
            atoms = molten(plan, crystal(EDGES[case], counts), PLANS[case])
        write(view.main_directory / "conf.extxyz", atoms)


if __name__ == "__main__":
    main()
