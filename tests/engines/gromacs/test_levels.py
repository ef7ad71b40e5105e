"""GROMACS itself with each level of one file: its forces and energies are those of the level from Python."""

from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest

import votca_mlp as vm
from tests.csg.case import edit
from tests.engines.gromacs.case import make_case, prepare, run
from tests.export.test_levels import write_levels
from votca_mlp.engines.gromacs.trajectory import read_trr
from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.settings import MLPSettings
from votca_mlp.units import ANGSTROM_PER_NM, EV_PER_KJMOL


@pytest.mark.parametrize("method", ["together", "difference"])
def test_each_level_of_one_file(tmp_path: Path, method: str) -> None:
    path = write_levels(tmp_path / "two.pt", method, 18)
    energies, forces = [], []
    for level in ("PBE", "r2SCAN"):
        main = make_case(tmp_path / level)
        more = {"nsteps = 200": "nsteps = 50", "nstenergy = 10": "nstenergy = 10\nnstxout = 10\nnstfout = 10"}
        # untrained: its pressure would crush the box
        barostat = "pcoupl = C-rescale\ntau-p = 2.0\nref-p = 300\ncompressibility = 1e-4\n"
        edit(main / "grompp.mdp", {**more, barostat: "pcoupl = no\n", "dt = 0.004": "dt = 0.001"})
        edit(main / "settings.xml", {"<equi_time>0.2": "<equi_time>0.01"})
        settings, step = prepare(main, depth=0.0)
        mlp = MLPSettings(kind="hippynn", model=path.name, level=level, threads=1, device="cpu")
        run(settings, step, evaluator=make_evaluator(mlp, PairCorrection({}), tmp_path, 0.5))
        first = next(iter(read_trr(step / "traj.trr")))
        assert first.forces is not None
        forces.append(first.forces * EV_PER_KJMOL / ANGSTROM_PER_NM)
        energies.append(np.loadtxt(step / "mlp.dat")[0, 2])
        atoms: Any = ase.io.read(main / "conf.extxyz")
        atoms.set_cell(first.box * ANGSTROM_PER_NM)
        atoms.set_positions(first.positions * ANGSTROM_PER_NM)
        found = vm.load_model(path, level=level).evaluator(None).evaluate(atoms)
        assert energies[-1] == pytest.approx(found.energy, abs=1e-6 * len(atoms))
        assert forces[-1] == pytest.approx(found.forces, abs=1e-6)
    assert abs(energies[0] - energies[1]) > 1.0
    assert np.abs(forces[0] - forces[1]).max() > 1e-3
