"""The registry of model kinds, and a kind of another package in one file through both loops."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.csg.case import VOTCA_MLP, environment, make_case
from tests.inverse.case import potentials
from tests.toys import install
from votca_mlp.errors import UserError
from votca_mlp.models.kind import ModelKind, model_kind, model_problems, pair_kinds
from votca_mlp.models.registry import kind_names

TOY = '''
"""A model kind of another package: a Lennard-Jones fluid that <arguments> describe."""

from votca_mlp.models.kind import ModelKind


def load(mlp, main_directory):
    from votca_mlp.models.lennard_jones import lennard_jones_mixture

    return lennard_jones_mixture({"Ar": (mlp.arguments["epsilon"], mlp.arguments["sigma"])}, cutoff=8.0)


def check(mlp):
    for name in ("epsilon", "sigma"):
        if name not in mlp.arguments:
            yield "arguments", f"has no {name}", "epsilon (eV) and sigma (Angstrom)"


KIND = ModelKind(load, named_by=None, uses=("arguments",), check=check)
'''
POINT = ("votca_mlp.models", "toy = toy_model:KIND")


def installed(folder: Path, point: str = POINT[1]) -> str:
    """Install the kind under some name; return a PYTHONPATH."""
    return install(folder / "site", {"toy_model.py": TOY}, {POINT[0]: point})


def toy_case(directory: Path, arguments: str = "{epsilon: 0.0103, sigma: 3.4}") -> Path:
    """Write a short case of the toy kind."""
    settings = make_case(directory, production=400) / "settings.xml"
    text = settings.read_text()
    begin, end = text.index("<kind>"), text.index("<threads>")
    kind = f"<kind>toy</kind><arguments>{arguments}</arguments><dtype>float64</dtype>"
    text = text[:begin] + kind + text[end:]
    text = text.replace("<first_equilibration>400<", "<first_equilibration>40<")
    settings.write_text(text.replace("<checkpoint_every>400<", "<checkpoint_every>40<"))
    return directory


def run(directory: Path, *words: str, **more: str) -> tuple[int, str]:
    done = subprocess.run(
        [VOTCA_MLP, *words],
        cwd=directory,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_kind_of_another_package_in_both_loops(model_and_observable: tuple[Path, Path]) -> None:
    tables = [potentials(main, 1) for main in model_and_observable]
    assert tables[0] == tables[1] != ""


def test_a_kind_of_another_package_is_checked(tmp_path: Path) -> None:
    path = installed(tmp_path)
    case = toy_case(tmp_path / "case")
    status, output = run(case, "check", PYTHONPATH=path)
    assert status == 0, output
    assert "model        toy on auto, float64" in output
    toy_case(case, "{epsilon: 0.0103}")
    status, output = run(case, "check", PYTHONPATH=path)
    assert status != 0
    assert "<cg.inverse.mlp.arguments> has no sigma; accepted: epsilon (eV) and sigma (Angstrom)" in output
    status, output = run(case, "check")
    assert "<cg.inverse.mlp.kind> is 'toy'; accepted: hippynn | ani | ase" in output


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ("ani = toy_model:KIND", "the name is taken"),
        ("toy = toy_model:load", "is a function"),
        ("toy = no_such_module:KIND", "cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_bad_packages(tmp_path: Path, points: str, message: str) -> None:
    path = installed(tmp_path, points)
    code = "from votca_mlp.models.kind import model_kinds; model_kinds()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(PYTHONPATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert message in done.stderr


def test_built_in_kinds() -> None:
    assert kind_names()[:3] == ("hippynn", "ani", "ase")
    assert pair_kinds().startswith("hippynn or ani")
    with pytest.raises(UserError, match="'mace' is no kind of model"):
        model_kind("mace")


def test_a_kind_refuses_what_it_does_not_use(monkeypatch: pytest.MonkeyPatch) -> None:
    from votca_mlp.models import kind
    from votca_mlp.models.options import MLPSettings

    def load(mlp: Any, main_directory: Path) -> Any:
        return SimpleNamespace()

    kinds = {"a": ModelKind(load), "b": ModelKind(load, named_by=None, uses=("members", "arguments"))}
    monkeypatch.setattr(kind, "model_kinds", lambda: kinds)
    monkeypatch.setattr(kind, "kind_names", lambda: tuple(kinds))
    mlp = MLPSettings(kind="ani", members=(1,), arguments={"x": 1}).model_copy(update={"kind": "a"})
    assert list(model_problems(mlp)) == [
        ("model", "is missing for kind a", "a path or builtin:NAME"),
        ("arguments", "is not used by kind a", "kind b with it"),
        ("members", "is not used by kind a", "kind b with it"),
    ]
    assert not list(model_problems(mlp.model_copy(update={"kind": "b"})))
