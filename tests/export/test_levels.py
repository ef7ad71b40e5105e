"""Exports of one level of a model that was trained to several have that level's numbers."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.neighborlist import neighbor_list

from tests.export.runs import HIPNN, aluminium, brute_force, make_run
from votca_mlp.deploy.mliap_data import LammpsData
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.export.export import export
from votca_mlp.models.hipnn.files import load_hipnn, save_levels
from votca_mlp.models.hipnn.joined import joined
from votca_mlp.models.hipnn.levels import build_levels
from votca_mlp.models.hipnn.model import build_hipnn
from votca_mlp.models.load import load_model
from votca_mlp.models.options import MLPSettings

NETWORK = {
    "n_features": 4,
    "n_sensitivities": 5,
    "dist_soft_min": 1.5,
    "dist_soft_max": 4.5,
    "dist_hard_max": 5.0,
    "n_interaction_layers": 1,
    "n_atom_layers": 1,
}


def write_levels(path: Path, method: str, number: int = 13) -> Path:
    """Write PBE and r2SCAN as heads of one network, or r2SCAN as PBE and a network for the difference."""
    torch.manual_seed(1)
    if method == "together":
        save_levels(path, build_levels(NETWORK, (number,), ("PBE", "r2SCAN")), {})
    else:
        parts = [build_hipnn(NETWORK, (number,)) for _ in range(2)]
        save_levels(path, joined(parts, {"PBE": [0], "r2SCAN": [0, 1]}), {})
    return path


@pytest.mark.parametrize("method", ["together", "difference"])
def test_lammps_gets_the_level_that_is_named(tmp_path: Path, method: str) -> None:
    write_levels(tmp_path / "two.pt", method)
    atoms = aluminium()
    mlp = HIPNN.format(model=tmp_path / "two.pt", dtype="float64") + "<level>r2SCAN</level>"
    run = make_run(tmp_path / "run", mlp, atoms)
    energy, forces = brute_force(atoms, {("Al", "Al"): run / "step_002" / "Al-Al.pot.cur"})
    alone = [
        PairListEvaluator(load_hipnn(tmp_path / "two.pt", level=name), dtype=torch.float64).evaluate(atoms)
        for name in ("PBE", "r2SCAN")
    ]
    assert abs(alone[0].energy - alone[1].energy) > 1.0
    export(run, "mliap", tmp_path / "out")
    facts = json.loads((tmp_path / "out" / "export.json").read_text())
    assert facts["model"]["level"] == "r2SCAN"
    thing = pickle.loads((tmp_path / "out" / "corrected.mliap.pkl").read_bytes())
    data = LammpsData(atoms, thing.element_types, 2 * thing.rcutfac)
    thing.compute_forces(data)
    assert data.answer().energy == pytest.approx(alone[1].energy + energy, abs=1e-7 * len(atoms))
    assert data.answer().forces == pytest.approx(alone[1].forces + forces, abs=1e-5)


def test_torchscript_holds_the_level_that_is_named(tmp_path: Path) -> None:
    """What the TorchScript export and GROMACS's NNPot are made of."""
    write_levels(tmp_path / "two.pt", "together")
    atoms = bulk("Al", "fcc", 4.05, cubic=True).repeat(2)
    mlp = MLPSettings(kind="hippynn", model="two.pt", level="r2SCAN")
    module = load_model(mlp, tmp_path).scriptable(torch.float64)
    i, j, vectors = neighbor_list("ijD", atoms, 5.0)
    arrays = (np.full(len(atoms), 13), i.astype(np.int64), j.astype(np.int64), vectors)
    alone = PairListEvaluator(load_hipnn(tmp_path / "two.pt", level="r2SCAN"), dtype=torch.float64)
    found = float(torch.jit.script(module)(*map(torch.from_numpy, arrays)))
    assert found == pytest.approx(alone.evaluate(atoms).energy, abs=1e-6)


def test_a_difference_model_is_a_module_for_gromacs(tmp_path: Path) -> None:
    """The export compares itself with the package's own numbers of the level."""
    write_levels(tmp_path / "two.pt", "difference")
    mlp = HIPNN.format(model=tmp_path / "two.pt", dtype="float64") + "<level>r2SCAN</level>"
    found = export(make_run(tmp_path / "run", mlp, aluminium()), "gromacs", tmp_path / "out")
    assert found.comparisons
    assert json.loads((tmp_path / "out" / "export.json").read_text())["model"]["level"] == "r2SCAN"
