"""A whole step in LAMMPS itself: files, physics, interruption at any moment."""

import json
import shutil
import signal
import subprocess
import zipfile
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.md.verlet import VelocityVerlet
from ase.units import fs

from tests.csg.case import wait_for, working_in
from tests.engines.ase.case import argon, evaluator
from tests.engines.killing import Interrupted, SlowEvaluator, kill_at_frame, start_step, to_its_end
from tests.engines.lammps.case import FILES, SCRIPT, make_case, run_case
from votca_mlp.engines.lammps.checkpoint import NAME
from votca_mlp.engines.shared.result import SUMMARY
from votca_mlp.errors import UserError
from votca_mlp.evaluation.calculator import MLPCalculator


def log_rows(directory: Path, first: str = "Step") -> list[dict[str, float]]:
    """Thermo output of log.lammps, all runs."""
    rows, names = [], None
    for line in (directory / "log.lammps").read_text().splitlines():
        words = line.split()
        if words[:1] == [first]:
            names = words
        elif names and len(words) == len(names):
            try:
                rows.append(dict(zip(names, map(float, words), strict=True)))
            except ValueError:
                names = None
        else:
            names = None
    return rows


@pytest.mark.parametrize("tilt", ["0.0 0.0 0.0", "1e-7 0 0", "0.5 0.0 0.0"])
def test_a_data_file_with_a_line_of_tilts(tmp_path, tilt: str) -> None:
    """Such as atomsk and OVITO write: LAMMPS counts the box as triclinic, and csg_stat reads no such dump."""
    settings = make_case(tmp_path)
    directory = tmp_path / "step_001"
    data = (directory / "conf.data").read_text()
    (directory / "conf.data").write_text(data.replace(" zlo zhi", f" zlo zhi\n{tilt} xy xz yz"))
    if tilt.startswith("0.5"):
        with pytest.raises(UserError, match=r"in\.lmp: the box is tilted by 0\.5 Angstrom"):
            run_case(settings, max_steps=5)
        return
    assert run_case(settings, max_steps=10).status == "finished"
    assert "ITEM: BOX BOUNDS pp pp pp" in (directory / "traj.dump").read_text()


def test_a_box_that_a_later_run_could_tilt(tmp_path) -> None:
    script = SCRIPT.replace("run         60\n", "run 5\nunfix 1\nchange_box all triclinic\nfix 1 all nve\n")
    with pytest.raises(UserError, match=r"in\.lmp:\d+: LAMMPS counts the box as triclinic"):
        run_case(make_case(tmp_path, script=script))


def test_files_of_a_step(tmp_path) -> None:
    settings = make_case(tmp_path)
    result = run_case(settings)
    directory = tmp_path / "step_001"
    assert result.status == "finished"
    assert result.steps_done == result.steps_total == 260
    made = {"lammps.out", "log.lammps", SUMMARY, *FILES}
    assert {path.name for path in directory.iterdir()} == {"in.lmp", "topol.xml", "conf.data", *made}
    frames = ase.io.read(directory / "traj.dump", ":", format="lammps-dump-text")
    assert len(frames) == 21
    assert frames[0].get_chemical_formula() == "Ar108"
    # LAMMPS's own thermo output, which is printed every 50 steps, has the same numbers as thermo.dat
    thermo = {int(row[0]): row for row in np.loadtxt(directory / "thermo.dat")}
    logged = {int(row["Step"]): row for row in log_rows(directory)}
    for step in (100, 150, 200, 250):
        assert thermo[step][1] == 4.0 * step
        assert thermo[step][2] == pytest.approx(logged[step]["Temp"], rel=1e-6)
        assert thermo[step][3] == pytest.approx(logged[step]["Press"], rel=1e-6)
    means = result.summary["production"]
    # N m / V, argon's mass in kg by its own constant
    density = np.mean([108 * 39.948 * 1.66053906660e-27 / (f.get_volume() * 1e-30) for f in frames])
    assert means["density[kg/m3]"]["mean"] == pytest.approx(density, rel=1e-5)
    assert means["temperature[K]"]["samples"] == 21
    summary = json.loads((directory / SUMMARY).read_text())
    assert summary == result.summary
    assert max(summary["step_0_differs_by"].values()) < 1e-2
    # the next step can begin from the last configuration, and it is the last frame
    last = ase.io.read(directory / "confout.data", format="lammps-data")
    difference = last.positions - frames[-1].positions
    difference -= np.diag(last.cell) * np.round(difference / np.diag(last.cell))
    assert np.abs(difference).max() < 1e-4


NVE = """units metal
atom_style atomic
read_data conf.data
timestep 0.004
fix 1 all nve
thermo 1
thermo_style custom step pe ke etotal pxx pyy pzz pxy pxz pyz
dump traj all custom 100 traj.dump id type element x y z
dump_modify traj format float %.15g
run 100
"""


def test_the_same_motion_as_ase(tmp_path) -> None:
    """Velocity Verlet from rest: LAMMPS with our forces against ASE with our calculator, step by step."""
    atoms = argon()
    atoms.rattle(0.1, seed=4)
    settings = make_case(tmp_path, atoms, NVE)
    run_case(settings)
    atoms.calc = MLPCalculator(evaluator())
    dynamics = VelocityVerlet(atoms, 4.0 * fs)
    rows = log_rows(tmp_path / "step_001")
    # run 0 prints it too, and the run in two parts of 50 prints step 50 twice
    logged = {int(row["Step"]): row for row in rows}
    assert sorted(logged) == list(range(101))
    energies = []
    for step in range(101):
        assert logged[step]["PotEng"] == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
        assert logged[step]["KinEng"] == pytest.approx(atoms.get_kinetic_energy(), abs=1e-6)
        energies.append(logged[step]["TotEng"])
        dynamics.run(1)
    assert np.ptp(energies) < 2e-3 * max(logged[k]["KinEng"] for k in logged)
    last = ase.io.read(tmp_path / "step_001" / "traj.dump", "-1", format="lammps-dump-text")
    dynamics = None
    again = argon()
    again.rattle(0.1, seed=4)
    again.calc = MLPCalculator(evaluator())
    VelocityVerlet(again, 4.0 * fs).run(100)
    difference = last.positions - again.positions
    difference -= np.diag(again.cell) * np.round(difference / np.diag(again.cell))
    # LAMMPS's constants of force and mass differ from ASE's in the eighth digit
    assert np.abs(difference).max() < 1e-6


def test_kill_and_resume_is_bit_for_bit(tmp_path) -> None:
    whole, killed = make_case(tmp_path / "a"), make_case(tmp_path / "b")
    run_case(whole)
    directory = tmp_path / "b" / "step_001"
    kill_at_frame(start_step("tests.engines.lammps.case", killed), directory / "traj.dump", 14)
    assert not (directory / "confout.data").exists()
    assert (directory / NAME).exists()
    # LAMMPS must not live on and write into the step
    wait_for(lambda: not working_in(directory), "LAMMPS to end with its parent", 10.0)
    with open(directory / "traj.dump", "ab") as file:
        file.write(b"ITEM: TIMESTEP\n12")
    to_its_end(start_step("tests.engines.lammps.case", killed))
    for name in ("traj.dump", "confout.data"):
        assert (directory / name).read_bytes() == (tmp_path / "a" / "step_001" / name).read_bytes()
    summaries = [json.loads((tmp_path / name / "step_001" / SUMMARY).read_text()) for name in "ab"]
    assert summaries[0]["production"] == summaries[1]["production"]


def test_deadline_stops_at_a_checkpoint_and_goes_on(tmp_path, monkeypatch) -> None:
    settings = make_case(tmp_path)
    slow = SlowEvaluator(monkeypatch)
    deadline = slow.now + 100.0
    result = run_case(settings, evaluator=slow, deadline=deadline)
    assert result.status == "checkpointed"
    assert 80 <= result.steps_done < 100
    assert slow.now <= deadline
    # it stopped at once, not at a multiple of checkpoint_every, and has lost nothing
    again = run_case(settings)
    assert again.status == "finished"
    assert again.summary["production"]["temperature[K]"]["samples"] == 21
    frames = ase.io.read(tmp_path / "step_001" / "traj.dump", ":", format="lammps-dump-text")
    assert len(frames) == 21


def test_jobs_shorter_than_a_start_come_to_an_end(tmp_path, monkeypatch) -> None:
    """Each makes a step; none was made, with exit status 0, for ever."""
    settings = make_case(tmp_path)
    slow = SlowEvaluator(monkeypatch)
    for made in (1, 2):
        result = run_case(settings, evaluator=slow, deadline=slow.now - 10.0)
        assert (result.status, result.steps_done) == ("checkpointed", made)


def test_frames_after_the_checkpoint_are_written_again(tmp_path) -> None:
    """Killed in the production, when the last checkpoint is of the equilibration."""
    settings, whole = make_case(tmp_path / "a"), make_case(tmp_path / "b")
    run_case(whole)
    assert run_case(settings, deadline=0.0).status == "checkpointed"
    directory = tmp_path / "a" / "step_001"
    shutil.copy(tmp_path / "b" / "step_001" / "traj.dump", directory / "traj.dump")
    shutil.copy(tmp_path / "b" / "step_001" / "thermo.dat", directory / "thermo.dat")
    result = run_case(settings)
    assert result.summary["production"]["temperature[K]"]["samples"] == 21
    frames = ase.io.read(directory / "traj.dump", ":", format="lammps-dump-text")
    assert len(frames) == 21


def test_max_steps_bounds_each_run(tmp_path) -> None:
    result = run_case(make_case(tmp_path), max_steps=20)
    assert result.steps_total == 40
    text = (tmp_path / "step_001" / "traj.dump").read_text()
    assert [line for line in text.splitlines() if line in ("20", "30", "40", "50")] == ["20", "30", "40"]


def test_finished_step_is_not_run_again(tmp_path) -> None:
    settings = make_case(tmp_path)
    first = run_case(settings, max_steps=20)
    again = run_case(settings, max_steps=20)
    assert again.steps_per_second == 0
    assert again.summary == first.summary
    # another potential table is another run, and the old results must not pass for its
    (tmp_path / "step_001" / "pair.pot.cur").write_text("0 0 i\n")
    assert run_case(settings, max_steps=20, deadline=0.0).status == "checkpointed"
    assert not (tmp_path / "step_001" / "confout.data").exists()
    assert run_case(settings, max_steps=20).status == "finished"


def test_a_script_with_its_own_fix_and_an_include(tmp_path) -> None:
    own = "fix mlp all external pf/callback 1 1\nfix_modify mlp energy yes virial yes\n"
    script = SCRIPT.replace("fix  ", "pair_style zero 7.0\npair_coeff * *\ninclude own.lmp\nfix  ", 1)
    settings = make_case(tmp_path / "a", script=script)
    (tmp_path / "a" / "step_001" / "own.lmp").write_text(own)
    run_case(settings, max_steps=20)
    plain = make_case(tmp_path / "b")
    run_case(plain, max_steps=20)
    frames = [
        ase.io.read(tmp_path / name / "step_001" / "traj.dump", ":", format="lammps-dump-text")
        for name in "ab"
    ]
    # LAMMPS sorts its atoms otherwise when it has a pair style
    for one, other in zip(*frames, strict=True):
        assert one.get_all_distances(mic=True) == pytest.approx(other.get_all_distances(mic=True), abs=1e-4)


@pytest.mark.skipif(shutil.which("csg_stat") is None, reason="VOTCA is not installed")
def test_csg_stat_reads_the_trajectory(tmp_path) -> None:
    from votca_mlp.observables.rdf import pair_histograms
    from votca_mlp.trajectories.dump import read_dump

    settings = make_case(tmp_path)
    run_case(settings)
    directory = tmp_path / "step_001"
    options = (
        "<cg><non-bonded><name>Ar-Ar</name><type1>Ar</type1><type2>Ar</type2>"
        "<min>0</min><max>0.7</max><step>0.02</step></non-bonded></cg>"
    )
    (directory / "options.xml").write_text(options)
    command = ["csg_stat", "--top", "topol.xml", "--trj", "traj.dump", "--options", "options.xml"]
    subprocess.run(command, cwd=directory, check=True, capture_output=True)
    r, g = np.loadtxt(directory / "Ar-Ar.dist.new", usecols=(0, 1), unpack=True)
    own = pair_histograms(read_dump(directory / "traj.dump"), [("Ar", "Ar")], 10 * r)
    assert g == pytest.approx(own.g(("Ar", "Ar")), abs=1e-6)
    assert g.max() > 1.5


@pytest.mark.usefixtures("caught_signals")
def test_interrupted_it_is_saved_at_that_step(tmp_path) -> None:
    """Ctrl-C, as it comes to the process of LAMMPS too, then SIGTERM: on from there to the end."""
    settings = make_case(tmp_path)
    steps = []
    for evaluations, number in ((77, signal.SIGINT), (60, signal.SIGTERM)):
        with pytest.raises(KeyboardInterrupt):
            run_case(settings, evaluator=Interrupted(evaluations, number))
        with zipfile.ZipFile(tmp_path / "step_001" / NAME) as archive:
            steps.append(json.loads(archive.read("checkpoint.json"))["done"])
    assert all(step % 50 for step in steps)
    assert 0 < steps[0] < steps[1]
    result = run_case(settings)
    assert (result.status, result.steps_done) == ("finished", 260)
    frames = ase.io.read(tmp_path / "step_001" / "traj.dump", ":", format="lammps-dump-text")
    assert len(frames) == 21
