"""One configuration of liquid aluminium: LAMMPS's own printed numbers against the package's calculator."""

from pathlib import Path

import ase.io
import numpy as np
import pytest
import torch

from tests.engines.ase.case import argon
from tests.engines.lammps.case import make_case, run_case, write_data
from tests.engines.lammps.test_step import log_rows
from votca_mlp.engines.shared.start import read_configuration
from votca_mlp.evaluation.calculator import MLPCalculator
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.models.lennard_jones import lennard_jones_mixture
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.settings import MLPSettings
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

CASES = Path(__file__).resolve().parents[3] / "settings"
SCRIPT = """units metal
atom_style atomic
read_data conf.data
timestep 0.001
fix 1 all nve
thermo 1
thermo_style custom step pe ke pxx pyy pzz pxy pxz pyz
thermo_modify format float %.12g
dump traj all custom 1 traj.dump id type element x y z fx fy fz
dump_modify traj format float %.12g
run 1
"""
ENERGY, FORCE, PRESSURE = 1e-6, 1e-4, 5.0  # eV/atom, eV/Angstrom, bar: rounding of float32


def aluminium() -> Evaluator:
    r = np.linspace(0.0, 10.0, 201)
    u = akima_from_points(r, 0.01 * np.cos(2.3 * r) * np.exp(-0.3 * r) * (r > 2.0))
    mlp = MLPSettings(kind="hippynn", model="builtin:al-hipnn", threads=1, device="cpu")
    return make_evaluator(mlp, PairCorrection({(13, 13): u}), Path.cwd(), 0.5)


def test_energy_forces_and_virial(tmp_path) -> None:
    atoms = ase.io.read(CASES / "al_quickstart" / "conf.extxyz")
    settings = make_case(tmp_path, atoms, SCRIPT)
    run_case(settings, evaluator=aluminium())
    atoms.calc = MLPCalculator(aluminium())
    found = log_rows(tmp_path / "step_001")[0]
    frame = ase.io.read(tmp_path / "step_001" / "traj.dump", "0", format="lammps-dump-text")
    assert frame.positions == pytest.approx(atoms.positions, abs=1e-6)
    assert found["PotEng"] == pytest.approx(atoms.get_potential_energy(), abs=ENERGY * len(atoms))
    assert frame.get_forces() == pytest.approx(atoms.get_forces(), abs=FORCE)
    assert found["KinEng"] == 0.0
    # from rest the pressure is the virial's
    stress = -atoms.get_stress() * BAR_PER_EV_PER_ANGSTROM3
    pressure = [found[name] for name in ("Pxx", "Pyy", "Pzz", "Pyz", "Pxz", "Pxy")]
    assert pressure == pytest.approx(stress.tolist(), abs=PRESSURE)
    assert np.abs(atoms.get_forces()).max() > 1.0
    assert np.abs(stress[3:]).max() > 100.0


def test_types_in_another_order_than_the_alphabet(tmp_path) -> None:
    atoms = argon()
    atoms.symbols[::3] = "Kr"
    atoms.set_masses("defaults")
    atoms.rattle(0.1, seed=2)

    def mixed() -> Evaluator:
        model = lennard_jones_mixture({"Ar": [0.0103, 3.4], "Kr": [0.0140, 3.65]}, 7.0)
        return PairListEvaluator(model, dtype=torch.float64, skin=1.0)

    settings = make_case(tmp_path, atoms, SCRIPT)
    write_data(tmp_path / "step_001" / "conf.data", atoms, ("Kr", "Ar"))
    run_case(settings, evaluator=mixed())
    atoms.calc = MLPCalculator(mixed())
    found = log_rows(tmp_path / "step_001")[0]
    assert found["PotEng"] == pytest.approx(atoms.get_potential_energy(), abs=1e-9 * len(atoms))
    lines = (tmp_path / "step_001" / "traj.dump").read_text().splitlines()[9 : 9 + len(atoms)]
    named = {int(line.split()[0]): line.split()[1:3] for line in lines}
    assert [named[n][1] for n in range(1, 109)] == atoms.get_chemical_symbols()
    assert [named[n][0] for n in (1, 2)] == ["1", "2"]
    forces = {int(line.split()[0]): [float(x) for x in line.split()[6:]] for line in lines}
    assert np.array([forces[n] for n in range(1, 109)]) == pytest.approx(atoms.get_forces(), abs=1e-9)


def test_the_ready_case_is_the_quickstart() -> None:
    one = ase.io.read(CASES / "al_quickstart" / "conf.extxyz")
    other = read_configuration(CASES / "al_lammps" / "conf.data")
    assert other.get_chemical_formula() == "Al500"
    assert other.cell.array == pytest.approx(one.cell.array)
    one.wrap()
    assert other.positions == pytest.approx(one.positions, abs=1e-5)
    for name in ("Al-Al.dist.tgt", "topol.xml"):
        assert (CASES / "al_lammps" / name).read_text() == (CASES / "al_quickstart" / name).read_text()
