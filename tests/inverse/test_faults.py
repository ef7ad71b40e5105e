"""Kills in every write, full disks, damaged files, a clock that goes back: same potentials, or a refusal."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.csg.case import VOTCA_MLP, edit, environment, make_case, wait_for
from tests.csg.conftest import HOOKS
from tests.inverse.case import alone, ours, potentials, start_ours
from votca_mlp.errors import UserError
from votca_mlp.inverse.from_settings import inverse_plan
from votca_mlp.inverse.start import run_inverse, run_plan
from votca_mlp.runs.lock import NAME as LOCK
from votca_mlp.runs.lock import locked
from votca_mlp.runs.record import NAME as RECORD
from votca_mlp.settings import load_settings

SHORT = {
    "<first_equilibration>400": "<first_equilibration>40",
    "<checkpoint_every>400": "<checkpoint_every>80",
}


def short_case(directory: Path) -> Path:
    """Write a case whose iteration takes a fraction of a second."""
    main = make_case(directory, interaction=HOOKS, production=160)
    edit(main / "settings.xml", SHORT)
    return main


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One iteration without any fault."""
    main = short_case(tmp_path_factory.mktemp("faults") / "finished")
    run_inverse(main / "settings.xml")
    return main


def in_step_1(finished: Path, directory: Path, *, without: tuple[str, ...] = ("done",)) -> Path:
    """Return a copy in which step_001 lacks some files, as an interrupted run leaves it."""
    main = shutil.copytree(finished, directory)
    (main / "done").unlink()
    for name in without:
        (main / "step_001" / name).unlink()
    return Path(main)


def test_faults_in_every_write(finished: Path, tmp_path: Path) -> None:
    main = short_case(tmp_path / "case")
    shutil.copytree(finished / "step_000", main / "step_000")
    faults = ("storm", "full:100", "full:3000", "full:9000", "clock")
    done = subprocess.run(
        [sys.executable, "-m", "tests.inverse.harness", str(main), *faults],
        env=environment(PYTHONPATH=os.getcwd()),
        capture_output=True,
        text=True,
        timeout=300,
    )
    results = {data["fault"]: data for data in map(json.loads, done.stdout.splitlines())}
    assert set(results) == set(faults), done.stderr
    wanted = potentials(finished, 1)
    for words, data in results.items():
        ends = data["ends"]
        assert ends[-1]["status"] == 0, (words, ends[-1])
        assert potentials(Path(data["main"]), 1) == wanted, words
        left = {path.name for path in (finished / "step_001").iterdir()}
        found = {path.name for path in (Path(data["main"]) / "step_001").iterdir()}
        assert {name for name in found if not name.endswith(".part")} == left, words
        if words == "storm":
            assert all(end["status"] == -signal.SIGKILL for end in ends[:-1])
            assert len(ends) > 30
        elif words == "clock":
            assert len(ends) == 1
        else:
            assert [end["status"] for end in ends] == [1, 0], (words, ends[0]["error"])
            assert "cannot write" in ends[0]["error"]
            assert str(data["main"]) in ends[0]["error"]


def cut(path: Path, *, lines: int | None = None) -> None:
    """Cut a file: its last lines, or half of its bytes."""
    text = path.read_text()
    kept = text.splitlines(keepends=True)[:-lines] if lines else [text[: len(text) // 2]]
    path.write_text("".join(kept))


FRAME = 9 + 108
UPDATE = ("done", "Ar-Ar.pot.new", "Ar-Ar.dist.new")


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        ("step_000/Ar-Ar.pot.new", 1, "step_000/Ar-Ar.pot.new: the file is damaged"),
        ("step_000/Ar-Ar.pot.new", None, "step_000/Ar-Ar.pot.new: the file is damaged"),
        ("step_001/Ar-Ar.pot.cur", 1, "step_001/Ar-Ar.pot.cur: the file is damaged"),
        ("step_001/traj.dump", FRAME, "step_001/traj.dump: the file is damaged"),
        ("step_001/traj.dump", None, "step_001/traj.dump: the file is damaged"),
        ("Ar-Ar.dist.tgt", None, "names Ar-Ar.dist.tgt, which covers only"),
        ("step_001/votca_mlp_step.json", 3, "votca_mlp_step.json: the record of the step is damaged"),
    ],
)
def test_a_damaged_file_is_named(
    finished: Path, tmp_path: Path, name: str, lines: int | None, message: str
) -> None:
    main = in_step_1(finished, tmp_path / "case", without=UPDATE)
    if name.startswith("step_000"):
        shutil.rmtree(main / "step_001")
    cut(main / name, lines=lines)
    with pytest.raises(UserError, match="accepted") as error:
        run_inverse(main / "settings.xml")
    assert message in str(error.value)
    assert not (main / "step_001/Ar-Ar.pot.new").exists()


@pytest.mark.parametrize("lines", [FRAME, 5])
def test_a_cut_trajectory_without_a_record(finished: Path, tmp_path: Path, lines: int) -> None:
    """What csg_inverse leaves has no digests: frames are counted."""
    main = in_step_1(finished, tmp_path / "case", without=(*UPDATE, RECORD))
    cut(main / "step_001/traj.dump", lines=lines)
    with pytest.raises(UserError, match=r"traj.dump.*: the trajectory is cut short"):
        run_inverse(main / "settings.xml")
    # as the message says
    (main / "step_001/traj.dump").unlink()
    run_inverse(main / "settings.xml")
    assert potentials(main, 1) == potentials(finished, 1)


def test_damage_after_the_step_does_not_reach_the_next(finished: Path, tmp_path: Path) -> None:
    main = in_step_1(finished, tmp_path / "case", without=())
    edit(main / "settings.xml", {"<iterations_max>1": "<iterations_max>2"})
    table = main / "step_001/Ar-Ar.pot.new"
    table.write_text(table.read_text().replace("0.4 ", "0.4 1", 1))
    with pytest.raises(UserError, match="has changed since the step wrote it") as error:
        run_inverse(main / "settings.xml")
    assert f"if the change is meant, remove {main}/step_001/{RECORD}" in str(error.value)
    (main / "step_001" / RECORD).unlink()
    run_inverse(main / "settings.xml")
    assert (main / "step_002/done").is_file()


def test_a_step_of_unknown_state_is_refused(finished: Path, tmp_path: Path) -> None:
    main = in_step_1(finished, tmp_path / "case", without=("done", "restart_points.log"))
    with pytest.raises(UserError, match=r"step_001: the step directory has no restart_points\.log"):
        run_inverse(main / "settings.xml")


def test_the_second_run_is_refused(tmp_path: Path) -> None:
    main = make_case(tmp_path / "case", production=400_000)
    first = start_ours(main)
    try:
        wait_for(lambda: (main / "step_001/thermo.dat").exists() or first.poll() is not None, "the MD")
        assert first.poll() is None
        status, output = ours(main)
        assert status == 1
        assert f"another run works in this directory: process {first.pid} on {socket.gethostname()}" in output
    finally:
        alone(first)
    # the lock of the dead process is taken over
    assert (main / LOCK).read_text().startswith(str(first.pid))
    with locked(main):
        assert (main / LOCK).read_text().split()[0] == str(os.getpid())


def test_csg_inverses_simulation_holds_the_lock_too(finished: Path, tmp_path: Path) -> None:
    main = in_step_1(finished, tmp_path / "case", without=("done", "traj.dump"))
    variables = {"CSGXMLFILE": str(main / "settings.xml"), "CSG_MAINDIR": str(main)}
    words = [VOTCA_MLP, "csg", "run"]
    step = main / "step_001"
    with locked(main):
        done = subprocess.run(words, cwd=step, env=environment(**variables), capture_output=True, text=True)
    assert done.returncode == 1
    assert f"another run works in this directory: process {os.getpid()}" in done.stderr
    assert not (step / "traj.dump").exists()


def test_done_stays_where_another_run_works(finished: Path, tmp_path: Path) -> None:
    """Whoever asks for more iterations, as ``vm.correct`` does, changes nothing before the lock is had."""
    main = Path(shutil.copytree(finished, tmp_path / "case"))
    plan = inverse_plan(load_settings(main / "settings.xml"))
    with locked(main), pytest.raises(UserError, match="another run works in this directory"):
        run_plan(plan, again=True)
    assert (main / "done").is_file()


def test_changes_are_told(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = in_step_1(finished, tmp_path / "case")
    changes = {"<alpha>0.5": "<alpha>0.25", "<iterations_max>1": "<iterations_max>2"}
    edit(main / "settings.xml", changes)
    target = main / "Ar-Ar.dist.tgt"
    target.write_text(target.read_text() + "# measured again\n")
    topology = main / "topol.xml"
    topology.write_text(topology.read_text() + "\n")
    run_inverse(main / "settings.xml", do_iterations=1)
    told = capsys.readouterr().out
    assert (
        "CHANGED since step 001: cg.non-bonded[Ar-Ar].wibi.alpha was 0.5, is 0.25; affects the updates from "
        "step 001 on" in told
    )
    assert "CHANGED since step 001: cg.inverse.iterations_max was 1, is 2" in told
    assert "CHANGED since step 001: Ar-Ar.dist.tgt has changed; affects the updates from step 001 on" in told
    assert "WARNING: topol.xml of the main directory has changed since this step began" in told
