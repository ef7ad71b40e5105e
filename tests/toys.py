"""Things of other packages, one of each registry, in runs of csg_inverse and of our loop.

csg_inverse takes most of the time of the tests of a registry: two registries share a run.
"""

import os
from pathlib import Path

import pytest

from tests.csg.case import inverse, needs_votca
from tests.inverse.case import ours


def install(folder: Path, files: dict[str, str], points: dict[str, str]) -> str:
    """Write modules and what an installation would add; return a PYTHONPATH with both.

    ``files`` are texts by name, ``points`` go from the group of entry points to a line of it.
    """
    info = folder / "toy-1.0.dist-info"
    info.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
    lines = [f"[{group}]\n{point}\n" for group, point in points.items()]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))


def in_both_loops(theirs: Path, own: Path, path: str) -> tuple[Path, Path]:
    """Run csg_inverse in one directory, our loop in the other; return both."""
    needs_votca()
    for run, main in ((inverse, theirs), (ours, own)):
        status, output = run(main, PYTHONPATH=path)
        assert status == 0, output
    return theirs, own


@pytest.fixture(scope="session")
def engine_and_rule(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One iteration of a mixture with the toy engine and the toy rule: by csg_inverse, by our loop."""
    from tests.engines.test_registry import POINT, TOY, toy_case
    from tests.update import test_registry as rules

    folder = tmp_path_factory.mktemp("toys")
    files = {"toy_engine.py": TOY, "toy_rule.py": rules.TOY}
    path = install(folder / "site", files, dict([POINT, rules.POINT]))
    theirs, own = (rules.with_rule(toy_case(folder / name, iterations=1)) for name in ("theirs", "own"))
    return in_both_loops(theirs, own, path)


@pytest.fixture(scope="session")
def model_and_observable(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One iteration with the toy model and the toy observable: by csg_inverse, by our loop."""
    from tests.models.test_registry import POINT, TOY, toy_case
    from tests.observables import test_plugin as observables

    folder = tmp_path_factory.mktemp("toys")
    files = {"toy_model.py": TOY, "toy_observable.py": observables.TOY}
    path = install(folder / "site", files, dict([POINT, observables.POINT]))
    theirs, own = (toy_case(folder / name) for name in ("theirs", "own"))
    return in_both_loops(theirs, own, path)
