"""votca-mlp target -o: a file that is something else stays; -0 iterations are none."""

import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.settings.conftest import GOOD, liquid_rdf
from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.tables import make_table, write_table


def write_measured(folder: Path) -> Path:
    r = np.arange(0.0, 13.0, 0.05)
    np.savetxt(folder / "measured.txt", np.column_stack([r, liquid_rdf(r / 10.0)]))
    return folder / "measured.txt"


def target(measured: Path, *options: str) -> str:
    done = CliRunner().invoke(app, ["target", str(measured), *options])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("settings.xml", "something that is no table"),
        ("measured.txt", "would replace the data"),
        ("Al-Al.pot.in", "a potential"),
        ("weight.table", "another input of"),
        ("state/weight.table", "another input of"),
        ("step_001/Al-Al.dist.new", "a file of a step"),
        ("step_001/hot/Al-Al.dist.new", "a file of a step"),
    ],
)
def test_inputs_are_not_written_over(good: Path, name: str, words: str) -> None:
    weight = "<weight>table</weight><weight_file>weight.table</weight_file>"
    good.write_text(GOOD.replace("<wibi>", f"<wibi>{weight}"))
    measured, output = write_measured(good.parent), good.parent / name
    output.parent.mkdir(parents=True, exist_ok=True)
    if not output.exists():
        write_table(output, make_table(np.array([0.0, 0.5, 1.0]), np.array([1.0, 1.0, 1.0])))
    before = output.stat().st_ino, output.stat().st_mtime_ns, output.read_bytes()
    grids = [("--options", str(good)), ("--min", "0", "--max", "1", "--step", "0.01")]
    for grid in grids:
        with pytest.raises(UserError, match=words) as error:
            target(measured, "-o", str(output), *grid)
        assert error.value.where == str(output)
        assert error.value.accepted == "another --output"
    assert (output.stat().st_ino, output.stat().st_mtime_ns, output.read_bytes()) == before


def test_a_target_is_renewed(good: Path) -> None:
    measured = write_measured(good.parent)
    output = good.with_name("Al-Al.dist.tgt")
    assert f"wrote {output}: 201 points" in target(measured, "--options", str(good))
    assert f"wrote {output}: 201 points" in target(measured, "--options", str(good), "-o", str(output))


def test_what_is_no_file(good: Path) -> None:
    """A device, a folder and a pipe stay what they are; data that are missing are one message."""
    measured = write_measured(good.parent)
    os.mkfifo(good.with_name("pipe"))
    for name in (os.devnull, str(good.parent), str(good.with_name("pipe"))):
        with pytest.raises(UserError):
            target(measured, "--options", str(good), "-o", name)
    assert Path(os.devnull).is_char_device()
    assert good.with_name("pipe").is_fifo()
    # while there is a target: this was a traceback
    with pytest.raises(UserError, match="no such"):
        target(good.with_name("gone.txt"), "--options", str(good))


@pytest.mark.parametrize(
    "option",
    ["-0", "-00", "--do-iterations=0", "-N0", "-N-1", "-1_0", "-N1_0", "--wall-time=\u0663", "-\u0663"],
)
def test_no_iterations_are_none(good: Path, option: str) -> None:
    done = CliRunner().invoke(app, ["inverse", "--options", str(good), option])
    assert done.exit_code != 0
    assert not list(good.parent.glob("step_*"))
    if isinstance(done.exception, UserError):
        assert "is no option" in str(done.exception) or "by few programs" in str(done.exception)
    else:
        assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--window", "lorch"), "--window: is for functions of Q, not for g"),
        (
            ("--function", "S", "--density", "0.05", "--tail", "one"),
            "--tail: is for functions of r, not for S",
        ),
        (("--from-sq", "--density", "0.05", "--spline", "pchip"), "--spline: is for functions of r"),
    ],
)
def test_options_of_the_other_kind_of_data(good: Path, words: tuple[str, ...], said: str) -> None:
    """They would change nothing, and were swallowed."""
    with pytest.raises(UserError, match=said):
        target(write_measured(good.parent), "--options", str(good), *words)


def test_an_interaction_without_settings(good: Path) -> None:
    grid = ("--min", "0", "--max", "1", "--step", "0.01", "-o", "x.tgt")
    with pytest.raises(UserError, match="--interaction without --options"):
        target(write_measured(good.parent), *grid, "--interaction", "Al-Al")
