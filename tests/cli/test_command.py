"""What --help shows, and the options that messages and pages name."""

import re
from pathlib import Path

import pytest
import typer

from tests.docs.pages import ROOT
from tests.docs.test_pages import PAGES
from votca_mlp.cli.app import app
from votca_mlp.cli.command import flowing

COMMANDS = typer.main.get_command(app).commands
OPTIONS = {
    name: {opt for param in command.params for opt in param.opts} | {"--help"}
    for name, command in COMMANDS.items()
}
OF_OTHERS = {
    # of LAMMPS, VOTCA, Python's unittest and shells; of votca-mlp itself
    *("--sum", "--withflag", "--do-imc", "--color", "--to-stderr", "--version"),
}


def test_paragraphs_have_no_lines_of_their_own() -> None:
    """A screen of 80 columns breaks them; the source has lines of 110."""
    assert flowing("One,\n    two.\n\n    Three\n    four.\n    ") == "One, two.\n\nThree four. ".strip()
    assert flowing(None) is None
    for name, command in COMMANDS.items():
        assert all("\n" not in part for part in (command.help or "").split("\n\n")), name


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_options_of_a_page_are_those_of_its_command(page: str) -> None:
    """Wherever a command line stands in code."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    for name, rest in re.findall(r"votca-mlp ([a-z]+)((?: [^\n`|;#)&]*)?)", text):
        if name in OPTIONS:
            named = set(re.findall(r"(?<= )--?[a-zA-Z][\w-]*", rest))
            assert named <= OPTIONS[name], f"{page}: votca-mlp {name}{rest}"


def test_options_that_messages_name_exist() -> None:
    every = set().union(*OPTIONS.values()) | OF_OTHERS
    for path in sorted((ROOT / "votca_mlp").rglob("*.py")):
        named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", path.read_text(encoding="utf-8")))
        unknown = named - every - ({"--grid", "--in"} if "csg_resample" in path.read_text() else set())
        assert not unknown, f"{Path(path).name}: {unknown}"
