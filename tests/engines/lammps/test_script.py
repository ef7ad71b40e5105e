"""What is known of a LAMMPS script before LAMMPS runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engines.ase.case import evaluator
from tests.engines.lammps.case import SCRIPT, make_case
from votca_mlp.engines.engine import engine_named
from votca_mlp.engines.lammps.plan import Plan, plan_script
from votca_mlp.engines.lammps.script import read_script
from votca_mlp.engines.lammps.step import check_script, prepare
from votca_mlp.engines.options import RdfSettings
from votca_mlp.errors import UserError
from votca_mlp.settings.plans import md_plan


def planned(folder: Path, text: str, **options) -> Plan:
    path = folder / "in.lmp"
    path.write_text(text)
    return plan_script(read_script(path), path=path, traj="traj.dump", **options)


def test_a_plain_script(tmp_path) -> None:
    plan = planned(tmp_path, SCRIPT)
    assert list(plan.runs.values()) == [60, 200]
    assert plan.total == 260
    assert (plan.dump.name, plan.dump.every) == ("traj", 10)
    assert plan.external is None
    # before the barostat, which asks for the pressure when it begins
    assert plan.commands[plan.insert].text.startswith("fix         1 all npt")
    assert [value for _, value in plan.temperatures] == [120.0, 120.0]
    assert not plan.random_forces
    assert list(planned(tmp_path, SCRIPT, max_steps=70).runs.values()) == [60, 70]


def test_lines_variables_and_includes(tmp_path) -> None:
    (tmp_path / "setup.lmp").write_text("read_data conf.data # comment\n\nvariable T index 300\n")
    plan = planned(
        tmp_path,
        'units metal\ninclude setup.lmp\nvariable n equal 70 # "x"\nvariable m equal "30"\n'
        'print "a # is no comment here" # but here\n'
        "fix 1 all &\n  langevin ${T} $T 1.0 4\nfix mine all external pf/callback 1 1\n"
        'print """\nrun 5\n"""\n'
        "dump traj all custom ${m} traj.dump id type element xu yu zu\nrun ${n}\n",
    )
    names = [command.name for command in plan.commands]
    assert names == ["units", "read_data", *["variable"] * 3, "print", "fix", "fix", "print", "dump", "run"]
    assert plan.commands[5].words[-1] == 'here"'
    assert list(plan.runs.values()) == [70]
    assert plan.dump.every == 30
    assert plan.external == "mine"
    assert [value for _, value in plan.temperatures] == [300.0, 300.0]
    assert plan.random_forces
    assert plan.commands[1].where == f"{tmp_path / 'setup.lmp'}:1"
    assert plan.commands[6].where == f"{tmp_path / 'in.lmp'}:6"


def test_only_thermostats_that_act_during_the_dump_count(tmp_path) -> None:
    hot = SCRIPT.replace("run         60", "run 60\nunfix 1\nfix 2 all nvt temp 100 100 0.1").replace(
        "120 120", "900 120"
    )
    assert [value for _, value in planned(tmp_path, hot).temperatures] == [100.0, 100.0]


DUMP = "dump        traj all custom 10 traj.dump id type element x y z"


@pytest.mark.parametrize(
    ("changes", "frames"),
    [
        ({}, 21),
        # at 60, 69, 138, ...
        ({DUMP: DUMP.replace(" 10 ", " 69 ")}, 3),
        # a frame where a run ends and the next begins is written once
        ({"run         200": "run 100\nrun 5\nrun 95"}, 21),
        ({"run         200": "run 100\nundump traj\nrun 100"}, 11),
        ({"run         60": "run 60\nreset_timestep 5"}, 20),
        ({"run         60": "run 60\nreset_timestep ${n}"}, 21),
        ({DUMP: DUMP + "\ndump_modify traj every 7"}, None),
        ({DUMP: DUMP + "\ndump_modify traj sort id"}, 21),
    ],
)
def test_frames(tmp_path, changes: dict[str, str], frames: int | None) -> None:
    text = SCRIPT
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    assert planned(tmp_path, text).frames == frames


def test_too_few_frames_are_told_before_the_run(tmp_path) -> None:
    """By check, without LAMMPS, and by what begins a step."""
    settings = make_case(tmp_path, rdf=RdfSettings(with_errors=True, block_length=11))
    step = tmp_path / "step_001"
    plan = md_plan(settings, step)
    plan = replace(plan, files={"in.lmp": step / "in.lmp"})
    message = (
        rf"{step}/in.lmp:12: 21 frames are left of 21 after first_frame, 22 are needed[\s\S]*block_length"
    )
    for call in (
        lambda: engine_named("lammps").lengths(plan, iterations=1, laststep=True),
        lambda: prepare(plan, step),
        # with the user's own file, although LAMMPS would run in a temporary folder
        lambda: check_script(plan, evaluator()),
    ):
        with pytest.raises(UserError, match=message):
            call()
    prepare(replace(plan, frames_needed=21), step)
    with pytest.raises(UserError, match="19 frames are left of 21 after first_frame, 20 are"):
        prepare(replace(plan, frames_needed=20, first_frame=3), step)
    # VOTCA's CSG_MDRUN_STEPS is for trying
    prepare(plan, step, 20)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("units       metal", "units real", r"in.lmp:2: units real[\s\S]*units metal"),
        ("run         60", "jump SELF loop", r"in.lmp:10: 'jump' is not possible here"),
        ("run         60", "run ${n}", r"in.lmp:10: 'run \$\{n\}'[\s\S]*a variable that is set"),
        ("run         60", "run 60 every 10 NULL", r"in.lmp:10: 'run 60 every 10 NULL'"),
        ("run         60", "include in.lmp", r"in.lmp:10: the include cannot be followed"),
        ("run         60", "include none.lmp", r"none.lmp: cannot read the script: No such file"),
        ("read_data   conf.data", "", "a fix or run comes before there are atoms"),
        ("traj.dump", "other.dump", "no dump writes traj.dump"),
        ("id type element x y z", "id type x y z", r"in.lmp:12: this dump cannot be used[\s\S]*element"),
        ("run         200", "", "no dump writes traj.dump during a run, only after it"),
        (
            "velocity  ",
            "fix e all external pf/array 1\nvelocity",
            r"in.lmp:6: 'fix e all external pf/array 1'",
        ),
        (
            "velocity  ",
            "fix a all external pf/callback 1 1\nfix b all external pf/callback 1 1\nvelocity",
            "in.lmp:7: a second fix external",
        ),
    ],
)
def test_refusals(tmp_path, old, new, message) -> None:
    assert SCRIPT.count(old) == 1
    with pytest.raises(UserError, match=message):
        planned(tmp_path, SCRIPT.replace(old, new))


def test_no_run_at_all(tmp_path) -> None:
    with pytest.raises(UserError, match="the script has no run command"):
        planned(tmp_path, "units metal\nread_data conf.data\n")
    with pytest.raises(UserError, match=r"missing.lmp: cannot read the script: No such file"):
        read_script(tmp_path / "missing.lmp")
