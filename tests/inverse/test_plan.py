"""A plan made by hand, without settings.xml, runs as the settings that say the same."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.csg.case import edit, make_case
from tests.inverse.case import potentials
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError
from votca_mlp.inverse.from_settings import inverse_plan
from votca_mlp.inverse.pair_plan import PairPlan
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.inverse.start import run_inverse, run_plan
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.models.options import MLPSettings
from votca_mlp.settings import load_settings
from votca_mlp.targets.target import rdf_target, write_target
from votca_mlp.update.options import WibiSettings
from votca_mlp.update.rule import PairGrid


def by_hand(case: Path, directory: Path) -> InversePlan:
    """Return what the settings of the case say, in another directory, from arrays and objects."""
    directory.mkdir()
    r, g = np.loadtxt(case / "Ar-Ar.dist.tgt", usecols=(0, 1), unpack=True)
    write_target(directory / "Ar-Ar.dist.tgt", rdf_target(("Ar", "Ar"), 10.0 * r, g))
    grid = PairGrid("Ar-Ar", ("Ar", "Ar"), 0.0, 0.8, 0.01)
    pair = PairPlan(grid, directory / "Ar-Ar.dist.tgt", WibiSettings(alpha=0.5))
    model = MLPSettings(
        kind="ase",
        calculator="fluid:lj",
        arguments={"species": {"Ar": [0.0103, 3.40]}, "cutoff": 8.0},
        threads=1,
    )
    md = MDPlan(
        temperature=120.0,
        ensemble="nvt",
        timestep=4.0,
        first_equilibration=40.0,
        equilibration=200.0,
        production=160.0,
        sample_every=40.0,
        checkpoint_every=400.0,
        start=case / "conf.extxyz",
        r_max=8.0,
        tables=("Ar-Ar.pot.cur",),
    )
    state = StatePlan(md, (pair,), model, directory, kBT=0.99774)
    return InversePlan(directory, (pair,), (state,), model, iterations_max=2)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a run with settings.xml whose calculator can be imported from everywhere."""
    main = make_case(tmp_path / "settings", iterations=2, production=160)
    edit(main / "settings.xml", {"<first_equilibration>400": "<first_equilibration>40"})
    monkeypatch.syspath_prepend(str(main))
    sys.modules.pop("fluid", None)
    return main


def test_the_same_digits_as_settings(case: Path, tmp_path: Path) -> None:
    plan = by_hand(case, tmp_path / "plan")
    assert run_plan(plan) == "iterations_max 2 is reached"
    assert run_inverse(case / "settings.xml") == "iterations_max 2 is reached"
    for number in (1, 2):
        assert potentials(plan.directory, number) == potentials(case, number)
    assert not list(plan.directory.rglob("settings.xml"))
    summary = yaml.safe_load((plan.directory / "votca_mlp_run.yaml").read_text())
    assert summary["stopped"] == "iterations_max 2 is reached"
    assert summary["iterations"][1]["agreement"]["Ar-Ar"]["rms"] > 0
    # it goes on, and is done
    assert run_plan(plan).startswith("Job is already done")


def test_what_is_wrong_is_said_at_once(case: Path) -> None:
    """A file that the plan cannot do without does not hide what else is wrong."""
    (case / "topol.xml").write_text("<topology>")
    shutil.copy(case / "conf.extxyz", case / "Ar-Ar.dist.tgt")
    with pytest.raises(UserError) as error:
        inverse_plan(load_settings(case / "settings.xml"))
    assert "topol.xml names a bad file" in str(error.value).replace("<cg.inverse.ase.topol>", "topol.xml")
    assert "<cg.non-bonded.inverse.target> names a bad file" in str(error.value)
