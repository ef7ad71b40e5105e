"""The table of rooms, and the imports of the package read from its source."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ROOMS = (
    *("errors", "plain", "units", "versions", "processes", "interrupts", "files", "elements", "fields"),
    *("tables", "progress"),
    "plugins",
    "kernels",
    "neighbours",
    "trajectories",
    "ensemble",
    "observables",
    "potentials",
    "models",
    "evaluation",
    "targets",
    "scattering",
    "update",
    "deploy",
    "engines",
    "runs",
    "settings",
    "inverse",
    "csg",
    "training",
    "export",
    "report",
    "api",
    "cli",
    "__main__",
)
"""From the bottom of the house to its top: a room may import the rooms before it, never those after it."""

FACE = "votca_mlp"
"""The package's own ``__init__``, which re-exports the API and is no room."""


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Return every module of the package by its dotted name."""
    found = {}
    for path in sorted((root / "votca_mlp").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(paths: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return which modules of the package each of them imports, also inside functions and for types only."""
    graph: dict[str, set[str]] = {}
    for name, path in paths.items():
        graph[name] = set()
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                graph[name] |= {alias.name for alias in node.names if alias.name in paths}
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    above = package.split(".")[: len(package.split(".")) - node.level + 1]
                    base = ".".join([*above, *([base] if base else [])])
                for alias in node.names:
                    for found in (f"{base}.{alias.name}", base):
                        if found in paths:
                            graph[name].add(found)
                            break
        graph[name].discard(name)
    return graph


def room_of(module: str) -> str:
    """Return the room of a module: the name after ``votca_mlp``, or ``votca_mlp`` for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else FACE


def upward(graph: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """Return the imports that go up the house: from a room to one after it in the table."""
    level = {room: number for number, room in enumerate(ROOMS)}
    return sorted(
        (a, b)
        for a, names in graph.items()
        for b in names
        if FACE not in (room_of(a), room_of(b)) and level[room_of(a)] < level[room_of(b)]
    )


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the groups of files that import each other in a circle (Tarjan's strong components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            ring = []
            while True:
                ring.append(stack.pop())
                if ring[-1] == name:
                    break
            if len(ring) > 1:
                found.append(sorted(ring))

    for name in graph:
        if name not in index:
            visit(name)
    return found
