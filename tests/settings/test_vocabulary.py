"""VOTCA's own settings files must pass; its lists of tags are the reference."""

from pathlib import Path

import pytest

from votca_mlp.settings.document import read_document
from votca_mlp.settings.vocabulary import nearest, unknown_tags

TUTORIALS = Path("/usr/share/votca/csg-tutorials")
# tags in the tutorials that no version from 2022.1 on reads or lists
OBSOLETE = {"res_output_coeff", "scriptdir", "cut_gn", "table_bins"}


@pytest.mark.skipif(not TUTORIALS.is_dir(), reason="VOTCA's tutorials are not installed")
def test_the_tutorials_of_votca() -> None:
    files = [path for path in TUTORIALS.rglob("*.xml") if "<cg>" in path.read_text()]
    assert len(files) > 30
    found = [problem for path in files for problem in unknown_tags(read_document(path, "cg"))]
    assert {problem.tag.split(".")[-1] for problem in found} == OBSOLETE


@pytest.mark.parametrize(
    ("typo", "tag"),
    [("KBT", "kBT"), ("iteration_max", "iterations_max"), ("filelst", "filelist"), ("zzz", None)],
)
def test_nearest(typo: str, tag: str | None) -> None:
    assert nearest(typo, {"kBT", "iterations_max", "filelist", "method"}) == tag
