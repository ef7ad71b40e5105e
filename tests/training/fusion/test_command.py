"""votca-mlp train with experiments: checked before the training, and a model file after it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from ase import Atoms
from ase.io import write
from typer.testing import CliRunner

from tests.training.sources import write_settings
from tests.training.test_command import small, trained
from votca_mlp.cli.app import app
from votca_mlp.models.hipnn.files import load_hipnn
from votca_mlp.training.fusion.fuse import Fused, Fusion
from votca_mlp.training.settings.read import load_train_settings


def experiments(**changes: Any) -> dict[str, Any]:
    """Return the section."""
    pressure = {
        "state": "gas",
        "quantity": "pressure",
        "values": {"pressure": 100},
        "errors": {"pressure": 10},
    }
    return {
        "level": "low",
        "states": {"gas": {"temperature": 300, "start": "gas.extxyz", "production": 4000}},
        "measured": [pressure | changes],
        "energy_limit": 1.2,
    }


def with_start(folder: Path, species: str = "O2") -> Path:
    """Write a start."""
    write(folder / "gas.extxyz", Atoms(species, [[0.0, 0.0, 0.0], [1.3, 0.0, 0.0]], cell=[9.0] * 3, pbc=True))
    return folder


def test_the_trained_model_is_fused_and_written(tmp_path, monkeypatch) -> None:
    begun = []

    def run(self: Fusion) -> Fused:
        begun.append(self)
        return Fused(self.copies.double, [], 0, {"gas": 0}, "a test")

    monkeypatch.setattr(Fusion, "run", run)
    made, said = trained(with_start(tmp_path), small(epochs=2, experiments=experiments()))
    assert made.models["fused"] == tmp_path / "out" / "fused.pt"
    model = load_hipnn(made.models["fused"])
    assert model.provenance["fusion"]["ended"] == "a test"
    assert (tmp_path / "out" / "fusion.json").is_file()
    assert "iteration 0 (a test)" in (tmp_path / "out" / "fused.md").read_text()
    fusion = begun[0]
    assert fusion.options.limits["energy"] == 1.2
    assert fusion.objective.names == ["gas pressure"]
    assert fusion.objective.labels is not None
    assert fusion.objective.labels.errors(fusion.copies.single)["energy"] > 0.0
    # frames that the other level alone has labels of are none of its labels
    assert all(batch.residuals(fusion.copies.single) for batch in fusion.objective.labels.fine)
    assert "fused" in said[-1]
    assert "measured values: 1 at gas" in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"errors": {}}, "without an error"),
        ({"temperature": 320}, "was measured at 320 K"),
        ({"section": {"label_weight": 0.0}}, "label_weight: is 0"),
        ({"section": {"fixed": ["sensitivty"]}}, "no parameter has 'sensitivty' in its name"),
        ({"section": {"fixed": ["network", "energy"]}}, "has no parameter that fusion may change"),
        ({"species": "C2"}, "state gas has C, of which no frame has labels"),
    ],
)
def test_bad_experiments_are_said_before_the_training(tmp_path, changes, message) -> None:
    section, species = changes.pop("section", {}), changes.pop("species", "O2")
    folder = with_start(tmp_path, species)
    path = write_settings(folder, small(experiments=experiments(**changes) | section))
    for command in (["train", str(path)], ["train", str(path), "--check"]):
        result = CliRunner().invoke(app, command)
        assert result.exit_code != 0
        assert message in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_said_before_the_training(tmp_path) -> None:
    section = experiments() | {"device": "cuda"}
    path = write_settings(with_start(tmp_path), small(experiments=section))
    result = CliRunner().invoke(app, ["train", str(path), "--check"])
    assert "device 'cuda'" in str(result.exception)
    assert "experiments.device" in str(result.exception)


def test_an_unknown_key_is_said_with_its_line(tmp_path) -> None:
    section = experiments()
    section["states"]["gas"]["presure"] = 1.0
    with pytest.raises(Exception, match="presure"):
        load_train_settings(write_settings(tmp_path, small(experiments=section)))
