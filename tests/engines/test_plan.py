"""The plan of a step's MD: made by hand, and from an engine's section."""

import math

import pytest

from votca_mlp.engines.ase.options import AseSettings
from votca_mlp.engines.gromacs.options import GromacsSettings
from votca_mlp.engines.lammps.options import LammpsSettings
from votca_mlp.engines.plan import MDPlan
from votca_mlp.errors import UserError


def test_a_temperature_is_enough() -> None:
    plan = MDPlan(1023)
    assert (plan.engine, plan.ensemble, plan.pressure, plan.seed) == ("ase", "npt", 1.0, 1)
    assert plan.kBT == pytest.approx(8.50577, rel=1e-5)
    assert plan.place("timestep") == "ase.timestep"


def test_the_section_of_ase_has_the_defaults_of_a_plan() -> None:
    assert MDPlan.of("ase", AseSettings(temperature=300.0)) == MDPlan(
        300.0, options=AseSettings(temperature=300.0)
    )


def test_fields_of_a_section_are_those_of_the_plan() -> None:
    section = LammpsSettings(script="in.lmp", traj="x.dump", checkpoint_every=7, first_frame=3)
    plan = MDPlan.of("lammps", section, temperature=120.0)
    assert (plan.engine, plan.traj, plan.first_frame, plan.seed) == ("lammps", "x.dump", 3, None)
    # in steps there, in fs here
    assert plan.checkpoint_every == MDPlan.checkpoint_every
    plan = MDPlan.of("gromacs", GromacsSettings(equi_time=2.5), temperature=120.0, first_frame=4)
    assert (plan.equi_time, plan.first_frame, plan.conf_out) == (2.5, 4, "confout.gro")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.0),
        ("temperature", math.nan),
        ("timestep", -1.0),
        ("production", 0.0),
        ("equilibration", -1.0),
        ("first_frame", -1),
        ("ensemble", "nve"),
        ("seed", -1),
        ("seed", 10**30),
        ("seed", 1.5),
    ],
)
def test_refusals(name: str, value: object) -> None:
    with pytest.raises(UserError, match=rf"ase\.{name}: is {value}"):
        MDPlan(**{"temperature": 300.0, name: value})  # type: ignore[arg-type]
