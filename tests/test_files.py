"""Inputs that are no files; what a killed process leaves."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from votca_mlp.engines.shared.start import read_configuration
from votca_mlp.errors import UserError
from votca_mlp.files import remove_left_over
from votca_mlp.models.ani.nnf import read_nnf
from votca_mlp.models.load import model_path
from votca_mlp.potentials.temperature_file import read_temperature_file
from votca_mlp.runs.copying import copy_file
from votca_mlp.settings.document import read_document
from votca_mlp.tables import read_table
from votca_mlp.targets.measured import read_measured
from votca_mlp.trajectories.read import read_frames

READERS: dict[str, Callable[[Path], Any]] = {
    "table": read_table,
    "settings": lambda path: read_document(path, "cg"),
    "measured": read_measured,
    "configuration": read_configuration,
    "model": lambda path: model_path(str(path), path.parent),
    "network": read_nnf,
    "u(r; T)": read_temperature_file,
    "copy": lambda path: copy_file(path, path.with_name("copy")),
    "dump": lambda path: list(read_frames(path)),
}


@pytest.mark.parametrize("what", READERS)
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path, what: str) -> None:
    pipe, device = tmp_path / "in.dump", tmp_path / "zero.dump"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path, kind in ((pipe, "a pipe"), (device, "a device")):
        with pytest.raises(UserError, match=f"{path.name}: is {kind}"):
            READERS[what](path)


def test_what_a_kill_leaves_is_removed(tmp_path: Path) -> None:
    words = (
        "import os, pathlib\nfrom votca_mlp.files import atomic_write\n"
        f"with atomic_write(pathlib.Path({str(tmp_path)!r}) / 'Al-Al.pot.new') as file:\n    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 9
    (left,) = [path.name for path in tmp_path.iterdir()]
    # a growing trajectory, a file of the user's, a folder: not ours to remove
    (tmp_path / ".export.abcdefgh.part").mkdir()
    for name in ("traj.dump.part", ".notes.part"):
        (tmp_path / name).touch()
    assert remove_left_over(tmp_path) == [left]
    assert {path.name for path in tmp_path.iterdir()} == {
        "traj.dump.part",
        ".notes.part",
        ".export.abcdefgh.part",
    }
