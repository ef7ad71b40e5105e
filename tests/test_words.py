"""The field's words in names: those of the old house do not come back."""

import ast

from tests.rooms import modules

# nobody: padding; places: ghost atoms, coordinates; partner: what it is; told, who: what is said, of what
BANNED = {"nobody", "partner", "partners", "places", "told", "who", "pull"}
BANNED_CLASSES = {"Whole", "Piece", "Eight"}


def names_in(source: str) -> set[str]:
    """Return the names that a module defines or uses, split at underscores for functions and variables."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.FunctionDef):
            found |= {node.name, *node.name.split("_")}
        elif isinstance(node, ast.Name):
            found |= {node.id, *node.id.split("_")}
        elif isinstance(node, ast.arg):
            found |= {node.arg, *node.arg.split("_")}
        elif isinstance(node, ast.Attribute):
            found |= {node.attr, *node.attr.split("_")}
    return found


def test_names_are_the_fields() -> None:
    """Every name in the package."""
    wrong = {
        name: sorted(found)
        for name, path in modules().items()
        if (found := names_in(path.read_text(encoding="utf-8")) & (BANNED | BANNED_CLASSES))
    }
    assert wrong == {}


def test_the_looking_finds() -> None:
    """A variable, an argument, an attribute and a class are seen."""
    assert names_in("def f(told):\n    x.n_places = who\nclass Eight: ...\n") >= {
        "told",
        "places",
        "who",
        "Eight",
    }
