"""Reading the pages of docs/: fenced blocks, files that they hold, tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(
    r"^(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the file that it is, when the page says so."""

    language: str
    text: str
    file: str | None


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page (a path below the root) in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [Block(m["language"], m["text"], m["file"]) for m in _FENCE.finditer(text)]


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the first table below a heading, cells stripped, without its header."""
    text = (ROOT / page).read_text(encoding="utf-8")
    below = text.split(f"\n{heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert lines is not None, f"{page} has no table below {heading}"
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[0].splitlines()]
    return cells[2:]


def commands_and_files(page: str) -> str:
    """Return the page as one bash script: files are written where they stand, ``sh`` blocks are run."""
    script = ["set -euo pipefail"]
    for block in blocks(page):
        if block.file is not None:
            script.append(f"cat >{block.file} <<'END_OF_FILE'\n{block.text}END_OF_FILE")
        elif block.language == "sh":
            script.append(block.text.rstrip())
    return "\n".join(script) + "\n"


def run_example(page: Sequence[Block]) -> str:
    """Run a page's first ``sh`` block in this process and folder; return what its last command printed.

    Files are written first. The block begins with ``python make_data.py``, the rest is votca-mlp.
    """
    from typer.testing import CliRunner

    from votca_mlp.cli.app import app

    for block in page:
        if block.file is not None:
            Path(block.file).write_text(block.text)
    first, *commands = next(block.text for block in page if block.language == "sh").splitlines()
    assert first == "python make_data.py"
    exec(Path("make_data.py").read_text(), {})
    output = ""
    for command in commands:
        result = CliRunner().invoke(app, command.split()[1:])
        assert result.exit_code == 0, result.output
        output = result.output
    return output
