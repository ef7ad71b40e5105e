"""votca-mlp export: from a run, and from a file u(r; T)."""

import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from tests.export.joined_runs import make_runs
from tests.export.runs import HIPNN, aluminium, make_run
from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.export.join import join

BUILTIN = HIPNN.format(model="builtin:al-hipnn", dtype="float64")


def test_of_a_run(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", BUILTIN, aluminium())
    result = CliRunner().invoke(app, ["export", str(run), "-f", "table", "-o", str(tmp_path / "out")])
    assert result.exit_code == 0
    assert "correction from the table, 256 atoms: energy differs by" in result.output
    assert (tmp_path / "out" / "Al-Al.table").is_file()


def test_formats_in_the_help() -> None:
    result = CliRunner().invoke(app, ["export", "--help"], env={"COLUMNS": "200"})
    assert "table, ase, lammps, torchscript, gromacs or mliap" in result.output


def test_of_a_file_of_temperature(tmp_path: Path) -> None:
    runs = make_runs(tmp_path, BUILTIN, aluminium(), kelvins=(943, 1323))
    join([str(run) for run in runs.values()], tmp_path / "u.yaml")
    command = [
        "export",
        str(tmp_path / "u.yaml"),
        "-f",
        "table",
        "-o",
        str(tmp_path / "out"),
        "--temperature",
        "1400",
    ]
    refused = CliRunner().invoke(app, command)
    assert isinstance(refused.exception, UserError)
    result = CliRunner().invoke(app, [*command, "--extrapolate"])
    assert result.exit_code == 0, result.output
    assert "warning: u(r; T) is extrapolated" in result.output
    assert (tmp_path / "out" / "Al-Al.table").is_file()


def test_the_command_imports_nothing_heavy() -> None:
    code = "import sys, votca_mlp.cli.app, votca_mlp.export; print({'torch', 'ase'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
