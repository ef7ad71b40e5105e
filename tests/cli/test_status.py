"""votca-mlp status."""

from pathlib import Path

from typer.testing import CliRunner

from tests.report.runs import make_run
from votca_mlp.cli.main import app


def test_table_and_outcome(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 4)
    result = CliRunner().invoke(app, ["status", str(run)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "first iteration (the model alone) against last" in result.output
    assert len(result.output.splitlines()) > 10


def test_one_iteration_has_no_outcome(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", 1)
    result = CliRunner().invoke(app, ["status", str(run)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "against last" not in result.output
