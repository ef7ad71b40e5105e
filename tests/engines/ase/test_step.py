"""A whole step: files, csg_stat, interruption at any moment."""

import io
import json
import resource
import shutil
import subprocess
import time

import ase.io
import numpy as np
import pytest

from tests.engines.ase.case import argon, evaluator, make_case, run_case, thermo
from tests.engines.killing import SlowEvaluator, kill_at_frame, start_step, to_its_end
from votca_mlp.engines.ase import checkpoint, run, step
from votca_mlp.engines.ase.output import COLUMNS, thermo_row
from votca_mlp.engines.shared.result import SUMMARY
from votca_mlp.engines.shared.stages import NAMES as STAGES
from votca_mlp.errors import UserError
from votca_mlp.progress import Progress
from votca_mlp.settings.plans import md_plan

FILES = ("traj.dump", "thermo.dat", "confout.extxyz")


def contents(settings) -> list[bytes]:
    return [(settings.path.parent / "step_001" / name).read_bytes() for name in FILES]


def test_files_of_a_step(tmp_path) -> None:
    settings = make_case(tmp_path)
    result = run_case(settings)
    directory = tmp_path / "step_001"
    assert result.status == "finished"
    assert result.steps_done == result.steps_total == 250
    assert sorted(path.name for path in directory.iterdir()) == sorted([*FILES, SUMMARY])
    rows = thermo(settings)
    assert rows[:, 0].tolist() == list(range(10, 251, 10))
    assert rows[:, 1].tolist() == [4.0 * n for n in range(10, 251, 10)]
    assert np.ptp(rows[:, 8]) < 1e-3 * rows[:, 7].mean()
    # N m / V, argon's mass in kg by its own constant
    assert rows[:, 4] == pytest.approx(108 * 39.948 * 1.66053906660e-27 / (rows[:, 5] * 1e-30), rel=1e-7)
    stages = [
        STAGES[int(line.split()[-1])] for line in (directory / "thermo.dat").read_text().splitlines()[1:]
    ]
    assert stages == ["equilibration"] * 5 + ["production"] * 20
    frames = ase.io.read(directory / "traj.dump", ":", format="lammps-dump-text")
    assert len(frames) == 20
    last = ase.io.read(directory / "confout.extxyz")
    assert frames[-1].positions == pytest.approx(last.positions, abs=1e-6)
    assert frames[-1].cell.array == pytest.approx(last.cell.array, abs=1e-9)
    assert last.get_temperature() * 108 / 107 == pytest.approx(rows[-1, 2], rel=1e-6)
    summary = json.loads((directory / SUMMARY).read_text())
    assert summary == result.summary
    assert summary["production"]["volume[A3]"]["mean"] == pytest.approx(rows[5:, 5].mean())
    assert summary["seed"] == 3


def test_kill_and_resume_is_bit_for_bit(tmp_path) -> None:
    whole, killed = make_case(tmp_path / "a"), make_case(tmp_path / "b")
    run_case(whole)
    directory = tmp_path / "b" / "step_001"
    kill_at_frame(start_step("tests.engines.ase.case", killed), directory / "traj.dump.part", 8)
    assert not (directory / "traj.dump").exists()
    assert (directory / checkpoint.NAME).exists()
    # what a crash may leave behind the checkpoint's length must go
    with open(directory / "traj.dump.part", "ab") as file:
        file.write(b"ITEM: TIMESTEP\n12")
    to_its_end(start_step("tests.engines.ase.case", killed))
    assert contents(killed) == contents(whole)


def test_a_run_that_wrote_stages_as_words_goes_on_with_words(tmp_path, monkeypatch) -> None:
    """As earlier versions did: the file is what it would have been, and has the same means."""
    whole, parts = make_case(tmp_path / "a"), make_case(tmp_path / "b")
    with monkeypatch.context() as earlier:
        earlier.setattr(run, "HEADER", "# " + " ".join(COLUMNS) + "\n")
        earlier.setattr(run, "thermo_row", lambda *row, words: thermo_row(*row, words=True))
        expected = run_case(whole).summary["production"]
        assert run_case(parts, deadline=time.time() + run.FINISHING_TIME + 0.05).status == "checkpointed"
    assert run_case(parts).summary["production"] == expected
    assert contents(parts) == contents(whole)
    assert (tmp_path / "b/step_001/thermo.dat").read_text().endswith(" production\n")


@pytest.mark.parametrize("ensemble", ["npt", "nvt"])
def test_deadline_stops_at_a_checkpoint_and_goes_on(tmp_path, ensemble, monkeypatch) -> None:
    whole = make_case(tmp_path / "a", ensemble=ensemble)
    parts = make_case(tmp_path / "b", ensemble=ensemble)
    run_case(whole)
    slow = SlowEvaluator(monkeypatch)
    # a checkpoint every 50 steps: the second is reached after about 105 s, the third would be too late
    deadline = slow.now + 140.0 + run.FINISHING_TIME
    result = run_case(parts, evaluator=slow, deadline=deadline)
    assert (result.status, result.steps_done) == ("checkpointed", 100)
    assert slow.now < 1e9 + 110.0
    # too late even for the first checkpoint: when the time is up there is one all the same
    begun = slow.now
    result = run_case(parts, evaluator=slow, deadline=begun + 30.0 + run.FINISHING_TIME)
    assert (result.status, result.steps_done) == ("checkpointed", 128)
    assert slow.now - begun < 45.0
    assert not (tmp_path / "b" / "step_001" / "traj.dump").exists()
    assert run_case(parts, evaluator=slow, deadline=slow.now + 500.0).status == "finished"
    assert contents(parts) == contents(whole)


def test_a_chain_of_short_jobs_comes_to_its_end(tmp_path, monkeypatch) -> None:
    """A calculator with lists of its own, and never the time to reach a regular checkpoint (every 50)."""
    settings = make_case(tmp_path)
    slow, done = SlowEvaluator(monkeypatch, known=False), [0]
    while done[-1] < 250:
        result = run_case(settings, evaluator=slow, deadline=slow.now + 30.0 + run.FINISHING_TIME)
        done.append(result.steps_done)
    assert result.status == "finished"
    assert done == sorted(set(done))
    assert thermo(settings)[:, 0].tolist() == list(range(10, 251, 10))


def test_setting_the_clock_changes_no_deadline(tmp_path, monkeypatch) -> None:
    settings = make_case(tmp_path)
    slow = SlowEvaluator(monkeypatch)
    begun = slow.now
    # an hour back, and more at every look
    monkeypatch.setattr(time, "time", lambda: begun - 200.0 * (slow.now - begun))
    result = run_case(settings, evaluator=slow, deadline=begun + 30.0 + run.FINISHING_TIME)
    assert result.status == "checkpointed"
    assert slow.now - begun < 35.0


def test_later_steps_are_shorter_and_differ(tmp_path) -> None:
    settings = make_case(tmp_path)
    run_case(settings)
    (tmp_path / "step_002").mkdir()
    result = run_case(settings, 2, plan={"start": tmp_path / "step_001" / "confout.extxyz"})
    assert result.steps_total == 225
    assert result.summary["start"] == str(tmp_path / "step_001" / "confout.extxyz")
    # a copy in the step directory, as csg_inverse makes it, is the same start
    again = tmp_path / "step_002b"
    again.mkdir()
    shutil.copy(tmp_path / "step_001" / "confout.extxyz", again / "conf.extxyz")
    step.run_step(
        md_plan(settings),
        evaluator(),
        step_directory=again,
        step_number=2,
        progress=Progress(None),
    )
    assert (again / "traj.dump").read_bytes() == (tmp_path / "step_002" / "traj.dump").read_bytes()


def test_max_steps_bounds_each_stage(tmp_path) -> None:
    settings = make_case(tmp_path)
    result = run_case(settings, max_steps=7)
    assert result.steps_total == 14
    text = (tmp_path / "step_001" / "traj.dump").read_text()
    assert text.count("TIMESTEP") == 1


def test_finished_step_is_not_run_again(tmp_path) -> None:
    settings = make_case(tmp_path)
    first = run_case(settings, max_steps=20)
    before = contents(settings)
    again = run_case(settings, max_steps=20)
    assert again.status == "finished"
    assert again.steps_per_second == 0
    assert again.summary == first.summary
    # another potential table is another run, and the old trajectory must not pass for it meanwhile
    (tmp_path / "step_001" / "Ar-Ar.pot.cur").write_text("0 0 i\n")
    result = run_case(settings, max_steps=20, deadline=0.0)
    assert result.status == "checkpointed"
    assert not (tmp_path / "step_001" / "traj.dump").exists()
    run_case(settings, max_steps=20)
    assert contents(settings) == before


def test_checkpoint_of_other_inputs(tmp_path) -> None:
    settings = make_case(tmp_path)
    assert run_case(settings, deadline=0.0, identity="model-a").status == "checkpointed"
    other = settings.model_copy(update={"ase": settings.ase.model_copy(update={"timestep": 2.0})})
    with pytest.raises(UserError, match=r"timestep was 4.0, is 2.0[\s\S]*remove .*ase_checkpoint.npz"):
        run_case(other, identity="model-a")
    with pytest.raises(UserError, match="model was model-a, is model-b"):
        run_case(settings, identity="model-b")
    limits = settings.ase.limits.model_copy(update={"distance_min": 0.5})
    relaxed = settings.model_copy(update={"ase": settings.ase.model_copy(update={"limits": limits})})
    assert run_case(relaxed, identity="model-a").status == "finished"


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "pickle"])
def test_damaged_checkpoint(tmp_path, damage) -> None:
    settings = make_case(tmp_path)
    run_case(settings, deadline=0.0)
    file = tmp_path / "step_001" / checkpoint.NAME
    data = bytearray(file.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0xFF
    if damage == "pickle":
        with open(file, "wb") as handle:
            np.savez(handle, header=np.array([{"format": 1}], dtype=object))
    else:
        file.write_bytes({"cut": data[: len(data) // 2], "flip": data, "empty": b""}[damage])
    with pytest.raises(UserError, match=r"the checkpoint is damaged[\s\S]*remove") as caught:
        run_case(settings)
    assert str(file) in str(caught.value)


def test_trajectory_shorter_than_recorded(tmp_path) -> None:
    settings = make_case(tmp_path, first_equilibration=0.0)
    run_case(settings, deadline=time.time() + run.FINISHING_TIME + 0.05)
    part = tmp_path / "step_001" / "thermo.dat"
    part.write_bytes(part.read_bytes()[:20])
    with pytest.raises(UserError, match="shorter than the"):
        run_case(settings)
    part.unlink()
    with pytest.raises(UserError, match="missing or shorter"):
        run_case(settings)


def test_no_space_left(tmp_path) -> None:
    settings = make_case(tmp_path)
    earlier = tmp_path / "step_000.txt"
    earlier.write_text("earlier")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        # the trajectory needs 75 kB, a checkpoint 8 kB
        resource.setrlimit(resource.RLIMIT_FSIZE, (30000, old[1]))
        with pytest.raises(UserError, match=r"traj.dump.part: cannot write: File too large") as caught:
            run_case(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert "run again to go on" in str(caught.value)
    assert earlier.read_text() == "earlier"
    assert not (tmp_path / "step_001" / "traj.dump").exists()
    # with space again the run goes on and gives what it would have given
    run_case(settings)
    whole = make_case(tmp_path / "whole")
    run_case(whole)
    assert contents(settings) == contents(whole)


@pytest.mark.skipif(shutil.which("csg_stat") is None, reason="VOTCA is not installed")
@pytest.mark.parametrize("name", ["traj.dump", "traj.gro"])
def test_csg_stat_reads_the_trajectory(tmp_path, name) -> None:
    """g(r) of an NPT run by csg_stat against distances from ASE."""
    options = {"production": 2000.0, "sample_every": 400.0, "barostat_time": 300.0, "traj": name}
    settings = make_case(tmp_path, argon(4), **options)
    run_case(settings)
    options = (
        "<cg><non-bonded><name>Ar-Ar</name><type1>Ar</type1><type2>Ar</type2>"
        "<min>0</min><max>0.9</max><step>0.02</step></non-bonded></cg>"
    )
    (tmp_path / "options.xml").write_text(options)
    traj = tmp_path / "step_001" / name
    command = ["csg_stat", "--top", "topol.xml", "--trj", str(traj), "--options", "options.xml"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    r, g = np.loadtxt(tmp_path / "Ar-Ar.dist.new", usecols=(0, 1), unpack=True)

    if name == "traj.gro":
        lines = traj.read_text().splitlines(keepends=True)
        frames = [
            ase.io.read(io.StringIO("".join(lines[n : n + 259])), format="gromacs")
            for n in range(0, len(lines), 259)
        ]
    else:
        frames = ase.io.read(traj, ":", format="lammps-dump-text")
        assert frames[0].get_chemical_formula() == "Ar256"
    assert len(frames) == 5
    assert np.ptp([frame.get_volume() for frame in frames]) > 1.0
    edges = np.append(r - 0.01, r[-1] + 0.01) * 10
    counts = np.zeros(len(r))
    for frame in frames:
        distances = frame.get_all_distances(mic=True)[np.triu_indices(256, 1)]
        counts += np.histogram(distances, edges)[0]
    volume = np.mean([frame.get_volume() for frame in frames])
    shells = 4 / 3 * np.pi * (edges[1:] ** 3 - np.maximum(edges[:-1], 0) ** 3)
    expected = counts / len(frames) * 2 * volume / (256**2 * shells)
    assert g.max() > 2
    # the last bin of csg_stat is half filled; its normalisation takes N (N - 1) / 2 or N^2 / 2 pairs
    ratio = g[expected > 0.1][:-1] / expected[expected > 0.1][:-1]
    assert ratio == pytest.approx(np.ones(len(ratio)), rel=0.006)
