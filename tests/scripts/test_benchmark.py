"""The benchmark's functions for a small case, in this process."""

import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

SCRIPTS = Path(__file__).parents[2] / "scripts"
HERE = {"threads": 1, "model": "hipnn", "count": 108}


def script(name: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(Path(name).stem, str(SCRIPTS / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    module = script("benchmark_case.py")
    monkeypatch.setattr(module, "SECONDS", 0.01)
    monkeypatch.setattr(module, "SAMPLE_STEPS", 5)
    before = torch.get_num_threads()
    yield module
    torch.set_num_threads(before)


def test_a_small_case(case: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    times = case.speeds(ensemble="npt", device="cpu", repeats=2, **HERE)
    assert [len(values) for values in times.values()] == [2, 2]
    assert min(times["reference"]) > min(times["ours"]) > 0.0
    found = case.breakdown(ensemble="npt", **HERE)
    parts = sum(
        value for name, value in found.items() if name not in ("step", "its list") and "of this" not in name
    )
    assert parts == pytest.approx(found["step"], rel=1e-9)
    assert all(value > 0.0 for value in found.values())
    assert case.memory("ours", ensemble="nvt", **HERE) > 100.0
    benchmark = script("benchmark.py")
    times = {("hipnn", "1 thread", "nvt", n): [2.0 * n, 3.0 * n**2] for n in (256, 500, 2048)}
    powers = {"ours": 1.0, "ours_largest": 1.0, "reference": 2.0, "reference_largest": 2.0}
    assert benchmark.growth(times) == {"hipnn 1 thread nvt": pytest.approx(powers)}
    assert "1.00      1.00        2.00      2.00" in capsys.readouterr().out


@pytest.mark.parametrize("model", ["hipnn", "2x2-quad"])
def test_ours_equals_hippynns_calculator(case: ModuleType, model: str) -> None:
    for names, (energy, forces) in case.equality(model, 108).items():
        assert energy < 1e-6, names
        assert forces < 1e-4, names


def test_drift_is_the_slope(case: ModuleType) -> None:
    times = 0.01 * np.arange(1001)
    noise = np.random.default_rng(0).standard_normal(1001)
    drift, error, rms = script("benchmark_drift.py").fitted(5.0 - 0.3 * times + 0.1 * noise, 0.01)
    assert abs(drift + 0.3) < 4 * error
    assert error == pytest.approx(0.1 / np.sqrt(1001) / (10 / np.sqrt(12)), rel=0.6)
    assert rms == pytest.approx(0.1, rel=0.1)
