"""The table of rooms: imports go down the house only, and no files go round in a circle."""

from pathlib import Path

from tests.rooms import ROOMS, circles, imports_of, modules, room_of, upward


def test_every_module_has_a_room() -> None:
    """A new folder has to take its place in the table."""
    rooms = {room_of(name) for name in modules()} - {"votca_mlp"}
    assert rooms <= set(ROOMS)


def test_every_folder_is_a_package() -> None:
    """setuptools leaves folders without ``__init__.py`` out of what is installed."""
    folders = {path.parent for path in modules().values()}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_no_import_goes_up() -> None:
    """A room imports what is before it in the table."""
    assert upward(imports_of(modules())) == []


def test_no_circles_of_files() -> None:
    """A reader can begin at any file and come to an end."""
    assert circles(imports_of(modules())) == []


def test_the_counting_counts(tmp_path: Path) -> None:
    """An import upwards, inside a function, and a circle are found in a small house."""
    sources = {
        "kernels/low.py": "def f():\n    from votca_mlp.cli import high\n",
        "cli/__init__.py": "",
        "cli/high.py": "from votca_mlp.kernels import low\nimport votca_mlp.cli.other\n",
        "cli/other.py": "from .high import f\n",
    }
    for name, text in sources.items():
        path = tmp_path / "votca_mlp" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    graph = imports_of(modules(tmp_path))
    assert upward(graph) == [("votca_mlp.kernels.low", "votca_mlp.cli.high")]
    names = ["votca_mlp.cli.high", "votca_mlp.cli.other", "votca_mlp.kernels.low"]
    assert circles(graph) == [names]
