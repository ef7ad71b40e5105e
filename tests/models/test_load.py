"""From settings to a model: kinds, paths, devices, threads, and a clear word on what is wrong."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from ase.build import bulk
from ase.calculators.lj import LennardJones

from tests.models.ani.neurochem_files import write_model
from votca_mlp.errors import UserError
from votca_mlp.evaluation.calculator_evaluator import CalculatorEvaluator
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.evaluation.load import make_evaluator
from votca_mlp.kernels.threads import set_threads
from votca_mlp.models import load
from votca_mlp.models.ani.model import AniModel


@pytest.fixture(autouse=True)
def keep_threads() -> Any:
    before = torch.get_num_threads()
    yield
    set_threads(before)


def mlp(**changes: Any) -> Any:
    values = {
        "kind": "ani",
        "model": "model",
        "members": None,
        "calculator": None,
        "arguments": {},
        "device": "cpu",
        "dtype": "float32",
        "threads": 1,
        "trust_pickle": False,
    }
    return SimpleNamespace(**{**values, **changes})


def test_ani(tmp_path: Path) -> None:
    write_model(tmp_path / "model", members=3)
    evaluator = make_evaluator(mlp(members=(2, 0)), None, tmp_path, skin=0.3)
    assert isinstance(evaluator, PairListEvaluator)
    assert isinstance(evaluator.model, AniModel)
    assert evaluator.model.n_members == 2
    assert evaluator.dtype == torch.float32
    assert evaluator.pairs.list.skin == 0.3
    assert np.isfinite(evaluator.evaluate(bulk("Al") * (3, 3, 3)).energy)


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m").mkdir()
    monkeypatch.setenv("MODELS", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("m", "$MODELS/m", "${MODELS}/m", "~/m", str(tmp_path / "m")):
        assert load.model_path(name, tmp_path) == tmp_path / "m"
    monkeypatch.delenv("MODELS")
    with pytest.raises(UserError, match="variable"):
        load.model_path("$MODELS/m", tmp_path)
    with pytest.raises(UserError, match="no such file or folder"):
        load.model_path("other", tmp_path)


def test_builtin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(load, "builtin_models", lambda: {"al-hipnn": tmp_path / "al-hipnn.pt"})
    assert load.model_path("builtin:al-hipnn", tmp_path) == tmp_path / "al-hipnn.pt"
    with pytest.raises(UserError, match="accepted: builtin:al-hipnn"):
        load.model_path("builtin:al", tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": None}, r"cg\.inverse\.mlp\.model: no model is named"),
        ({"kind": "mace"}, "'mace' is no kind of model"),
        ({"device": "cuda:99"}, r"cg\.inverse\.mlp\.device"),
        ({"device": "gpu"}, r"cg\.inverse\.mlp\.device"),
        ({"dtype": "float16"}, "accepted: float32 or float64"),
        ({"members": (7,)}, "no member 7"),
    ],
)
def test_bad_settings(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_model(tmp_path / "model")
    with pytest.raises(UserError, match=message):
        make_evaluator(mlp(**changes), None, tmp_path)


def test_any_calculator(tmp_path: Path) -> None:
    settings = mlp(
        kind="ase", calculator="ase.calculators.lj:LennardJones", arguments={"sigma": 2.5, "rc": 6.0}
    )
    evaluator = make_evaluator(settings, None, tmp_path)
    assert isinstance(evaluator, CalculatorEvaluator)
    atoms = bulk("Al", cubic=True) * (2, 2, 2)
    atoms.rattle(0.1, seed=0)
    energy = evaluator.evaluate(atoms).energy
    atoms.calc = LennardJones(sigma=2.5, rc=6.0)
    assert energy == pytest.approx(atoms.get_potential_energy(), abs=1e-12)


def test_calculator_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "my_beads.py").write_text(
        "from ase.calculators.lj import LennardJones\n"
        "def make(depth):\n    return LennardJones(epsilon=depth)\n"
        "def broken():\n    raise RuntimeError('no licence')\n"
        "def nothing():\n    return 3\n"
        "def leaves():\n    raise SystemExit(0)\n"
    )
    settings = mlp(kind="ase", calculator="my_beads:make", arguments={"depth": 0.5})
    assert load.load_model(settings, tmp_path).parameters["epsilon"] == 0.5
    for calculator, arguments, message in (
        ("my_beads:make", {}, r"missing a required argument: 'depth'[\s\S]*make\(depth\)"),
        ("my_beads:make", {"deep": 1}, "unexpected keyword argument|missing a required argument"),
        ("my_beads:broken", {}, "RuntimeError: no licence"),
        ("my_beads:leaves", {}, "SystemExit: 0"),
        ("sys:exit", {}, "sys:exit failed: SystemExit"),
        ("my_beads:nothing", {}, "returned int, which is no ASE calculator"),
    ):
        with pytest.raises(UserError, match=message):
            load.load_model(mlp(kind="ase", calculator=calculator, arguments=arguments), tmp_path)


@pytest.mark.parametrize("cutoff", ["nan", "inf", "0.0", "-7.0", "1.0e9"])
def test_cutoffs_that_cannot_be(tmp_path: Path, cutoff: str) -> None:
    arguments = {"species": {"Ar": [0.01, 3.4]}, "cutoff": float(cutoff)}
    name = "votca_mlp.models.lennard_jones:lennard_jones_mixture"
    with pytest.raises(UserError, match=rf"the model's cutoff is {float(cutoff)}[\s\S]*at most 100 Angstrom"):
        load.load_model(mlp(kind="ase", calculator=name, arguments=arguments), tmp_path)


@pytest.mark.parametrize("cutoff", [float("nan"), float("inf"), -1.0, 1e9])
def test_cutoffs_of_calculators(tmp_path: Path, cutoff: float) -> None:
    settings = mlp(kind="ase", calculator="ase.calculators.lj:LennardJones", arguments={"rc": cutoff})
    with pytest.raises(UserError, match=r"LennardJones has rc = .* Angstrom"):
        load.load_model(settings, tmp_path)


@pytest.mark.parametrize(
    ("calculator", "message"),
    [
        (None, "is not module:callable"),
        ("ase.calculators.lj", "is not module:callable"),
        ("os:system('true')", "is not module:callable"),
        ("no_such_module:Calculator", "no module 'no_such_module'"),
        ("ase.calculators.lj:Nothing", "has no 'Nothing'"),
        ("ase.calculators.lj:__doc__", "cannot be called"),
        ("tests.models.test_calculators:Charges", "has no forces"),
    ],
)
def test_bad_calculators(tmp_path: Path, calculator: str | None, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load.load_model(mlp(kind="ase", calculator=calculator), tmp_path)
    assert message in str(caught.value)
    assert caught.value.accepted
