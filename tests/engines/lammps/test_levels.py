"""LAMMPS itself with each level of one file: its printed numbers are those of the level from Python."""

from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest

import votca_mlp as vm
from tests.engines.lammps.case import make_case, run_case
from tests.engines.lammps.test_agreement import CASES, ENERGY, FORCE, SCRIPT
from tests.engines.lammps.test_step import log_rows
from tests.export.test_levels import write_levels
from votca_mlp.errors import UserError
from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.potentials.correction import PairCorrection
from votca_mlp.settings import MLPSettings


@pytest.mark.parametrize("method", ["together", "difference"])
def test_each_level_of_one_file(tmp_path: Path, method: str) -> None:
    path = write_levels(tmp_path / "two levels.pt", method)
    atoms: Any = ase.io.read(CASES / "al_quickstart" / "conf.extxyz")
    energies, forces = [], []
    for level in ("PBE", "r2SCAN"):
        mlp = MLPSettings(kind="hippynn", model=path.name, level=level, threads=1, device="cpu")
        settings = make_case(tmp_path / level, atoms, SCRIPT)
        run_case(settings, evaluator=make_evaluator(mlp, PairCorrection({}), tmp_path, 0.5))
        step = tmp_path / level / "step_001"
        energies.append(log_rows(step)[0]["PotEng"])
        frame: Any = ase.io.read(step / "traj.dump", "0", format="lammps-dump-text")
        forces.append(frame.get_forces())
        found = vm.load_model(path, level=level).evaluator(None).evaluate(atoms)
        assert energies[-1] == pytest.approx(found.energy, abs=ENERGY * len(atoms))
        assert forces[-1] == pytest.approx(found.forces, abs=FORCE)
    assert abs(energies[0] - energies[1]) > 1.0
    assert np.abs(forces[0] - forces[1]).max() > 100 * FORCE


@pytest.mark.parametrize(("level", "message"), [(None, "several levels"), ("r2SCN", "no level 'r2SCN'")])
def test_no_level_or_one_misspelt(tmp_path: Path, level: str | None, message: str) -> None:
    path = write_levels(tmp_path / "two.pt", "together")
    mlp = MLPSettings(kind="hippynn", model=path.name, level=level)
    with pytest.raises(UserError, match=rf"{message}(.*)\n  accepted: PBE, r2SCAN"):
        make_evaluator(mlp, PairCorrection({}), tmp_path, 0.5)
