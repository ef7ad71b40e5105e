"""Which model a correction belongs to: written, read, and found again."""

import shutil
from pathlib import Path

import pytest

from votca_mlp.errors import UserError
from votca_mlp.inverse.model import model_facts
from votca_mlp.models.identity import model_identity, potential_identity
from votca_mlp.models.load import builtin_models
from votca_mlp.models.options import MLPSettings
from votca_mlp.models.origin import describe_model, found_model, read_origin

LJ = "votca_mlp.models.lennard_jones:lennard_jones_mixture"


def hipnn(model: str) -> MLPSettings:
    return MLPSettings(kind="hippynn", model=model, dtype="float64", device="cpu", threads=2)


def test_there_and_back(tmp_path: Path) -> None:
    shutil.copy(builtin_models()["al-hipnn"], tmp_path / "m.pt")
    origin = describe_model(hipnn("m.pt"), tmp_path, 0.4)
    data = origin.as_data()
    assert read_origin(data | {"other": 3}) == origin
    assert list(data) == ["model", "model_sha256", "main_directory", "skin", "versions", "written"]
    assert data["model"]["model"] == str((tmp_path / "m.pt").resolve())
    # what belongs to a machine stays there
    assert not {"device", "threads", "trust_pickle"} & set(data["model"])
    mlp = found_model(origin, where="here")
    assert (mlp.device, mlp.threads, mlp.dtype) == ("auto", None, "float64")


def test_the_unit_of_energy_belongs_to_it(tmp_path: Path) -> None:
    shutil.copy(builtin_models()["al-hipnn"], tmp_path / "m.pt")
    plain, kcal = hipnn("m.pt"), hipnn("m.pt").model_copy(update={"energy_unit": "kcal/mol"})
    assert found_model(describe_model(kcal, tmp_path, 0.4), where="here").energy_unit == "kcal/mol"
    # files from before there was this tag name the same potential
    assert "energy_unit" not in describe_model(plain, tmp_path, 0.4).settings
    named = plain.model_copy(update={"energy_unit": "eV"})
    assert describe_model(named, tmp_path, 0.4).settings == describe_model(plain, tmp_path, 0.4).settings
    assert model_identity(named, tmp_path) == model_identity(plain, tmp_path)
    assert potential_identity(named, tmp_path) == potential_identity(plain, tmp_path)
    assert found_model(describe_model(named, tmp_path, 0.4), where="here").energy_unit == "eV"
    assert model_identity(kcal, tmp_path) != model_identity(plain, tmp_path)
    assert potential_identity(kcal, tmp_path) != potential_identity(plain, tmp_path)
    assert model_facts(kcal, tmp_path, "")["energy_unit"] == "kcal/mol"


def test_moved_and_changed(tmp_path: Path) -> None:
    shutil.copy(builtin_models()["al-hipnn"], tmp_path / "m.pt")
    origin = describe_model(hipnn("m.pt"), tmp_path, 0.4)
    (tmp_path / "m.pt").rename(tmp_path / "n.pt")
    with pytest.raises(UserError, match=r"here: no such file[\s\S]*load_corrected\(path, model=...\)"):
        found_model(origin, where="here")
    assert found_model(origin, where="here", model=tmp_path / "n.pt").model == str(tmp_path / "n.pt")
    with (tmp_path / "n.pt").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(UserError, match=r"here: the model at .*n\.pt is not the one that was corrected"):
        found_model(origin, where="here", model=tmp_path / "n.pt")


def test_code_needs_trust(tmp_path: Path) -> None:
    mlp = MLPSettings(kind="ase", calculator=LJ, arguments={"species": {"Ar": [0.0104, 3.4]}, "cutoff": 7.0})
    origin = describe_model(mlp, tmp_path, 0.5)
    assert origin.sha256 is None
    with pytest.raises(UserError, match="can run any code"):
        found_model(origin, where="here")
    assert found_model(origin, where="here", trust=True).calculator == LJ


@pytest.mark.parametrize(
    "damage", [{"model": 3}, {"model_sha256": 1}, {"main_directory": None}, {"skin": "x"}, {"versions": [1]}]
)
def test_damage(tmp_path: Path, damage: dict[str, object]) -> None:
    data = describe_model(hipnn("builtin:al-hipnn"), tmp_path, 0.5).as_data()
    with pytest.raises(TypeError):
        read_origin(data | damage)
    with pytest.raises(UserError, match="section is damaged"):
        found_model(read_origin(data | {"model": {"kind": "none"}}), where="here")
