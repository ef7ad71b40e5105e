"""The ready cases in settings/ that need nothing from elsewhere: complete, and nothing wrong with them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import read

from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.evaluation.validate import validate_model
from votca_mlp.inverse.from_settings import state_plan
from votca_mlp.inverse.molecules import said_of_molecules
from votca_mlp.settings import load_settings, read_topology
from votca_mlp.settings.inputs import input_problems
from votca_mlp.settings.plans import md_plan
from votca_mlp.settings.scattering import scattering_notes, scattering_sources
from votca_mlp.settings.scripts import SCRIPTPATH
from votca_mlp.settings.states import states_of

CASES = Path(__file__).resolve().parent.parent / "settings"
CASES_ALONE = ["al_quickstart", "lj_mixture", "al_multistate", "lj_two_states", "n2_liquid", "argon_sq"]


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


def test_the_case_with_scattering_fits_measured_data_of_its_density() -> None:
    """The box and <target_density> are the paper's, and the core of g(r) that S(Q) leaves there is empty."""
    settings = load_settings(CASES / "argon_sq" / "settings.xml")
    assert settings.rule == "gauss_newton"
    atoms = read(settings.input_path(settings.engine.conf or ""))
    assert isinstance(atoms, Atoms)
    assert len(atoms) / atoms.get_volume() == pytest.approx(0.02125, rel=1e-5)
    grams_per_cm3 = float(atoms.get_masses().sum()) / units._Nav / (atoms.get_volume() * 1e-24)
    assert settings.target_density is not None
    assert settings.target_density.value == pytest.approx(1000.0 * grams_per_cm3, rel=1e-4)
    (data,) = [source.data for source in scattering_sources(settings)]
    # where pair counts to half the box tell of S(Q)
    assert data.q[0] > 4.0 * np.pi / atoms.cell.lengths().min()
    notes = list(scattering_notes(settings))
    assert any("core of g(r) at 1.0" in note for note in notes)
    assert not any("off by" in note for note in notes)


def test_the_measured_argon_of_the_case_is_the_tabulated_one(data_dir: Path) -> None:
    here = np.loadtxt(CASES / "argon_sq" / "yarnell.sq")
    assert np.array_equal(here, np.loadtxt(data_dir / "dissolve_argon" / "yarnell.sq"))
