"""A run is named by its main directory or by its settings.xml, whichever a command looks for."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.report.runs import make_run
from votca_mlp.cli.app import app

MIXTURE = Path(__file__).parents[2] / "settings" / "lj_mixture"


def said(*words: str) -> str:
    return CliRunner().invoke(app, [*words], catch_exceptions=False).output


def test_settings_by_their_folder(good: Path) -> None:
    assert "no problem found" in said("check", str(good))
    assert (
        said("check", str(good.parent)) == said("check", str(good)) == said("check", "--options", str(good))
    )
    words = ("--element", "Ar", "--guess", "5.3", "--points", "5")
    assert said("lattice", str(MIXTURE), *words) == said("lattice", str(MIXTURE / "settings.xml"), *words)


def test_a_folder_that_has_none(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["validate", str(tmp_path)])
    assert f"{tmp_path / 'settings.xml'}: no such file" in str(result.exception)


@pytest.mark.parametrize("command", ["status", "plot"])
def test_a_run_by_its_settings(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = make_run(tmp_path / "run", 2)
    settings = run / "of_csg_inverse.xml"
    settings.touch()
    assert said(command, str(settings)) == said(command, str(run))


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("{}", "--options", "other.xml"), "two settings files are named"),
        (("{}", "--nowait"), "--nowait: is for clean"),
        (("clear",), "'clear' is no option"),
    ],
)
def test_what_inverse_refuses(good: Path, words: tuple[str, ...], wrong: str) -> None:
    result = CliRunner().invoke(app, ["inverse", *(word.format(good) for word in words)])
    assert wrong in str(result.exception)


def test_inverse_by_a_folder(good: Path) -> None:
    assert said("inverse", str(good.parent), "clean") == said("inverse", "clean", "--options", str(good))
