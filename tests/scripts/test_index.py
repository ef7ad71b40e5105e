"""scripts/README.md has every script, in the words of the script itself."""

import ast
import re
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
FILES = sorted(path.name for path in SCRIPTS.iterdir() if path.is_file() and path.name != "README.md")


def index() -> dict[str, tuple[bool, str]]:
    """Return, by name of a file, whether it is a part of others and what it is for."""
    rows = re.findall(
        r"^\| \[(\S+)\]\(\1\)(, \*part\*)? \| (.*) \|$", (SCRIPTS / "README.md").read_text(), re.M
    )
    return {name: (bool(part), words) for name, part, words in rows}


def first_line(text: str) -> str:
    """Return the first line of a Python file's docstring, or of another script's comment."""
    if text.splitlines()[1].startswith("# "):
        return text.splitlines()[1].removeprefix("# ")
    return (ast.get_docstring(ast.parse(text)) or "").splitlines()[0]


def test_every_script_is_in_the_index() -> None:
    assert sorted(index()) == FILES


@pytest.mark.parametrize("name", FILES)
def test_the_index_has_the_words_of_the_script(name: str) -> None:
    text = (SCRIPTS / name).read_text()
    # what is not run by itself has no line that names the interpreter
    assert index()[name] == (not text.startswith("#!"), first_line(text))
