"""Several states in our loop: one update of all, each state for itself in everything else."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from tests.csg.case import edit, environment, make_case, wait_for
from tests.inverse.case import numbers, ours, start_ours
from tests.inverse.states_case import TEMPERATURES, make_states
from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.inverse.final_checks import read_checks
from votca_mlp.inverse.from_settings import inverse_plan, plan_of
from votca_mlp.inverse.potentials import current_correction
from votca_mlp.inverse.predict import predict
from votca_mlp.inverse.start import run_inverse
from votca_mlp.inverse.state_command import state_environment
from votca_mlp.potentials.akima import akima_from_table
from votca_mlp.potentials.temperature_file import read_temperature_file
from votca_mlp.settings import load_settings
from votca_mlp.tables import read_table
from votca_mlp.units import kbt_kjmol

TWO_TERMS = "<temperature_terms>2</temperature_terms>"


def own(main: Path, state: str, text: str) -> None:
    """Write a state's own settings."""
    (main / state / "settings.xml").write_text(f"<cg>{text}</cg>\n")


def tables(main: Path, number: int = 1) -> str:
    """Return the numbers of all shared potentials of a step, digit by digit."""
    paths = sorted((main / f"step_{number:03d}").glob("*.pot.new"))
    assert paths
    return "".join(path.name + numbers(path) for path in paths)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two iterations of two states with one u, one state after the other."""
    main = make_states(tmp_path_factory.mktemp("states") / "finished", iterations=2)
    assert run_inverse(main / "settings.xml") == "iterations_max 2 is reached"
    return main


@pytest.fixture(scope="module")
def finished_terms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One iteration with a part linear in T."""
    main = make_states(tmp_path_factory.mktemp("states") / "terms", multistate=TWO_TERMS)
    run_inverse(main / "settings.xml")
    return main


def expected_update(step: Path, name: str, state: str, alpha: float, kBT: float) -> np.ndarray:
    """alpha kB T w ln(g/g*) with w = g*, nan where a g is zero; kJ/mol."""
    g, target = (read_table(step / state / f"{name}.dist.{end}").y for end in ("new", "tgt"))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((g > 1e-10) & (target > 1e-10), alpha * kBT * target * np.log(g / target), np.nan)


def test_the_shared_update_is_the_mean_of_the_states(finished: Path) -> None:
    for number in (1, 2):
        step = finished / f"step_{number:03d}"
        each = [expected_update(step, "Ar-Ar", s, 0.5, kbt_kjmol(t)) for s, t in TEMPERATURES.items()]
        # where one g is zero the other state alone counts
        mean = np.where(np.isnan(each[0]), each[1], np.where(np.isnan(each[1]), each[0], 0.5 * sum(each)))
        update = read_table(step / "Ar-Ar.dpot.pure_ibi")
        defined = np.isfinite(mean)
        assert 40 < defined.sum() < len(mean)
        assert list(update.flags == "i") == list(defined)
        np.testing.assert_allclose(update.y[defined], mean[defined], rtol=1e-6, atol=1e-9)
        before, after = (read_table(step / f"Ar-Ar.pot.{end}").y for end in ("cur", "new"))
        np.testing.assert_allclose(after, before + update.y - update.y[-1], atol=1e-9)
        for state in TEMPERATURES:
            # every state runs with the shared u
            assert numbers(step / state / "Ar-Ar.pot.cur") == numbers(step / "Ar-Ar.pot.cur")
    second = numbers(finished / "step_002/Ar-Ar.pot.cur")
    assert second == numbers(finished / "step_001/Ar-Ar.pot.new")


def test_each_state_runs_at_its_own_temperature_from_its_own_last_configuration(finished: Path) -> None:
    first = [(finished / "step_001" / s / "confout.extxyz").read_bytes() for s in TEMPERATURES]
    starts = [(finished / "step_002" / s / "conf.extxyz").read_bytes() for s in TEMPERATURES]
    assert first == starts
    assert first[0] != first[1]
    for state, temperature in TEMPERATURES.items():
        facts = json.loads((finished / "step_002" / state / "md_step.json").read_text())
        assert facts["inputs"]["temperature"] == pytest.approx(temperature, abs=1e-3)


def test_summary_has_every_state(finished: Path) -> None:
    summary = yaml.safe_load((finished / "votca_mlp_run.yaml").read_text())
    assert summary["states"]["hot"]["temperature"] == pytest.approx(140.0, abs=1e-3)
    assert summary["states"]["hot"]["weight"] == 0.5
    assert summary["states"]["hot"]["files"]["Ar-Ar.dist.tgt"]
    last = summary["iterations"][-1]
    assert set(last["agreement"]) == {"cold/Ar-Ar", "hot/Ar-Ar"}
    assert last["states"]["cold"]["seconds"]["simulation"] > 0
    assert last["states"]["cold"]["files"]["traj.dump"]


def test_checks_of_every_state(finished: Path, tmp_path: Path) -> None:
    """A finished run that is asked for them only now makes them; each state with its own simulations."""
    main = shutil.copytree(finished, tmp_path / "run")
    diffusion = "<trajectories>2</trajectories><length>80</length><equilibration>20</equilibration>"
    wanted = f"<checks><observables>diffusion density</observables>{diffusion}<timestep>4</timestep></checks>"
    edit(main / "settings.xml", {"<mlp>": f"{wanted}<mlp>"})
    status, output = ours(main)
    assert status == 0, output
    found = read_checks(main)
    assert set(found) == set(TEMPERATURES)
    for name in TEMPERATURES:
        assert (found[name]["uncorrected"]["step"], found[name]["corrected"]["step"]) == (1, 2)
        assert found[name]["corrected"]["density"]["mean"] == pytest.approx(1432.8, abs=0.1)
        assert 0.0 < found[name]["corrected"]["diffusion"]["mean"] < 1e-7
    means = [found[name]["uncorrected"]["diffusion"]["mean"] for name in TEMPERATURES]
    assert means[0] < means[1]


def test_two_terms_meet_two_states_exactly(finished_terms: Path) -> None:
    step = finished_terms / "step_001"
    u0, u1 = (read_table(step / f"Ar-Ar{term}.dpot.pure_ibi") for term in ("", ".term1"))
    for sign, (state, temperature) in zip((-1, 1), TEMPERATURES.items(), strict=True):
        wanted = expected_update(step, "Ar-Ar", state, 0.5, kbt_kjmol(temperature))
        defined = (u0.flags == "i") & np.isfinite(wanted)
        assert defined.sum() > 40
        np.testing.assert_allclose((u0.y + sign * u1.y)[defined], wanted[defined], rtol=1e-6, atol=1e-9)
    edited = finished_terms.with_name("second")
    shutil.copytree(finished_terms, edited)
    edit(edited / "settings.xml", {"<iterations_max>1": "<iterations_max>2"})
    (edited / "done").unlink()
    run_inverse(edited / "settings.xml")
    new0, new1 = (read_table(step / f"Ar-Ar{term}.pot.new").y for term in ("", ".term1"))
    for sign, state in zip((-1, 1), TEMPERATURES, strict=True):
        ran = read_table(edited / "step_002" / state / "Ar-Ar.pot.cur").y
        np.testing.assert_allclose(ran, new0 + sign * new1, atol=1e-7)
    # the result: u(r; T) of the last step, in the file of votca-mlp temperature
    content = read_temperature_file(edited / "u_of_T.yaml").correction
    assert (content.minimum, content.maximum) == pytest.approx((100.0, 140.0), abs=1e-3)
    # the simulations had exactly its forces, also between the points, where the spline of a sum has others
    settings, r = load_settings(edited / "settings.xml"), np.linspace(3.0, 7.0, 777)
    for state in inverse_plan(settings).states:
        (ran_spline,) = current_correction(
            [pair.grid for pair in state.pairs], edited / "step_002" / state.name
        ).pairs.values()
        (told,) = content.at(state.temperature).pairs.values()
        np.testing.assert_array_equal(ran_spline.evaluate(r), told.evaluate(r))
        summed = akima_from_table(read_table(edited / "step_002" / state.name / "Ar-Ar.pot.cur"), where="")
        assert np.abs(summed.evaluate(r)[1] - told.evaluate(r)[1]).max() > 1e-5
    (spline,) = content.at(120.0).pairs.values()
    u, _ = spline.evaluate(np.array([4.0]))
    assert u[0] * 96.48533212331 == pytest.approx(new0[40], rel=1e-6)


def test_predicted_by_terms(finished_terms: Path) -> None:
    """What u_0 and u_1 change together leaves the hot state as it was, and moves the cold one."""
    plan = plan_of(load_settings(finished_terms / "settings.xml"))
    step = finished_terms / "step_001"
    u = [read_table(step / f"Ar-Ar{term}.pot.cur") for term in ("", ".term1")]
    change = 0.1 * np.exp(-(((u[0].x - 0.4) / 0.05) ** 2))
    both = {"Ar-Ar": u[0].with_y(u[0].y + change), "Ar-Ar.term1": u[1].with_y(u[1].y - change)}
    cold, hot = predict(plan, both)
    assert hot.samples == pytest.approx(hot.frames)
    assert cold.samples < 0.99 * cold.frames
    # one of them alone moves both
    assert all(found.samples < found.frames for found in predict(plan, {"Ar-Ar.term1": both["Ar-Ar.term1"]}))
    output = CliRunner().invoke(app, ["predict", str(finished_terms)])
    assert output.exit_code == 0, output.output
    assert "Ar-Ar.term1.pot.new" in output.output
    assert output.output.count("worth") == 2


def test_other_terms_in_mid_run_are_refused(finished_terms: Path, tmp_path: Path) -> None:
    main = Path(shutil.copytree(finished_terms, tmp_path / "case"))
    (main / "done").unlink()
    edit(main / "settings.xml", {"<iterations_max>1": "<iterations_max>2"})
    edit(main / "settings.xml", {TWO_TERMS: TWO_TERMS + "<state_weights>1 3</state_weights>"})
    with pytest.raises(UserError, match=r"began with 2 terms in \(T - 120 K\)/20 K, the settings now give"):
        run_inverse(main / "settings.xml")


def test_killed_in_every_write(finished_terms: Path, tmp_path: Path) -> None:
    main = make_states(tmp_path / "case", multistate=TWO_TERMS)
    done = subprocess.run(
        [sys.executable, "-m", "tests.inverse.harness", str(main), "storm"],
        env=environment(PYTHONPATH=os.getcwd()),
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.stdout, done.stderr
    data = json.loads(done.stdout)
    ends, killed = data["ends"], Path(data["main"])
    assert ends[-1]["status"] == 0, ends[-1]
    assert all(end["status"] == -signal.SIGKILL for end in ends[:-1])
    assert len(ends) > 60
    assert tables(killed) == tables(finished_terms)
    assert (killed / "u_of_T.yaml").is_file()
    for state in ("", *TEMPERATURES):
        left = {path.name for path in (finished_terms / "step_001" / state).iterdir()}
        found = {path.name for path in (killed / "step_001" / state).iterdir()}
        assert {name for name in found if not name.endswith(".part")} == left


def test_side_by_side_gives_the_same_also_with_a_launch_command(finished: Path, tmp_path: Path) -> None:
    """Two at a time by simulation.tasks; the launch command is seen to be used."""
    main = make_states(tmp_path / "case", iterations=1)
    log = tmp_path / "launched"
    (tmp_path / "launch").write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec "$@"\n')
    (tmp_path / "launch").chmod(0o755)
    edit(main / "settings.xml", {"<tasks>1": "<tasks>2"})
    edit(main / "settings.xml", {"</multistate>": f"<launch>{tmp_path}/launch</launch></multistate>"})
    status, output = ours(main)
    assert status == 0, output
    assert "Simulating cold, hot, 2 at a time" in output
    for state in TEMPERATURES:
        assert f"{state}: Simulation done: 50 MD steps" in output
    assert tables(main) == tables(finished)
    lines = log.read_text().splitlines()
    assert sorted(line.split()[-2:] for line in lines) == [["run-state", "cold"], ["run-state", "hot"]]
    # what is done is not started again
    for name in ("done", "step_001/done", "step_001/votca_mlp_step.json", "step_001/Ar-Ar.pot.new"):
        (main / name).unlink()
    run_inverse(main / "settings.xml")
    assert tables(main) == tables(finished)
    assert len(log.read_text().splitlines()) == 2


def test_settings_edited_in_mid_run_do_not_reach_the_processes(finished: Path, tmp_path: Path) -> None:
    """The launcher spoils the run's settings.xml just before each state starts."""
    main = make_states(tmp_path / "case", iterations=1)
    path = main / "settings.xml"
    (tmp_path / "launch").write_text(f'#!/bin/sh\nsed -i s/timestep/tmestep/ {path}\nexec "$@"\n')
    (tmp_path / "launch").chmod(0o755)
    edit(path, {"</multistate>": f"<launch>{tmp_path}/launch</launch></multistate>"})
    run_inverse(path)
    assert "tmestep" in path.read_text()
    assert tables(main) == tables(finished)


def test_a_states_process_gets_what_it_needs(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSGLOG", "/inverse.log")
    monkeypatch.setenv("OMP_NUM_THREADS", "6")
    monkeypatch.delenv("CSG_NUM_THREADS", raising=False)
    monkeypatch.setenv("CSGENDING", "5")
    settings = load_settings(finished / "settings.xml")
    auto = settings.model_copy(update={"mlp": settings.mlp.model_copy(update={"threads": None})})
    found = state_environment(plan_of(auto), step_number=7, ending=None, max_steps=None, at_once=2)
    assert (found["CSG_THISSTEP"], found["CSG_MAINDIR"]) == ("step_007", str(finished))
    assert found["OMP_NUM_THREADS"] == found["CSG_NUM_THREADS"] == found["NUMBA_NUM_THREADS"] == "3"
    # csg_inverse's log and terminal are not those of the process; its wall time is told anew
    assert not {"CSGLOG", "CSGENDING", "CSG_MDRUN_STEPS"} & set(found)
    assert found["CSG_MASTER_PID"] == str(os.getpid())
    fixed = state_environment(plan_of(settings), step_number=7, ending=9.7, max_steps=3, at_once=2)
    assert fixed["OMP_NUM_THREADS"] == "6"
    assert (fixed["CSGENDING"], fixed["CSG_MDRUN_STEPS"]) == ("9", "3")


@pytest.mark.parametrize("tasks", [1, 2])
def test_a_failed_state_is_named_and_the_other_kept(finished: Path, tmp_path: Path, tasks: int) -> None:
    main = make_states(tmp_path / "case", iterations=1)
    edit(main / "settings.xml", {"<tasks>1": f"<tasks>{tasks}"})
    own(main, "hot", "<inverse><ase><limits><temperature_max>1</temperature_max></limits></ase></inverse>")
    with pytest.raises(UserError, match="state hot: ") as error:
        run_inverse(main / "settings.xml")
    assert "1 K" in str(error.value)
    step = main / "step_001"
    kept = (step / "cold/traj.dump").stat()
    assert "Simulation done" in (step / "cold/restart_points.log").read_text()
    assert not (step / "Ar-Ar.pot.new").exists()
    # mended: only the failed one runs again
    (main / "hot/settings.xml").unlink()
    run_inverse(main / "settings.xml")
    assert (step / "cold/traj.dump").stat().st_mtime_ns == kept.st_mtime_ns
    assert tables(main) == tables(finished)


def test_one_states_process_is_killed(tmp_path: Path) -> None:
    """In mid-run; the other state goes on to its end, and the next run resumes the killed one."""
    reference = make_states(tmp_path / "reference", production=400)
    run_inverse(reference / "settings.xml")
    main = make_states(tmp_path / "case", production=400)
    edit(main / "settings.xml", {"<tasks>1": "<tasks>2"})
    slow = main / "slow"
    slow.touch()
    process = start_ours(main)
    thermo = main / "step_001/hot/thermo.dat"
    wait_for(lambda: _rows(thermo) > 3 or process.poll() is not None, "some frames")
    child = _child(process.pid, "hot")
    assert child is not None
    os.kill(child, signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the simulation of hot has failed" in output
    assert "state hot: ended by signal 9" in output
    assert (main / "step_001/hot/ase_checkpoint.npz").is_file()
    assert not (main / "step_001/hot/traj.dump").exists()
    cold = (main / "step_001/cold/traj.dump").stat().st_mtime_ns
    slow.unlink()
    run_inverse(main / "settings.xml")
    assert (main / "step_001/cold/traj.dump").stat().st_mtime_ns == cold
    assert tables(main) == tables(reference)


def test_simulations_left_over_by_a_killed_loop_keep_others_out(tmp_path: Path) -> None:
    """A launcher such as srun outlives the loop; two simulations must not write one state's files."""
    main = make_states(tmp_path / "case", production=400_000)
    edit(main / "settings.xml", {"</multistate>": "<launch>nice -n 1</launch></multistate>"})
    process = start_ours(main)
    thermo = [main / f"step_001/{state}/thermo.dat" for state in TEMPERATURES]
    wait_for(lambda: thermo[0].exists() or process.poll() is not None, "the first state")
    child = _child(process.pid, "cold")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    try:
        assert child is not None
        with pytest.raises(UserError, match=f"a simulation that process {process.pid} on .* had started"):
            run_inverse(main / "settings.xml")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _rows(path: Path) -> int:
    return path.read_text().count("\n") if path.is_file() else 0


def _child(parent: int, state: str) -> int | None:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                owner = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"run-state" in words and state.encode() in words and owner == parent:
                return int(entry.name)
    return None


def test_wall_time(finished: Path, tmp_path: Path) -> None:
    main = make_states(tmp_path / "case", iterations=1)
    assert "the wall time is up in step 1" in run_inverse(main / "settings.xml", wall_time=4)
    assert not (main / "step_001/done").exists()
    run_inverse(main / "settings.xml")
    assert tables(main) == tables(finished)


def test_each_state_has_its_own_alpha_weight_target_and_number_of_atoms(tmp_path: Path) -> None:
    main = make_states(tmp_path / "case", multistate="<state_weights>1 3</state_weights>")
    wibi = "<wibi><alpha>0.2</alpha><weight>power</weight><power>0.5</power></wibi>"
    own(
        main,
        "hot",
        f"<non-bonded><name>Ar-Ar</name><inverse><target>mine.tgt</target>{wibi}</inverse></non-bonded>",
    )
    (main / "hot/Ar-Ar.dist.tgt").rename(main / "hot/mine.tgt")
    more_atoms(main, "hot")
    run_inverse(main / "settings.xml")
    step = main / "step_001"
    assert "\n256\n" in (step / "hot/traj.dump").read_text()[:200]
    assert "\n108\n" in (step / "cold/traj.dump").read_text()[:200]
    cold = expected_update(step, "Ar-Ar", "cold", 0.5, kbt_kjmol(100.0))
    g, target = (read_table(step / f"hot/Ar-Ar.dist.{end}").y for end in ("new", "tgt"))
    with np.errstate(divide="ignore", invalid="ignore"):
        hot = 0.2 * kbt_kjmol(140.0) * np.sqrt(target) * np.log(g / target)
    both = np.isfinite(cold) & np.isfinite(hot)
    update = read_table(step / "Ar-Ar.dpot.pure_ibi").y
    assert both.sum() > 40
    np.testing.assert_allclose(update[both], (0.25 * cold + 0.75 * hot)[both], rtol=1e-6, atol=1e-9)


def test_a_state_with_a_model_of_its_own(tmp_path: Path) -> None:
    """Another well depth in one state; the module that makes it counts how often it is asked to."""
    main = make_states(tmp_path / "case", iterations=2)
    text = (main / "fluid.py").read_text()
    counting = "    with open(__file__ + '.count', 'a') as file:\n        file.write(f'{species}\\n')\n"
    at = text.index("    return Fluid(species, cutoff)")
    # a name of its own: other tests have imported fluid
    (main / "counted.py").write_text(text[:at] + counting + text[at:])
    edit(main / "settings.xml", {"fluid:lj": "counted:lj"})
    arguments = "<arguments>{species: {Ar: [0.0050, 3.40]}, cutoff: 8.0}</arguments>"
    own(main, "hot", f"<inverse><mlp>{arguments}</mlp></inverse>")
    run_inverse(main / "settings.xml")
    made = (main / "counted.py.count").read_text().splitlines()
    assert sorted(made) == ["{'Ar': [0.005, 3.4]}", "{'Ar': [0.0103, 3.4]}"]
    facts = [json.loads((main / "step_002" / s / "md_step.json").read_text()) for s in TEMPERATURES]
    assert facts[0]["inputs"]["model"] != facts[1]["inputs"]["model"]


def more_atoms(main: Path, state: str) -> None:
    """Give a state 256 atoms where the others have 108."""
    from ase.build import bulk
    from ase.io import write

    write(main / state / "conf.extxyz", bulk("Ar", "fcc", a=5.7, cubic=True).repeat(4))
    text = (main / "topol.xml").read_text()
    (main / state / "topol.xml").write_text(text.replace('nmols="108"', 'nmols="256"'))


def test_a_state_without_one_of_the_elements(tmp_path: Path) -> None:
    """Pure argon beside a mixture: two interactions are the mixture's alone."""
    main = make_states(tmp_path / "case", ("Ar", "Kr"), production=320)
    pure = make_case(tmp_path / "pure")
    for name in ("topol.xml", "conf.extxyz"):
        shutil.copy(pure / name, main / "cold" / name)
    for name in ("Ar-Kr", "Kr-Kr"):
        (main / f"cold/{name}.dist.tgt").unlink()
    run_inverse(main / "settings.xml")
    step = main / "step_001"
    for name in ("Ar-Kr", "Kr-Kr"):
        wanted = expected_update(step, name, "hot", 0.5, kbt_kjmol(140.0))
        update = read_table(step / f"{name}.dpot.pure_ibi")
        defined = np.isfinite(wanted)
        assert list(update.flags == "i") == list(defined)
        np.testing.assert_allclose(update.y[defined], wanted[defined], rtol=1e-6, atol=1e-9)
        assert not (step / f"cold/{name}.dist.new").exists()
    assert (step / "cold/Ar-Ar.dist.new").is_file()


def test_changes_are_told_by_state(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main = Path(shutil.copytree(finished, tmp_path / "case"))
    (main / "done").unlink()
    edit(main / "settings.xml", {"<iterations_max>2": "<iterations_max>3"})
    own(main, "hot", "<inverse><ase><timestep>2</timestep></ase></inverse>")
    run_inverse(main / "settings.xml")
    told = capsys.readouterr().out
    assert "CHANGED since step 002: cg.inverse.iterations_max was 2, is 3" in told
    assert told.count("iterations_max was 2") == 1
    assert "CHANGED since step 002: state hot: cg.inverse.ase.timestep was 4, is 2; affects the sim" in told


def test_the_number_at_a_time(finished: Path, tmp_path: Path) -> None:
    main = tmp_path
    shutil.copy(finished / "topol.xml", main)
    for name in TEMPERATURES:
        shutil.copytree(finished / name, main / name)
    text = (finished / "settings.xml").read_text()
    for tags, expected in (
        ("<tasks>7</tasks>", 2),
        ("", 1),
        ("<tasks>auto</tasks>", min(2, len(os.sched_getaffinity(0)))),
    ):
        (main / "settings.xml").write_text(text.replace("<tasks>1</tasks>", tags))
        assert plan_of(load_settings(main / "settings.xml")).at_once == expected
    (main / "settings.xml").write_text(text.replace("<tasks>1", "<tasks>many"))
    with pytest.raises(UserError, match="accepted: auto, or a whole number"):
        plan_of(load_settings(main / "settings.xml"))
