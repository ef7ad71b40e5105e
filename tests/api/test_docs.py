"""The examples of docs/python.md and of the package's docstring, and the notebook, run as they stand."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASE = ROOT / "settings" / "al_quickstart"


def shorter(code: str) -> str:
    """Return an example's code with more frames a step, so that few steps have two blocks of them."""
    return code.replace("sample_every=50", "sample_every=10")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an example, with its two files; its simulations have fewer steps than written."""
    for name in ("conf.extxyz", "Al-Al.dist.tgt"):
        shutil.copy(CASE / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CSG_MDRUN_STEPS", "100")
    return tmp_path


def test_the_page(folder: Path) -> None:
    """Every block of docs/python.md runs after those before it."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.DOTALL)
    assert len(blocks) >= 4
    space: dict[str, object] = {}
    for block in blocks:
        exec(compile(shorter(block), "docs/python.md", "exec"), space)
    assert (folder / "al.png").stat().st_size > 10_000
    assert space["again"].iterations == 2  # type: ignore[attr-defined]


def test_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notebook runs from its own folder to its end, and its first cell is ten lines."""
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    monkeypatch.setenv("CSG_MDRUN_STEPS", "100")
    shutil.copytree(CASE, tmp_path / "settings" / "al_quickstart")
    (tmp_path / "examples").mkdir()
    notebook = nbformat.read(ROOT / "examples" / "aluminium.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = shorter(cell.source)
    assert all(not cell.get("outputs") for cell in notebook.cells), "commit it without outputs"
    client.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path / "examples")}}
    ).execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "meV an atom" in printed
    assert "measured 2.621" in printed
    assert (tmp_path / "examples" / "al_1023K.json").is_file()
