"""The example of docs/fusion.md, from its data to an export."""

from pathlib import Path

import pytest

from tests.docs.pages import blocks, run_example
from votca_mlp.training.settings.read import load_train_settings

PAGE = blocks("docs/fusion.md")


def test_the_settings_are_settings(tmp_path: Path) -> None:
    first, second = (block.text for block in PAGE if block.language == "yaml")
    (tmp_path / "settings.yaml").write_text(first)
    assert load_train_settings(tmp_path / "settings.yaml").experiments is not None
    # the longer section, for titanium, in its place
    (tmp_path / "settings.yaml").write_text(first[: first.index("experiments:")] + second)
    found = load_train_settings(tmp_path / "settings.yaml").experiments
    assert found is not None
    assert set(found.states) == {"cold", "hot"}


@pytest.mark.slow
def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: every command of the page, as it is there."""
    monkeypatch.chdir(tmp_path)
    run_example(PAGE)
    assert "| room C12 | 121.4 +- 3 |" in Path("copper/fused.md").read_text()
    assert Path("fused/calculator.py").exists()
