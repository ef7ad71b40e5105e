"""Every command with anything for its files: missing, empty, binary, folders, pipes, names without end."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.settings.conftest import liquid_rdf, write_good
from votca_mlp.cli.app import app
from votca_mlp.errors import UserError

NAMES = (
    "nowhere",
    "empty",
    "folder",
    "binary",
    "text",
    "pipe",
    "loop",
    "/dev/null",
    "",
    "x" * 300,
    "list.yaml",
)
GRID = ("--min", "0", "--max", "1", "--step", "0.01", "-o", "new.tgt")
COMMANDS = (
    ("check", "{}"),
    ("check", "--deep", "{}"),
    ("status", "{}"),
    ("status", "--json", "{}"),
    ("plot", "{}"),
    ("plot", ".", "-o", "{}.png"),
    ("validate", "{}"),
    ("predict", "{}"),
    ("predict", ".", "--out", "{}"),
    ("predict", ".", "--pot", "{}"),
    ("predict", ".", "--pot", "Al-Al={}"),
    ("predict", ".", "--steps", "{}"),
    ("defaults", "{}"),
    ("diffusion", "{}", "--interval", "40"),
    ("export", "{}", "-o", "exported"),
    ("export", ".", "-o", "{}"),
    ("temperature", "{0}", "{0}", "-o", "joined.yaml"),
    ("temperature", "{0}@300", "{0}@400", "--settings", "{0}", "-o", "joined.yaml"),
    ("target", "{}", *GRID),
    ("target", "{}", "--from-sq", "--density", "0.05", *GRID),
    ("target", "text", "--options", "{}", "-o", "new.tgt"),
    ("target", "text", "--options", "settings.xml", "-o", "{}"),
    ("inverse", "--options", "{}", "-N", "1"),
    ("inverse", "--options", "{}", "clean", "--nowait"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good settings, no finished step, and one of each kind of path."""
    folder = tmp_path_factory.mktemp("paths")
    write_good(folder)
    (folder / "empty").write_text("")
    (folder / "folder").mkdir()
    (folder / "binary").write_bytes(bytes(range(256)) * 10)
    (folder / "text").write_text("hello\nworld\n")
    (folder / "list.yaml").write_text("- 1\n")
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    return folder


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_one_message(folder: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    """Never a traceback, a wait, or a file where none was asked for."""
    monkeypatch.chdir(folder)
    before = {path.name for path in folder.iterdir()}
    for name in NAMES:
        done = CliRunner().invoke(app, [word.format(name) for word in command])
        # SystemExit: typer's own words, or an end as it should be
        assert done.exception is None or isinstance(done.exception, UserError | SystemExit), (name, done)
        assert done.exit_code != 0 or command[0] in ("defaults", "inverse", "predict"), (name, done.output)
    assert {path.name for path in folder.iterdir()} == before
    assert (folder / "text").read_text() == "hello\nworld\n"


@pytest.mark.parametrize("name", ["step_001", "step_001/hot", "text"])
def test_a_prediction_replaces_no_simulation(folder: Path, name: str) -> None:
    done = CliRunner().invoke(app, ["predict", str(folder), "--out", str(folder / name)])
    assert isinstance(done.exception, UserError)
    assert done.exception.where == "--out"


@pytest.mark.parametrize(
    "option", [("--seed", "9" * 30), ("--seed", "-1"), ("--rattle", "-1"), ("--rattle", "x")]
)
def test_numbers_of_validate(folder: Path, option: tuple[str, str]) -> None:
    done = CliRunner().invoke(app, ["validate", str(folder / "settings.xml"), *option])
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_curves_are_still_read(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the names above stand for, when it is there."""
    import numpy as np

    monkeypatch.chdir(tmp_path)
    r = np.arange(0.0, 13.0, 0.05)
    np.savetxt("curve.txt", np.column_stack([r, liquid_rdf(r / 10.0)]))
    done = CliRunner().invoke(app, ["target", "curve.txt", *GRID])
    assert done.exit_code == 0, done.output
    assert "wrote new.tgt" in done.output
