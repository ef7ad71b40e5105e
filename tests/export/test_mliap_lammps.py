"""Format mliap in LAMMPS itself: energy, forces and pressure on one and on two ranks.

VOTCA_MLP_LAMMPS_MLIAP names a LAMMPS with ML-IAP and Python, such as ``/path/to/lmp``, and
VOTCA_MLP_LAMMPS_MPIRUN the launcher of its MPI, such as ``mpirun --oversubscribe``. Without
them the tests skip.
"""

import os
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from tests.engines.lammps.case import write_data
from tests.export.runs import ANI, HIPNN, aluminium, brute_force, make_run
from votca_mlp.engines.lammps.binary import embedded_environment
from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.export.export import export
from votca_mlp.potentials.correction import read_correction
from votca_mlp.settings import MLPSettings
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

STEP_0 = """fix 1 all nve
thermo_style custom step pe ke pxx pyy pzz pxy pxz pyz
thermo_modify format float %.15g
dump 1 all custom 1 forces.dump id fx fy fz
dump_modify 1 sort id format float %.15g
run 0
"""
NVE = """velocity all create 1023 1
timestep 0.001
fix 1 all nve
thermo 10
thermo_style custom step temp etotal
thermo_modify format float %.12g
run 100
"""
RANKS = pytest.mark.parametrize("ranks", [1, 2])


def lammps(ranks: int) -> list[str]:
    """Return the command that starts LAMMPS with ML-IAP, or skip."""
    program, launcher = (os.environ.get(f"VOTCA_MLP_LAMMPS_{name}", "") for name in ("MLIAP", "MPIRUN"))
    if not program or (ranks > 1 and not launcher):
        pytest.skip("VOTCA_MLP_LAMMPS_MLIAP (and _MPIRUN for two ranks) name no LAMMPS with ML-IAP's Python")
    return shlex.split(f"{launcher} -np {ranks} {program}" if ranks > 1 else program)


def run_lammps(folder: Path, ranks: int, script: str) -> list[list[float]]:
    """Run the exported fragment and a script; return the rows of thermodynamic output."""
    head = "units metal\natom_style atomic\nread_data conf.data\n"
    (folder / "in.lmp").write_text(head + (folder / "mliap.in").read_text() + script)
    command = [*lammps(ranks), "-in", "in.lmp", "-log", "log.lammps"]
    done = subprocess.run(
        command, cwd=folder, env=embedded_environment(1), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"1 by 1 by {ranks} MPI processor grid" in done.stdout
    rows, inside = [], False
    for line in (folder / "log.lammps").read_text().splitlines():
        words = line.split()
        if words[:1] == ["Step"]:
            inside = True
        elif words[:1] == ["Loop"]:
            inside = False
        elif inside:
            rows.append([float(word) for word in words])
    return rows


def exported(folder: Path, mlp: str) -> Atoms:
    """Export a run of aluminium into ``folder/out`` with a start beside it."""
    atoms = aluminium()
    make_run(folder / "run", mlp, atoms)
    export(folder / "run", "mliap", folder / "out")
    write_data(folder / "out" / "conf.data", atoms)
    return atoms


def compared(folder: Path, ranks: int, atoms: Atoms, mlp: MLPSettings) -> None:
    """Compare with the model by its evaluator and the correction by a loop over images."""
    (row,) = run_lammps(folder / "out", ranks, STEP_0)
    forces = np.loadtxt(folder / "out" / "forces.dump", skiprows=9)[:, 1:]
    alone = make_evaluator(mlp, None, folder).evaluate(atoms)
    tables = {("Al", "Al"): folder / "run" / "step_002" / "Al-Al.pot.cur"}
    energy, more = brute_force(atoms, tables)
    assert row[1] == pytest.approx(alone.energy + energy, abs=1e-7 * len(atoms))
    assert forces == pytest.approx(alone.forces + more, abs=1e-5)
    assert np.abs(more).max() > 0.01
    # the pressure of atoms at rest is the virial's
    both = make_evaluator(mlp, read_correction(tables), folder)
    assert row[2] == 0.0
    for column, (i, j) in zip(row[3:], ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)), strict=True):
        expected = -both.evaluate(atoms).stress[i, j] * BAR_PER_EV_PER_ANGSTROM3
        assert column == pytest.approx(expected, abs=0.1)


@RANKS
def test_step_0_of_hipnn(tmp_path, ranks) -> None:
    lammps(ranks)
    atoms = exported(tmp_path, HIPNN.format(model="builtin:al-hipnn", dtype="float64"))
    mlp = MLPSettings(kind="hippynn", model="builtin:al-hipnn", dtype="float64", device="cpu")
    compared(tmp_path, ranks, atoms, mlp)


@RANKS
def test_step_0_of_ani(tmp_path, ranks, data_dir) -> None:
    lammps(ranks)
    model = str(data_dir / "ani-al" / "model-Al-75")
    atoms = exported(tmp_path, ANI.format(model=model, dtype="float64"))
    compared(tmp_path, ranks, atoms, MLPSettings(kind="ani", model=model, dtype="float64", device="cpu"))


@RANKS
def test_energy_is_conserved(tmp_path, ranks) -> None:
    lammps(ranks)
    atoms = exported(tmp_path, HIPNN.format(model="builtin:al-hipnn", dtype="float32"))
    rows = np.array(run_lammps(tmp_path / "out", ranks, NVE))
    # the kinetic energy of 256 atoms changes by eV, the sum by the integrator's error
    assert np.ptp(rows[:, 1]) > 20.0
    assert np.ptp(rows[:, 2]) < 1e-3 * len(atoms)


@RANKS
def test_hybrid_overlay_adds(tmp_path, ranks) -> None:
    """The object beside another pair style: the sum of both, neither overwrites."""
    lammps(ranks)
    exported(tmp_path, HIPNN.format(model="builtin:al-hipnn", dtype="float64"))
    folder = tmp_path / "out"
    lines = (folder / "mliap.in").read_text()
    other = "pair_style lj/cut 7.0\npair_coeff * * 0.02 2.6\n"
    both = lines.replace("pair_style mliap", "pair_style hybrid/overlay mliap")
    both = both.replace("pkl 0\npair_coeff * * Al", "pkl 0 lj/cut 7.0\npair_coeff * * mliap Al")
    both += "pair_coeff * * lj/cut 0.02 2.6\n"
    found = []
    for text in (lines, other, both):
        (folder / "mliap.in").write_text(text)
        (row,) = run_lammps(folder, ranks, STEP_0)
        forces = np.loadtxt(folder / "forces.dump", skiprows=9)[:, 1:]
        found.append((row[1], forces, np.array(row[3:])))
    (e1, f1, p1), (e2, f2, p2), (energy, forces, pressure) = found
    assert abs(e2) > 1.0
    assert energy == pytest.approx(e1 + e2, abs=1e-7)
    assert forces == pytest.approx(f1 + f2, abs=1e-8)
    assert pressure == pytest.approx(p1 + p2, abs=1e-3)
