"""The module that GROMACS loads: the lines of the mdp file, and writing it without settings."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.export.runs import aluminium
from votca_mlp.deploy.nnpot import ask_as_nnpot, load_pair_model, write_module
from votca_mlp.deploy.nnpot_mdp import mdp_fragment
from votca_mlp.deploy.scripted import quiet
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.models.options import MLPSettings
from votca_mlp.potentials.akima import akima_from_points
from votca_mlp.potentials.correction import PairCorrection

HIPNN = MLPSettings(kind="hippynn", model="builtin:al-hipnn", dtype="float64", device="cpu")


def test_lines_for_the_mdp_file() -> None:
    assert "pair" not in mdp_fragment("m.pt", 2025, 10.0)
    assert "pair" not in mdp_fragment("m.pt", 2026)
    lines = mdp_fragment("m.pt", 2026, 10.0).splitlines()
    assert "nnpot-modelfile = m.pt" in lines
    assert lines[-2:] == ["nnpot-model-input5 = atom-pairs", "nnpot-model-input6 = pair-shifts"]
    assert "nnpot-pair-cutoff = 1.1" in lines


@pytest.mark.parametrize("corrected", [True, False])
def test_module_of_a_model_and_a_correction(tmp_path: Path, corrected: bool) -> None:
    r = 0.05 * np.arange(141)
    pairs = {(13, 13): akima_from_points(r, 0.05 * np.cos(r) - 0.05 * np.cos(7.0))} if corrected else {}
    correction = PairCorrection(pairs)
    cutoff = write_module(
        tmp_path / "m.pt", load_pair_model(HIPNN, tmp_path), correction, torch.float64, {"step": 3}
    )
    assert cutoff == pytest.approx(7.5)
    extra = {"export.json": ""}
    with quiet():
        torch.jit.load(str(tmp_path / "m.pt"), _extra_files=extra)
    assert extra["export.json"] == b'{"step": 3}'
    atoms = aluminium()
    found = ask_as_nnpot(tmp_path / "m.pt", atoms, pairs=True)
    evaluator = PairListEvaluator(load_pair_model(HIPNN, tmp_path), correction, dtype=torch.float64)
    own = evaluator.evaluate(atoms)
    # what NNPot hands over is single precision
    assert found.energy == pytest.approx(own.energy, abs=1e-5 * len(atoms))
    assert found.forces == pytest.approx(own.forces, abs=2e-5)


def test_a_calculator_has_no_module(tmp_path: Path) -> None:
    calculator = MLPSettings(kind="ase", calculator="ase.calculators.emt:EMT")
    with pytest.raises(UserError, match="Python code that TorchScript cannot hold"):
        load_pair_model(calculator, tmp_path)
