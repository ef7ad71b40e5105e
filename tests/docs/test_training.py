"""The example of docs/training.md, from its data to a model that is loaded."""

from pathlib import Path

import pytest
import yaml

from tests.docs.pages import ROOT, blocks, run_example
from votca_mlp.training.settings.models import TrainSettings
from votca_mlp.training.settings.reference import train_reference

PAGE = blocks("docs/training.md")


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: every command of the page, as it is there."""
    monkeypatch.chdir(tmp_path)
    assert "| high | energies |" in run_example(PAGE)
    assert {path.name for path in Path("copper").iterdir()} == {
        "model.pt",
        "model.md",
        "model.csv",
        "checkpoints",
        "settings.yaml",
    }
    use = next(block.text for block in PAGE if block.text.startswith("import votca_mlp"))
    found: dict[str, object] = {}
    exec(use, found)
    assert found["model"] is not None


def test_published_sets_are_settings() -> None:
    """The keys of the block on published data are those of a source."""
    text = next(block.text for block in PAGE if "Nb_AIMD" in block.text)
    data = yaml.safe_load(text)["data"]
    levels = {name: {} for source in data for name in source["levels"]}
    assert len(TrainSettings.model_validate({"output": "x", "levels": levels, "data": data}).data) == 3


def test_fine_tuning_is_settings() -> None:
    """The keys of the block that starts from a model."""
    text = next(block.text for block in PAGE if "start:" in block.text)
    found = TrainSettings.model_validate(yaml.safe_load(text))
    assert found.start is not None
    assert found.start.level == "low"


def test_the_reference_is_up_to_date() -> None:
    assert (ROOT / "docs/train_settings.md").read_text() == train_reference(), "scripts/settings_reference.py"
