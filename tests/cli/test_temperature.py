"""votca-mlp temperature: what it says of the runs that it joins."""

from pathlib import Path

from typer.testing import CliRunner

from tests.export.joined_runs import make_runs
from tests.export.runs import HIPNN, aluminium
from votca_mlp.cli.app import app
from votca_mlp.potentials.temperature_file import read_temperature_file


def test_command_line(tmp_path: Path) -> None:
    runs = make_runs(tmp_path, HIPNN.format(model="builtin:al-hipnn", dtype="float64"), aluminium())
    out = tmp_path / "u.yaml"
    result = CliRunner().invoke(
        app, ["temperature", *map(str, runs.values()), "--out", str(out), "--extrapolate"]
    )
    assert result.exit_code == 0, result.output
    assert "943, 1023, 1323 K, a cubic spline between" in result.output
    assert "errors        of the tables appear at most 1.48 times as large, at 1121 K" in result.output
    assert "pressures" not in result.output
    assert read_temperature_file(out).correction.allow_extrapolation
    two = CliRunner().invoke(
        app, ["temperature", str(runs[943]), str(runs[1323]), "--out", str(tmp_path / "two.yaml")]
    )
    assert "943, 1323 K, a straight line between" in two.output
    settings = runs[1323] / "settings.xml"
    settings.write_text(settings.read_text().replace("<pressure>1<", "<pressure>500<"))
    again = CliRunner().invoke(
        app, ["temperature", *map(str, runs.values()), "--out", str(tmp_path / "p.yaml")]
    )
    assert "of the runs differ: 1, 500 bar" in again.output
