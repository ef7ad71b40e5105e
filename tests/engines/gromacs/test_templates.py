"""The templates: grompp takes them, and they say what the code says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engines.gromacs.case import ROOT, find_gmx
from votca_mlp.deploy.nnpot_mdp import MODULE, mdp_fragment
from votca_mlp.engines.gromacs.mdp import read_mdp
from votca_mlp.settings import load_settings, read_topology

TEMPLATES = ROOT / "gromacs_templates"


@pytest.mark.parametrize("name", ["npt.mdp", "nvt.mdp"])
def test_grompp_takes_them(tmp_path: Path, name: str) -> None:
    gmx = find_gmx()
    for file in (TEMPLATES / name, TEMPLATES / "topol.top", TEMPLATES / "index.ndx"):
        shutil.copy(file, tmp_path)
    shutil.copy(ROOT / "settings/al_gromacs/conf.gro", tmp_path)
    words = [gmx, "grompp", "-f", name, "-n", "index.ndx", "-p", "topol.top", "-c", "conf.gro"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


def test_they_fit_together() -> None:
    settings = load_settings(TEMPLATES / "settings.xml")
    assert all((TEMPLATES / name).is_file() for name in settings.filelist)
    assert read_topology(TEMPLATES / "topol.xml").counts == {"Al": 500}
    given = read_mdp(TEMPLATES / "nnpot.mdp")
    lines = (line.split(" = ") for line in mdp_fragment(MODULE, 2025).splitlines())
    for key, value in lines:
        assert given[key] == value
    assert given["pcoupl"] == "no"
