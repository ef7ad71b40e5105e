"""The merged defaults file, read by VOTCA's own programs."""

import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settings.conftest import GOOD
from tests.settings.test_reader import CASES
from votca_mlp.cli.defaults import stock_defaults
from votca_mlp.errors import UserError
from votca_mlp.settings.defaults import merged_defaults

COMMANDS = {
    "./inverse/gromacs/grompp/bin": "gmx grompp",
    "./inverse/gromacs/mdrun/command": "gmx mdrun",
    "./inverse/gromacs/g_energy/bin": "gmx energy",
}
"""What csg_inverse starts as our loop and check do; Debian's VOTCA has /usr/bin/gmx_d there."""

needs_votca = pytest.mark.skipif(shutil.which("csg_inverse") is None, reason="VOTCA is not installed")


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    path = tmp_path / "csg_defaults.xml"
    path.write_text(merged_defaults(stock_defaults()))
    return path


def paths(element: ET.Element, path: str = ".") -> Iterator[str]:
    yield path
    for child in element:
        yield from paths(child, f"{path}/{child.tag}")


@needs_votca
def test_every_tag_of_ours_is_in_it(merged: Path) -> None:
    """The rule of VOTCA 2023 and later: each path of settings.xml must exist in the defaults."""
    defaults = ET.parse(merged).getroot()
    for text in (GOOD, *(path.read_text() for path in CASES)):
        assert [path for path in paths(ET.fromstring(text)) if defaults.find(path) is None] == []


@needs_votca
def test_stock_defaults_stay(merged: Path) -> None:
    stock, new = ET.parse(stock_defaults()).getroot(), ET.parse(merged).getroot()
    for path in paths(stock):
        before, after = stock.find(path), new.find(path)
        assert before is not None
        assert after is not None, path
        if path in COMMANDS:
            assert (after.text or "").strip() == COMMANDS[path]
            continue
        # where VOTCA has none, as for cg.inverse.lammps.traj, ours may be
        if (before.text or "").strip():
            assert (before.text or "").split() == (after.text or "").split(), path


@needs_votca
def test_merging_twice_changes_nothing(merged: Path) -> None:
    assert merged_defaults(merged) == merged.read_text()


@needs_votca
def test_stock_scripts_find_our_defaults(merged: Path, tmp_path: Path) -> None:
    """csg_get_property as calc_rdf_generic.sh calls it, with a settings.xml that leaves all of it out."""
    (tmp_path / "settings.xml").write_text(GOOD.replace("<with_errors>yes</with_errors>", ""))
    share = stock_defaults().parent.parent
    script = (
        'export CSG_MAINDIR="$PWD"; source "$VOTCASHARE/scripts/inverse/functions_common.sh"\n'
        "for p in rdf.with_errors rdf.block_length topol traj equi_time first_frame; do\n"
        '  echo "$p=$(csg_get_property cg.inverse.ase.$p)"\ndone\n'
        "export bondtype=non-bonded bondname=Al-Al\n"
        'echo "w=$(csg_get_interaction_property inverse.wibi.weight)"\n'
    )
    environment = os.environ | {
        "VOTCASHARE": str(share),
        "VOTCA_CSG_DEFAULTS": str(merged),
        "CSGXMLFILE": str(tmp_path / "settings.xml"),
    }
    # VOTCA's die can kill its whole process group
    done = subprocess.run(
        ["bash", "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == [
        "rdf.with_errors=no",
        "rdf.block_length=10",
        "topol=topol.xml",
        "traj=traj.dump",
        "equi_time=0",
        "first_frame=0",
        "w=target",
    ]


def test_not_a_defaults_file(tmp_path: Path) -> None:
    (tmp_path / "d.xml").write_text("<cg/>")
    with pytest.raises(UserError, match="not a defaults file of VOTCA"):
        merged_defaults(tmp_path / "d.xml")
    with pytest.raises(UserError, match="no such file"):
        merged_defaults(tmp_path / "none.xml")
