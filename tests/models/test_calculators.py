"""Other people's ASE calculators: forms of their results, what they raise, the files and names they get."""

import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.lj import LennardJones
from ase.stress import voigt_6_to_full_3x3_stress

from votca_mlp.engines.shared.first_evaluation import check_finite
from votca_mlp.engines.shared.stress import require_stress
from votca_mlp.errors import UserError
from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.models.arguments import resolved, unusable
from votca_mlp.models.ase_any import KIND, load_calculator
from votca_mlp.models.identity import model_identity
from votca_mlp.models.options import MLPSettings
from votca_mlp.models.origin import describe_model, found_model
from votca_mlp.versions import versions


class Wrapped(Calculator):
    """Lennard-Jones whose results have another form."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, change: Any) -> None:
        super().__init__()
        self.inner, self.change = LennardJones(sigma=2.5, epsilon=0.1, rc=6.0), change

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        self.inner.calculate(atoms, ["energy", "forces", "stress"], all_changes)
        self.results = {name: self.inner.results[name] for name in ("energy", "forces", "stress")}
        self.results |= self.change(self.results)


class NoStress(Wrapped):
    implemented_properties = ("energy", "forces")


class Charges(Calculator):
    implemented_properties = ("energy", "charges")


@pytest.fixture
def atoms() -> Atoms:
    found = bulk("Al", cubic=True) * (2, 2, 2)
    found.rattle(0.1, seed=0)
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda r: {"energy": np.array([r["energy"]])},
        lambda r: {"energy": torch.tensor([[r["energy"]]], dtype=torch.float64)},
        lambda r: {"forces": torch.tensor(r["forces"], requires_grad=True)},
        lambda r: {"forces": r["forces"][None]},
        lambda r: {"forces": r["forces"].tolist()},
        lambda r: {"stress": voigt_6_to_full_3x3_stress(r["stress"])},
        lambda r: {"stress": torch.tensor(voigt_6_to_full_3x3_stress(r["stress"]))[None]},
        lambda r: {"stress": list(r["stress"])},
    ],
)
def test_every_form_of_a_result_is_the_same(atoms: Atoms, change: Any) -> None:
    plain = CalculatorEvaluator(Wrapped(lambda r: {})).evaluate(atoms)
    found = CalculatorEvaluator(Wrapped(change)).evaluate(atoms)
    assert found.energy == plain.energy
    assert np.array_equal(found.forces, plain.forces)
    assert np.array_equal(found.stress, plain.stress)
    assert found.forces.dtype == found.stress.dtype == np.float64


def crash(results: Any) -> Any:
    raise ValueError("two\nlines")


def leave(results: Any) -> Any:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: {"stress": None}, "gave no stress, which it says it has"),
        (lambda r: {"forces": None}, "gave no forces"),
        (lambda r: {"forces": r["forces"][:-1]}, r"gave forces of shape \[31, 3\]"),
        (lambda r: {"forces": r["forces"].ravel()}, r"gave forces of shape \[96\]"),
        (lambda r: {"energy": r["forces"]}, r"gave energy of shape \[32, 3\]"),
        (lambda r: {"energy": "low"}, "gave energy as str"),
        (lambda r: {"stress": np.zeros(9)}, r"gave stress of shape \[9\]"),
        (crash, "failed: ValueError: two lines"),
        (leave, "failed: SystemExit: 3"),
    ],
)
def test_anything_else_is_one_message(atoms: Atoms, change: Any, message: str) -> None:
    with pytest.raises(UserError, match=f"the calculator Wrapped {message}") as caught:
        CalculatorEvaluator(Wrapped(change)).evaluate(atoms)
    assert caught.value.accepted


def test_an_interruption_stays_one(atoms: Atoms) -> None:
    def interrupted(results: Any) -> Any:
        raise SystemError("returned a result with an exception set") from KeyboardInterrupt()

    with pytest.raises(SystemError):
        CalculatorEvaluator(Wrapped(interrupted)).evaluate(atoms)


def test_without_stress_at_constant_volume_only(atoms: Atoms) -> None:
    evaluator = CalculatorEvaluator(NoStress(lambda r: {"stress": None}))
    found = evaluator.evaluate(atoms)
    assert np.isfinite(found.forces).all()
    assert np.isnan(found.stress).all()
    plan: Any = SimpleNamespace(place=lambda tag: f"cg.inverse.ase.{tag}")
    with pytest.raises(UserError, match=r"cg\.inverse\.ase\.ensemble: npt needs a stress"):
        require_stress(plan, evaluator, "ensemble", "npt")
    require_stress(plan, CalculatorEvaluator(Wrapped(lambda r: {})), "ensemble", "npt")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("ase.calculators.emt:EMT", {"cutof": 5.0}, "would take cutof and never look at it"),
        ("ase.calculators.lj:LennardJones", {"sigm": 2.0, "rc": 6.0}, "would take sigm and never"),
        ("sys:exit", {}, "SystemExit"),
    ],
)
def test_refused_at_loading(tmp_path: Path, name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        load_calculator(name, arguments, tmp_path)
    assert caught.value.accepted


def test_a_name_that_may_be_looked_at_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "takes_any.py").write_text(
        "from ase.calculators.lj import LennardJones\ndef make(depth=1.0, **others):\n"
        "    calculator = LennardJones(epsilon=depth)\n    calculator.default_parameters = {}\n"
        "    return calculator\n"
    )
    with caplog.at_level(logging.WARNING):
        load_calculator("takes_any:make", {"depth": 2.0, "deptth": 1.0}, tmp_path)
    assert "takes_any:make declares no deptth" in caplog.text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0, 1e6])
@pytest.mark.parametrize("name", ["rc", "cutoff", "r_max"])
def test_cutoffs_that_nothing_can_use(name: str, value: float) -> None:
    assert [what for what, _ in unusable({name: value})] == [f"{name} is {value:g}"]
    mlp = MLPSettings(kind="ase", calculator="ase.calculators.lj:LennardJones", arguments={name: value})
    assert KIND.check is not None
    assert [tag for tag, *_ in KIND.check(mlp)] == ["arguments"]
    assert not list(unusable({name: 6.0, "epsilon": -1.0, "smooth": False}))
    assert [what for what, _ in unusable({name: True})] == [f"{name} is true"]


def write_calculator(folder: Path, depth: str = "0.5") -> MLPSettings:
    folder.mkdir(exist_ok=True)
    (folder / "reads_a_file.py").write_text(
        "from pathlib import Path\nfrom ase.calculators.lj import LennardJones\n"
        "def make(models):\n    return LennardJones(epsilon=float(Path(models[0]).read_text()))\n"
    )
    (folder / "depth.txt").write_text(depth)
    arguments = {"models": ["depth.txt"]}
    return MLPSettings(kind="ase", calculator="reads_a_file:make", arguments=arguments)


def test_files_are_relative_to_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlp = write_calculator(tmp_path / "main")
    (tmp_path / "main" / "small").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_calculator(mlp.calculator, mlp.arguments, "main").parameters["epsilon"] == 0.5
    found = resolved({"a": ["depth.txt", "small", 3], "b": "none.txt", "c": "./small"}, tmp_path / "main")
    main = tmp_path / "main"
    assert found == {"a": [str(main / "depth.txt"), "small", 3], "b": "none.txt", "c": str(main / "small")}


def test_another_file_or_module_is_another_model(tmp_path: Path) -> None:
    main = tmp_path / "main"
    mlp = write_calculator(main)
    before, origin = model_identity(mlp, main), describe_model(mlp, main, 0.5)
    # elsewhere the same files are the same model
    assert model_identity(write_calculator(tmp_path / "other"), tmp_path / "other") == before
    assert found_model(origin, where="export.json", trust=True).calculator == mlp.calculator
    for change in (
        lambda: (main / "depth.txt").write_text("0.6"),
        lambda: (main / "reads_a_file.py").write_text("# other\n"),
        lambda: (main / "depth.txt").unlink(),
    ):
        write_calculator(main)
        change()
        assert model_identity(mlp, main) != before
        with pytest.raises(UserError, match="is not the one that was corrected"):
            found_model(origin, where="export.json", trust=True)


def test_versions_name_the_package_of_a_calculator() -> None:
    assert "PyYAML" not in versions()
    assert "PyYAML" in versions("yaml:load")
    assert versions("no_such_module:f") == versions()


def test_the_start_of_a_run_without_stress(atoms: Atoms) -> None:
    """A stress that is not there is no wrong number; one that is there and nan is."""
    absent = CalculatorEvaluator(NoStress(lambda r: {"stress": None}))
    check_finite(absent.evaluate(atoms), "conf.extxyz")
    wrong = CalculatorEvaluator(Wrapped(lambda r: {"stress": np.full(6, np.nan)}))
    with pytest.raises(UserError, match="stress is not finite"):
        check_finite(wrong.evaluate(atoms), "conf.extxyz")


def test_modules_of_one_name_beside_two_settings_files_are_two(tmp_path: Path) -> None:
    for name, sigma in (("first", 2.0), ("second", 3.0)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "my_constants.py").write_text(f"SIGMA = {sigma}\n")
        (folder / "my_calculator.py").write_text(
            "from ase.calculators.lj import LennardJones\nfrom my_constants import SIGMA\n"
            "def make():\n    return LennardJones(sigma=SIGMA, epsilon=0.1, rc=6.0)\n"
        )

    def sigma_in(name: str) -> float:
        return float(load_calculator("my_calculator:make", {}, tmp_path / name).parameters["sigma"])

    assert [sigma_in(name) for name in ("first", "second", "second", "first")] == [2.0, 3.0, 3.0, 2.0]


def test_a_module_beside_the_settings_stays_the_one_that_was_loaded(tmp_path: Path) -> None:
    (tmp_path / "my_single.py").write_text("from ase.calculators.lj import LennardJones\n")
    first = load_calculator("my_single:LennardJones", {}, tmp_path)
    module = sys.modules["my_single"]
    other = tmp_path / "other"
    other.mkdir()
    load_calculator("ase.calculators.lj:LennardJones", {}, other)
    assert load_calculator("my_single:LennardJones", {}, tmp_path).__class__ is first.__class__
    assert sys.modules["my_single"] is module
