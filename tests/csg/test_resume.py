"""A run stopped anywhere goes on to the same potentials."""

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import (
    FOREGROUND,
    csg_call,
    inverse,
    make_case,
    start,
    start_program,
    wait_for,
    working_in,
)
from tests.csg.conftest import HOOKS
from votca_mlp.tables import read_table

CHECKPOINT = "ase_checkpoint.npz"
AFTER_MD = ("(from tags rdf ase)", "(from tags update ibi_pot)", "(from tags add_pot ibi)")


def kill_group(directory: Path, seen: "object", what: str) -> None:
    """Start csg_inverse, wait for something and kill every process of it without warning."""
    process = start(directory)
    try:
        wait_for(lambda: seen() or process.poll() is not None, what)  # type: ignore[operator]
        assert process.poll() is None, process.communicate()[0]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_stopped_and_killed(two_steps: tuple[Path, str], tmp_path: Path) -> None:
    whole, _ = two_steps
    main = make_case(tmp_path / "interrupted", interaction=HOOKS)
    shutil.copytree(whole / "step_000", main / "step_000")
    step, slow = main / "step_001", main / "slow"
    slow.touch()

    # wall time: stops by itself at a checkpoint and says so
    status, output = inverse(main, "--wall-time", "5")
    assert status == 0, output
    assert "wall time is up" in output
    assert (step / CHECKPOINT).is_file()
    assert not (step / "traj.dump").exists()

    saved = (step / CHECKPOINT).stat().st_mtime_ns
    kill_group(main, lambda: (step / CHECKPOINT).stat().st_mtime_ns > saved, "a second checkpoint")
    wait_for(lambda: not working_in(step), "the end of what was started")
    assert not (step / "traj.dump").exists()

    slow.unlink()
    status, output = inverse(main)
    assert status == 0, output
    assert (step / "traj.dump").read_bytes() == (whole / "step_001/traj.dump").read_bytes()
    same_step(step, whole / "step_001")


def same_step(ours: Path, theirs: Path) -> None:
    """Compare the numbers of two steps, which must be equal to the last digit."""
    for name in ("Ar-Ar.dist.new", "Ar-Ar.dpot.new", "Ar-Ar.pot.new"):
        a, b = read_table(ours / name), read_table(theirs / name)
        assert np.array_equal(a.y, b.y), name
        assert (a.flags == b.flags).all()


def test_an_interrupted_update_starts_afresh(two_steps: tuple[Path, str], tmp_path: Path) -> None:
    """VOTCA would repeat the update but skip its tasks, which are marked as done."""
    main = shutil.copytree(two_steps[0], tmp_path / "again")
    restart = main / "step_001/restart_points.log"
    before = restart.read_text()
    assert "post_update-Ar-Ar done" in before
    assert "post_add-Ar-Ar done" in before
    status, output = csg_call(main / "step_001", "pre_update", "ibi")
    assert status == 0, output
    kept = [line for line in before.splitlines() if not line.startswith("post_")]
    assert restart.read_text().splitlines() == kept
    assert "Simulation done" in kept


def test_ctrl_c_after_the_simulation_says_the_cause(two_steps: tuple[Path, str], tmp_path: Path) -> None:
    """VOTCA's scripts alone would end without a word, or with the name of the subscript that "failed"."""
    main = make_case(tmp_path / "interrupted", interaction=HOOKS)
    for number in (0, 1):
        shutil.copytree(two_steps[0] / f"step_{number:03d}", main / f"step_{number:03d}")
    (main / "step_001/done").unlink()
    log, words = main / "inverse.log", random.Random(7).choice(AFTER_MD)
    command = ("csg_inverse", "--options", "settings.xml")
    process = start_program(main, sys.executable, "-c", FOREGROUND, *command)
    wait_for(lambda: log.is_file() and words in log.read_text(), words)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert output.count("interrupted; run csg_inverse again to go on") == 1
    assert "ERROR" not in output
    assert "Traceback" not in output


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    ["Running subscript 'update_ibi_pot_mlp.sh", "Doing postupd task 'smooth'", "Doing postadd task 'shift'"],
)
def test_killed_in_the_update(words: str, two_steps: tuple[Path, str], tmp_path: Path) -> None:
    whole, _ = two_steps
    main = make_case(tmp_path / "killed", interaction=HOOKS)
    for number in (0, 1):
        shutil.copytree(whole / f"step_{number:03d}", main / f"step_{number:03d}")
    (main / "step_001/done").unlink()
    log = main / "inverse.log"
    kill_group(main, lambda: log.is_file() and words in log.read_text(), words)
    assert not (main / "step_001/done").exists()
    status, output = inverse(main)
    assert status == 0, output
    same_step(main / "step_001", whole / "step_001")


@pytest.mark.slow
@pytest.mark.parametrize("delay", range(12))
def test_killed_after_any_time(delay: int, two_steps: tuple[Path, str], tmp_path: Path) -> None:
    whole, _ = two_steps
    main = make_case(tmp_path / "killed", iterations=1, interaction=HOOKS)
    process = start(main)
    time.sleep(1.0 + 1.7 * delay)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    for number in (0, 1):
        folder = main / f"step_{number:03d}"
        # VOTCA refuses a step directory in which it had not yet begun its log
        if folder.is_dir() and not (folder / "restart_points.log").is_file():
            folder.rmdir()
    status, output = inverse(main)
    assert status == 0, output
    same_step(main / "step_001", whole / "step_001")
