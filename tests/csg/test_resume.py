"""A run stopped anywhere goes on to the same potentials."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import edit, inverse, make_case, needs_votca, start, wait_for, working_in
from tests.csg.conftest import HOOKS
from votca_mlp.tables import read_table

CHECKPOINT = "ase_checkpoint.npz"


def kill_group(directory: Path, seen: "object", what: str) -> None:
    """Start csg_inverse, wait for something and kill every process of it without warning."""
    process = start(directory)
    try:
        wait_for(lambda: seen() or process.poll() is not None, what)  # type: ignore[operator]
        assert process.poll() is None, process.communicate()[0]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_stopped_and_killed_everywhere(two_steps: tuple[Path, str], tmp_path: Path) -> None:
    whole, _ = two_steps
    main = make_case(tmp_path / "interrupted", iterations=1, interaction=HOOKS)
    step, log = main / "step_001", main / "inverse.log"

    # wall time: stops by itself at a checkpoint and says so
    status, output = inverse(main, "--wall-time", "5")
    assert status == 0, output
    assert "wall time is up" in output
    assert (step / CHECKPOINT).is_file()
    assert not (step / "traj.dump").exists()

    # csg_inverse alone is killed: its simulation ends too, so that the next one has the directory to itself
    process = start(main)
    first = (step / CHECKPOINT).stat().st_mtime_ns
    wait_for(lambda: (step / CHECKPOINT).stat().st_mtime_ns > first, "a second checkpoint")
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not working_in(step), "the simulation to end", 20.0)
    process.communicate()
    assert not (step / "traj.dump").exists()

    for words in (
        "Running subscript 'run_ase.sh",
        "Running subscript 'update_ibi_pot_ase.sh",
        "Doing postadd task 'shift'",
    ):
        before = log.read_text().count(words)
        kill_group(main, lambda words=words, before=before: log.read_text().count(words) > before, words)
        assert not (main / "done").exists()
    assert "post_update-Ar-Ar done" in (step / "restart_points.log").read_text()

    status, output = inverse(main)
    assert status == 0, output
    assert (step / "traj.dump").read_bytes() == (whole / "step_001/traj.dump").read_bytes()
    for name in ("Ar-Ar.dist.new", "Ar-Ar.dpot.new", "Ar-Ar.pot.new"):
        ours, theirs = read_table(step / name), read_table(whole / "step_001" / name)
        assert np.array_equal(ours.y, theirs.y), name
        assert (ours.flags == theirs.flags).all()


@pytest.mark.slow
@pytest.mark.parametrize("delay", range(12))
def test_killed_after_any_time(delay: int, two_steps: tuple[Path, str], tmp_path: Path) -> None:
    import time

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
    ours, theirs = (read_table(folder / "step_001/Ar-Ar.pot.new") for folder in (main, whole))
    assert np.array_equal(ours.y, theirs.y)


def test_run_bounds_of_votca(tmp_path: Path) -> None:
    """CSG_MDRUN_STEPS bounds each stage; a setting that would stop later is refused at step 0."""
    needs_votca()
    main = make_case(tmp_path / "short", iterations=1)
    edit(main / "settings.xml", {"<production>800</production>": "<production>400000</production>"})
    status, output = inverse(main, CSG_MDRUN_STEPS="20", CSG_RUNTEST="yes")
    assert status == 0, output
    assert "Simulation done: 40 MD steps" in output
