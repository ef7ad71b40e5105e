"""votca-mlp plot."""

from pathlib import Path

from typer.testing import CliRunner

from tests.report.runs import make_run
from votca_mlp.cli.app import app


def test_picture(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 4)
    picture = tmp_path / "run.png"
    result = CliRunner().invoke(app, ["plot", str(run), "-o", str(picture)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    failed = CliRunner().invoke(app, ["plot", str(run), "-o", str(tmp_path / "run.doc")])
    assert "not a picture" in str(failed.exception)


def test_options_that_would_change_nothing(tmp_path: Path) -> None:
    """They were swallowed: a picture of all states, where one was asked for."""
    run = str(make_run(tmp_path / "run", 2))
    output = ["-o", str(tmp_path / "run.png")]
    for words, said in (
        (["--state", "hot"], "no state 'hot'"),
        (["--scattering", "--interaction", "Al-Al"], "one sum over all interactions"),
    ):
        assert said in str(CliRunner().invoke(app, ["plot", run, *output, *words]).exception)
