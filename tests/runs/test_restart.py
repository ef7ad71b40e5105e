"""The lines of VOTCA's restart file, and the record of a step."""

from pathlib import Path

import pytest

from votca_mlp.errors import UserError
from votca_mlp.runs.environment import allowed_steps, whole_number
from votca_mlp.runs.record import StepRecord, intact, read_record, timed, write_record
from votca_mlp.runs.restart import SIMULATION, STEPDIR, RestartFile


def test_marks_are_kept_once_and_can_be_forgotten(tmp_path: Path) -> None:
    restart = RestartFile(tmp_path / "restart_points.log")
    assert not restart.exists()
    restart.mark(STEPDIR, SIMULATION)
    restart.mark(SIMULATION)
    assert restart.path.read_text() == "stepdir done\nSimulation done\n"
    restart.unmark(STEPDIR)
    assert not restart.done(STEPDIR)
    assert restart.done(SIMULATION)


def test_a_record_knows_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    record = StepRecord()
    with timed(record, "rdf"):
        record.add(tmp_path, "a")
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert record.seconds["rdf"] >= 0.0
    assert intact(record, tmp_path, ["a"])
    (tmp_path / "a").write_text("on")
    assert not intact(record, tmp_path, ["a"])
    assert not intact(record, tmp_path, ["b"])
    with pytest.raises(UserError, match="damaged: 2 bytes instead of 3"):
        record.check(tmp_path, "a", remedy="the file")


def test_numbers_of_the_environment() -> None:
    assert whole_number("CSG_NUM_THREADS", {}) is None
    assert allowed_steps({"CSG_MDRUN_STEPS": "50"}) == 50
    assert allowed_steps({"CSG_MDRUN_STEPS": "50", "CSG_DONT_OVERWRITE_MDRUN_STEPS": "yes"}) is None
    with pytest.raises(UserError, match="CSG_NUM_THREADS is '0'"):
        whole_number("CSG_NUM_THREADS", {"CSG_NUM_THREADS": "0"})
