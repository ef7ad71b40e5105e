"""environment.yml and CITATION.cff: names and versions that cannot drift from pyproject.toml."""

import re
import tomllib
from typing import Any

import yaml

from tests.docs.pages import ROOT

# PyPI's name, and conda-forge's where it is another
CONDA_NAMES = {"torch": "pytorch-cpu", "vesin": "python-vesin"}


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def environment() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    return loaded


def split(requirement: str) -> tuple[str, str]:
    """Return name and version condition of a requirement."""
    match = re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?\s*(.*)", requirement)
    assert match is not None, requirement
    return match[1], match[2]


def test_only_conda_forge() -> None:
    """Packages of other channels are built against other libraries."""
    assert environment()["channels"] == ["conda-forge", "nodefaults"]


def test_nothing_is_left_to_pip() -> None:
    """A pip section is a dictionary in the list; without one pip cannot bring a torch of its own."""
    assert all(isinstance(entry, str) for entry in environment()["dependencies"])
    comment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert "pip install --no-deps -e ." in comment


def test_every_requirement_is_there_with_its_version() -> None:
    """All of the package's own, of MD and of plots: --no-deps installs none of them."""
    project = pyproject()["project"]
    extras = project["optional-dependencies"]
    wanted = dict(split(r) for r in [*project["dependencies"], *extras["md"], *extras["plot"]])
    found = dict(split(entry) for entry in environment()["dependencies"])
    assert {CONDA_NAMES.get(name, name): version for name, version in wanted.items()}.items() <= found.items()
    assert found["python"] == project["requires-python"]


def test_torch_is_the_cpu_build_and_the_only_one() -> None:
    names = {split(entry)[0] for entry in environment()["dependencies"]}
    assert {name for name in names if "torch" in name} == {"pytorch-cpu"}


def test_votca_has_csg_inverse() -> None:
    found = dict(split(entry) for entry in environment()["dependencies"])
    assert found["votca"] == "<2026"
    assert {"perl", "procps-ng"} <= found.keys()


def test_the_citation_is_of_this_version() -> None:
    """The keys that the format 1.2.0 requires, and the version that pip would install."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert str(citation["version"]) == pyproject()["project"]["version"]
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= reference.keys()
