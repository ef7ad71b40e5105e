"""votca-mlp status."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.report.runs import make_run
from votca_mlp.cli.app import app
from votca_mlp.runs import claim
from votca_mlp.runs.lock import NAME, locked


def test_table_and_outcome(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 4)
    result = CliRunner().invoke(app, ["status", str(run)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "first iteration (the model alone) against last" in result.output
    assert len(result.output.splitlines()) > 10


def test_one_iteration_has_no_outcome(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 1)
    result = CliRunner().invoke(app, ["status", str(run)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "against last" not in result.output


def test_the_first_step_under_way(tmp_path: Path) -> None:
    """Nothing is measured: no column of that, and no word on one."""
    run = make_run(tmp_path / "run", 4)
    under_way(run)
    for step in run.glob("step_00[1-4]"):
        shutil.rmtree(step)
    with locked(run):
        output = shown(run)
    assert "1.23 ps" in output
    assert "rms" not in output
    assert "du" not in output


def shown(run: Path, *options: str) -> str:
    result = CliRunner().invoke(app, ["status", str(run), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def under_way(run: Path) -> None:
    """Add a step whose simulation is at 1.23 ps."""
    step = run / "step_005"
    step.mkdir()
    (step / "thermo.dat").write_text("# step time[fs]\n50 1234.5 310 production\n")


def test_whether_a_process_works_on_it(tmp_path: Path) -> None:
    """Ours by its lock, csg_inverse by its claim; one that has ended is not running, and no time is left."""
    run = make_run(tmp_path / "run", 4)
    under_way(run)
    assert "stopped at 1.23 ps" in shown(run)
    assert "stopped: interrupted or killed; run it again to go on" in shown(run)
    # as csg_inverse --do-iterations 5 ends
    (run / "step_005/done").touch()
    assert "stopped: step 5 is done; run it again to go on" in shown(run)
    (run / "step_005/done").unlink()
    with locked(run):
        assert "stopped" not in shown(run)
        assert "so far" in shown(run)
    (run / "votca_mlp_run.yaml").write_text("stopped: UserError the disk is full\n")
    assert "stopped: UserError the disk is full" in shown(run)
    claim.claim(run, os.getppid())
    assert "stopped" not in shown(run)
    (run / claim.NAME).write_text("999999999 0 here\n")
    os.utime(run / claim.NAME, (time.time() + 60,) * 2)
    assert "stopped at 1.23 ps" in shown(run)
    assert "stopped: interrupted, killed, or its wall time was up" in shown(run)
    # a name left behind by another host's run: nothing is known
    (run / NAME).write_text("12 another-host\n")
    assert "stopped" not in shown(run)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_fits_the_terminal(tmp_path: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    run = make_run(tmp_path / "run", 4)
    under_way(run)
    output = shown(run)
    assert max(map(len, output.splitlines())) <= width
    headings = [line for line in output.splitlines() if line.startswith("step  ")]
    # cut between columns, each part with the numbers of its rows
    assert len(headings) == {60: 3, 80: 2, 200: 1}[width]
    assert "g - target, 2 to 10 Angstrom" in " ".join(output.split())


def test_verdict_and_json(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 4)
    words = " ".join(shown(run).split())
    assert "Al-Al, step 4: g(r) does not agree" in words or "Al-Al, step 4: g(r) agrees" in words
    assert "u(r) of this g(r): step_004/Al-Al.pot.cur" in words
    assert "density 2343.1 +- 2 kg/m3; no <target_density> to compare it with" in words
    found = json.loads(shown(run, "--json"))
    assert found["running"] is False
    assert [row["step"] for row in found["iterations"]] == [1, 2, 3, 4]
    last = found["iterations"][-1]
    assert last["density"] == {"mean": 2343.1, "error": 2.21}
    assert (last["agreement"]["r_min"], last["agreement"]["r_max"]) == (2.0, 10.0)
    assert found["iterations"][0]["corrected"] is False
