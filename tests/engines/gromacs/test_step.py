"""One step with a real GROMACS: what it leaves, checkpoints, deadlines."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import edit, start_program, wait_for, working_in
from tests.engines.gromacs.case import MDP, ROOT, evaluator, make_case, prepare, run, sockets
from votca_mlp.engines.gromacs.trajectory import read_gromacs_frames, read_trr
from votca_mlp.errors import UserError
from votca_mlp.settings.plans import md_plan
from votca_mlp.units import ANGSTROM_PER_NM, EV_PER_KJMOL

LONG = {"nsteps = 200": "nsteps = 600"}


def start_run(main: Path) -> "subprocess.Popen[str]":
    """Run the step in a process of its own."""
    return start_program(ROOT, sys.executable, "-m", "tests.engines.gromacs.case", str(main))


def test_a_step_at_constant_pressure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # as a job script sets it for the model: mdrun's -ntomp is another
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    settings, step = prepare(make_case(tmp_path / "main", ("Ar", "Kr")))
    result = run(settings, step)
    assert result.status == "finished"
    assert result.steps_done == result.steps_total == 200
    assert "through its PLUMED slot, constant pressure" in capfd.readouterr().err
    summary = json.loads((step / "md_step.json").read_text())
    assert summary["versions"]["gromacs"].startswith("20")
    # 0.2 to 0.8 ps, every 0.04 ps
    frames = list(read_gromacs_frames(md_plan(settings), step))
    assert len(frames) == summary["frames"] == 16
    assert list(frames[0].types[[0, 53, 54, 107]]) == ["Ar", "Ar", "Kr", "Kr"]
    volumes = np.array([frame.volume for frame in frames])
    assert np.ptp(volumes) > 1.0
    mean = summary["production"]["volume[A3]"]["mean"]
    assert mean == pytest.approx(volumes.mean(), rel=1e-6)
    density = 54 * (39.948 + 83.798) * 1660.539 / mean
    assert summary["production"]["density[kg/m3]"]["mean"] == pytest.approx(density, rel=1e-3)
    rows = np.loadtxt(step / "mlp.dat")
    assert list(rows[:, 0]) == list(range(0, 201, 10))
    assert (rows[:, 3] != 0).all()
    # once finished, it is not run again
    again = run(settings, step)
    assert (again.status, again.steps_per_second) == ("finished", 0.0)
    assert not (step / "state.cpt").exists()


def test_forces_and_pressure_in_gromacs_are_the_packages(tmp_path: Path) -> None:
    """Every tenth step of a run: forces from the trr, pressure from the edr, energy from the log."""
    from ase.io import read

    from votca_mlp.engines.gromacs.energy import read_energies

    main = make_case(tmp_path / "main", ("Ar", "Kr"))
    more = {"nsteps = 200": "nsteps = 50", "nstenergy = 10": "nstenergy = 10\nnstxout = 10\nnstfout = 10"}
    edit(main / "grompp.mdp", more)
    edit(main / "settings.xml", {"<equi_time>0.2": "<equi_time>0.1"})
    settings, step = prepare(main)
    own = evaluator(settings, step)
    run(settings, step, evaluator=own)
    energies = read_energies(md_plan(settings), step / "ener.edr", ["Pressure", "Kinetic-En.", "Potential"])
    # Lennard-Jones and charges are zero: GROMACS itself has no energy
    assert (energies["Potential"] == 0).all()
    log = np.loadtxt(step / "mlp.dat")
    atoms = read(main / "conf.extxyz")
    atoms.symbols[:] = ["Ar"] * 54 + ["Kr"] * 54
    frames = list(read_trr(step / "traj.trr"))
    assert [frame.step for frame in frames] == [0, 10, 20, 30, 40, 50]
    for k, frame in enumerate(frames):
        atoms.set_cell(frame.box * ANGSTROM_PER_NM)
        atoms.set_positions(frame.positions * ANGSTROM_PER_NM)
        own.forget()
        found = own.evaluate(atoms)
        assert frame.forces is not None
        forces = frame.forces * EV_PER_KJMOL / ANGSTROM_PER_NM
        np.testing.assert_allclose(forces, found.forces, atol=1e-6)
        assert log[k, 2] == pytest.approx(found.energy, abs=1e-6)
        volume = atoms.get_volume()
        kinetic = 2 * energies["Kinetic-En."][k] * EV_PER_KJMOL / volume
        pressure = (kinetic - np.trace(found.stress)) / 3 * 1.602176634e6
        assert energies["Pressure"][k] == pytest.approx(pressure, abs=0.05)


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main")
    edit(main / "grompp.mdp", LONG)
    # minutes between checkpoints
    edit(main / "settings.xml", {"</command>\n": "</command><opts>-cpt 0.02</opts>\n"})
    _, step = prepare(main)
    (main / "slow").touch()
    process = start_run(main)
    wait_for(lambda: (step / "state.cpt").is_file() and (step / "mlp.dat").is_file(), "a checkpoint")
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    # mdrun notices that the evaluator has gone, and nothing is left running
    wait_for(lambda: not working_in(step), "the end of mdrun")
    assert not (step / "confout.gro").exists()
    (main / "slow").unlink()
    resumed = start_run(main)
    output, _ = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, output
    assert "resumed from state.cpt" in output
    rows = np.loadtxt(step / "mlp.dat")
    assert list(rows[:, 0]) == list(range(0, 601, 10))
    assert json.loads((step / "md_step.json").read_text())["production"]["temperature[K]"]["samples"] == 56
    # another temperature is another run
    (step / "state.cpt").write_bytes(b"x")
    (step / "md_step.json").unlink()
    (step / "grompp.mdp").write_text(MDP.replace("gen-seed = 7", "gen-seed = 8"))
    from votca_mlp.settings import load_settings

    with pytest.raises(UserError, match=r"the checkpoint belongs to other inputs: grompp.mdp was"):
        run(load_settings(main / "settings.xml"), step)


def test_asked_to_end_it_leaves_a_checkpoint(tmp_path: Path) -> None:
    main = make_case(tmp_path / "main")
    edit(main / "grompp.mdp", {"nsteps = 200": "nsteps = 60000"})
    settings, step = prepare(main)
    (main / "slow").touch()
    before = sockets()
    process = start_run(main)
    wait_for(lambda: (step / "mlp.dat").is_file(), "the simulation")
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, output
    assert (step / "state.cpt").is_file()
    assert not (step / "confout.gro").exists()
    wait_for(lambda: not working_in(step), "the end of what was started")
    assert sockets() == before
    result = run(settings, step, deadline=time.time() + 8.0)
    assert result.status == "checkpointed"
    assert 0 < result.steps_done < 60000
    # no time left is no time without limit; some steps are made, or a chain of such jobs would never end
    again = run(settings, step, deadline=time.time() - 5.0)
    assert again.status == "checkpointed"
    assert result.steps_done < again.steps_done < 60000
    (step / "state.cpt").unlink()
    with pytest.raises(UserError, match="the wall time is up before the first MD step"):
        run(settings, step, deadline=time.time() - 5.0)


def test_max_steps_shorten_a_run(tmp_path: Path) -> None:
    settings, step = prepare(make_case(tmp_path / "main"))
    result = run(settings, step, max_steps=60)
    assert (result.status, result.steps_done) == ("finished", 60)
