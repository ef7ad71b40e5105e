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
