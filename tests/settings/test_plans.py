"""Plans from settings.xml."""

from pathlib import Path

import pytest

from votca_mlp.engines.plan import MDPlan
from votca_mlp.settings import load_settings
from votca_mlp.settings.plans import md_plan
from votca_mlp.settings.states import states_of

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "settings"


def test_plan_of_the_quickstart() -> None:
    settings = load_settings(CASES / "al_quickstart" / "settings.xml")
    plan = md_plan(settings)
    assert (plan.engine, plan.temperature, plan.options) == ("ase", 1023.0, settings.engine)
    assert (plan.symbols, plan.r_max) == (("Al",) * len(plan.symbols), 10.0 * settings.interactions[0].max)
    assert plan.start == CASES / "al_quickstart" / "conf.extxyz"
    assert plan.tables == ("Al-Al.pot.cur",)
    assert plan.where("kBT") == settings.where("cg.inverse.kBT")
    assert plan.place("timestep").endswith(": <cg.inverse.ase.timestep>")


@pytest.mark.parametrize("case", ["al_lammps", "al_gromacs"])
def test_plan_of_other_engines(case: str) -> None:
    """Temperature and skin do not come from a section of another engine; the seed is in their input."""
    settings = load_settings(CASES / case / "settings.xml")
    plan = md_plan(settings)
    assert plan.engine == settings.program
    assert plan.kBT == settings.kBT
    assert plan.skin == MDPlan.skin
    assert plan.seed is None
    assert (plan.traj, plan.conf_out) == (settings.engine.traj, settings.engine.conf_out)
    assert set(settings.filelist) < set(plan.files)


def test_the_copy_of_the_topology_in_a_step_counts(tmp_path: Path) -> None:
    settings = load_settings(CASES / "al_quickstart" / "settings.xml")
    assert md_plan(settings, tmp_path).topology == CASES / "al_quickstart" / "topol.xml"
    text = (CASES / "al_quickstart" / "topol.xml").read_text()
    (tmp_path / "topol.xml").write_text(text.replace('"Al" mass', '"Ni" mass'))
    plan = md_plan(settings, tmp_path)
    assert (plan.topology, set(plan.symbols)) == (tmp_path / "topol.xml", {"Ni"})


def test_plans_of_states() -> None:
    settings = load_settings(CASES / "lj_two_states" / "settings.xml")
    plans = [md_plan(state.settings) for state in states_of(settings)]
    assert [plan.temperature for plan in plans] == [state.temperature for state in states_of(settings)]
    assert len({plan.start for plan in plans}) == 2
