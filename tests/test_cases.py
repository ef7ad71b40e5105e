"""The ready cases in settings/ that need nothing from elsewhere: complete, and nothing wrong with them."""

from dataclasses import replace
from pathlib import Path

import pytest
from ase import Atoms
from ase.io import read

from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.evaluation.validate import validate_model
from votca_mlp.inverse.from_settings import state_plan
from votca_mlp.inverse.molecules import said_of_molecules
from votca_mlp.settings import load_settings, read_topology
from votca_mlp.settings.inputs import input_problems
from votca_mlp.settings.plans import md_plan
from votca_mlp.settings.scripts import SCRIPTPATH
from votca_mlp.settings.states import states_of

CASES = Path(__file__).resolve().parent.parent / "settings"
CASES_ALONE = ["al_quickstart", "lj_mixture", "al_multistate", "lj_two_states", "n2_liquid"]


@pytest.mark.parametrize("case", CASES_ALONE)
def test_a_ready_case(case: str) -> None:
    settings = load_settings(CASES / case / "settings.xml")
    assert input_problems(settings) == []
    assert settings.text("cg.inverse.scriptpath") == SCRIPTPATH
    views = [state.settings for state in states_of(settings)] if settings.multistate.enabled else [settings]
    for view in views:
        atoms = read(view.input_path(view.engine.conf or ""))
        types = read_topology(view.input_path(view.topology[0])).types
        assert list(atoms.symbols) == list(types)
        # g(r) beyond half the box would be wrong
        assert atoms.cell.lengths().min() / 2 > 10 * max(pair.max for pair in view.interactions)


def test_the_molecular_case_is_sound_and_leaves_bonds_alone() -> None:
    """Forces and stress are those of the energy; no pair of one molecule is within the grid."""
    settings = load_settings(CASES / "n2_liquid" / "settings.xml")
    md = md_plan(settings)
    grids = [pair.grid for pair in state_plan(settings).pairs]
    assert said_of_molecules(md, grids, Path()) == ""
    near = replace(grids[0], min=0.05)
    assert "N-N at 1.0" in said_of_molecules(md, [near], Path())
    atoms = read(settings.input_path(settings.engine.conf or ""))
    assert isinstance(atoms, Atoms)
    report = validate_model(make_evaluator(settings.mlp, None, settings.main_directory), atoms)
    assert report.force_error < 1e-8
    assert report.stress_error < 1e-8
    assert report.force_scale > 0.01
