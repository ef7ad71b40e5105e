"""The ready cases in settings/ that need nothing from elsewhere: complete, and nothing wrong with them."""

from pathlib import Path

import pytest
from ase.io import read

from votca_mlp.settings import load_settings, read_topology
from votca_mlp.settings.inputs import input_problems
from votca_mlp.settings.scripts import SCRIPTPATH
from votca_mlp.settings.states import states_of

CASES = Path(__file__).resolve().parent.parent / "settings"


@pytest.mark.parametrize("case", ["al_quickstart", "lj_mixture", "al_multistate", "lj_two_states"])
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
