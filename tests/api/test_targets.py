"""A notebook reads what ``votca-mlp target`` reads, with the same numbers and the same refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import votca_mlp as vm
from tests.targets.test_structure_factor import percus_yevick
from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.tables import read_table

R = np.arange(0.05, 20.0, 0.05)
G = np.where(R > 2.3, 1.0 + 1.5 * np.exp(-(((R - 2.8) / 0.25) ** 2)), 0.0)
RHO = 0.0524
LINE = 4.0 * np.pi * RHO * R
DIAMETER = 2.5
Q = np.arange(0.02, 60.0, 0.02)
S = percus_yevick(Q, RHO, DIAMETER)
GRID = ["--min", "0", "--max", "1", "--step", "0.005"]


def write(path: Path, heading: str, x: np.ndarray, y: np.ndarray) -> Path:
    np.savetxt(path, np.c_[x, y], fmt="%.6f", header=heading)
    return path


@pytest.mark.parametrize(
    ("heading", "y", "options"),
    [
        ("r g(r)", G, {}),
        ("r g(r)", G, {"sigma": 0.02}),
        ("r G(r)", LINE * (G - 1.0), {"function": "G", "density": RHO}),
        ("r T(r)", LINE * G, {"function": "T", "density": RHO, "sigma": 0.05}),
    ],
)
def test_as_the_command_does(tmp_path: Path, heading: str, y: np.ndarray, options: dict[str, Any]) -> None:
    source = write(tmp_path / "a.dat", heading, R, y)
    target = vm.read_target(source, ("Al", "Al"), grid=(0.0, 10.0, 0.05), **options)
    words = [f"--{name}={value}" for name, value in options.items()]
    done = CliRunner().invoke(app, ["target", str(source), "-o", str(tmp_path / "t"), *GRID, *words])
    assert done.exit_code == 0, done.exception
    table = read_table(tmp_path / "t")
    assert target.values == pytest.approx(table.y, abs=1e-12)
    assert target.values == pytest.approx(np.interp(target.x, R, G), abs=1e-4)
    assert (target.errors is None) == (table.yerr is None) == ("sigma" not in options)
    if target.errors is not None and options.get("function") is None:
        assert set(target.errors) == {0.02}


def test_a_structure_factor(tmp_path: Path) -> None:
    source = write(tmp_path / "a.dat", "Q S(Q)", Q, S)
    with pytest.raises(UserError, match=r"says S\(Q\), not g\(r\)"):
        vm.read_target(source, ("Al", "Al"), grid=(0.0, 10.0, 0.05))
    for words in (["--from-sq"], ["--function", "S"]):
        failed = CliRunner().invoke(app, ["target", str(source), "-o", str(tmp_path / "t"), *GRID, *words])
        assert "S(Q) without a density" in str(failed.exception)
    options: dict[str, Any] = {"density": RHO, "sigma": 0.01, "window": "lorch"}
    target = vm.read_target(source, ("Al", "Al"), grid=(0.0, 10.0, 0.05), function="S", **options)
    words = [f"--{name}={value}" for name, value in options.items()]
    words += ["--from-sq", "-o", str(tmp_path / "t")]
    done = CliRunner().invoke(app, ["target", str(source), *GRID, *words])
    assert done.exit_code == 0, done.exception
    assert target.values == pytest.approx(read_table(tmp_path / "t").y, abs=1e-12)
    assert target.errors is not None
    assert DIAMETER < target.x[int(np.argmax(target.values))] < DIAMETER + 0.2


@pytest.mark.parametrize(
    ("heading", "name"), [("Q S(Q)-1", "S-1"), ("Q Q(S(Q)-1)", "Q(S-1)"), ("r g(r)", "g")]
)
def test_from_sq_hears_what_the_heading_says(tmp_path: Path, heading: str, name: str) -> None:
    source = write(tmp_path / "a.dat", heading, Q, S - 1.0)
    words = ["target", str(source), "-o", str(tmp_path / "t"), *GRID, "--from-sq", "--density", "0.05"]
    failed = CliRunner().invoke(app, words)
    assert isinstance(failed.exception, UserError)
    assert "not S(Q)" in failed.exception.what
    assert f"--function '{name}'" in str(failed.exception.accepted)
    if name != "g":
        again = CliRunner().invoke(app, [*words, "--function", name])
        assert "says" not in str(again.exception)
    else:
        again = CliRunner().invoke(app, [*words, "--function", "g"])
        assert "--from-sq with --function g" in str(again.exception)


def test_options_without_a_grid(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="function and density without a grid"):
        vm.read_target(tmp_path / "a.dat", ("Al", "Al"), function="T", density=RHO)


@pytest.mark.parametrize(("encoding", "name"), [("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16")])
def test_a_byte_order_mark_in_a_table(tmp_path: Path, encoding: str, name: str) -> None:
    (tmp_path / "Al-Al.dist.tgt").write_text("0 0 i\n0.1 1 i\n", encoding=encoding)
    with pytest.raises(UserError, match=rf"begins with a byte order mark \({name}\), which VOTCA"):
        vm.read_target(tmp_path / "Al-Al.dist.tgt", ("Al", "Al"))
