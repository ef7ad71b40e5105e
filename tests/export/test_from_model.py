"""A model file without a correction, as a fusion leaves it, for every engine."""

import numpy as np
import pytest
from ase.build import bulk
from typer.testing import CliRunner

from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.export import load_corrected
from votca_mlp.export.export import export
from votca_mlp.models.hipnn.files import save_hipnn
from votca_mlp.models.hipnn.model import build_hipnn

SMALL = {
    "n_features": 4,
    "n_sensitivities": 5,
    "dist_soft_min": 2.5,
    "dist_soft_max": 4.5,
    "dist_hard_max": 5.0,
    "n_interaction_layers": 1,
    "n_atom_layers": 1,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return the file of an untrained network of argon."""
    path = tmp_path_factory.mktemp("model") / "fused.pt"
    save_hipnn(path, build_hipnn(dict(SMALL), (18,)), {"made by": "a test"})
    return path


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("ase", {"calculator.py"}),
        ("torchscript", {"model.pt"}),
        ("gromacs", {"nnpot.pt", "nnpot_2025.mdp", "nnpot_2026.mdp"}),
        ("mliap", {"corrected.mliap.pkl", "mliap.in"}),
    ],
)
def test_a_model_file_alone_is_exported_and_compared(tmp_path, model, form, files) -> None:
    found = export(model, form, tmp_path / form)
    assert {path.name for path in (tmp_path / form).iterdir()} == files | {"export.json"}
    assert found.comparisons
    if form == "mliap":
        assert "without a correction" in (tmp_path / form / "mliap.in").read_text()
    if form == "ase":
        atoms = bulk("Ar", "fcc", a=5.3, cubic=True)
        atoms.rattle(0.1, seed=1)
        atoms.calc = load_corrected(tmp_path / form)
        assert np.abs(atoms.get_forces()).max() > 0.0


def test_what_a_model_file_cannot_be_exported_as_is_said(tmp_path, model) -> None:
    with pytest.raises(UserError, match=r"'lammps' holds u\(r\) alone"):
        export(model, "lammps", tmp_path / "out")
    with pytest.raises(UserError, match="this is not for a model file"):
        export(model, "ase", tmp_path / "out", temperature=300.0)
    with pytest.raises(UserError, match="this is for a model file"):
        export(tmp_path, "ase", tmp_path / "out", level="low")
    result = CliRunner().invoke(app, ["export", str(tmp_path / "none.pt"), "--output", str(tmp_path / "out")])
    assert "none.pt" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_model_that_comes_with_the_package(tmp_path):
    export("builtin:al-hipnn", "ase", tmp_path / "out")
    atoms = bulk("Al", "fcc", 4.05, cubic=True)
    atoms.calc = load_corrected(tmp_path / "out")
    assert atoms.get_potential_energy() / len(atoms) == pytest.approx(-74.477, abs=0.01)
