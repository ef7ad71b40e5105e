"""The blocks of docs/reading.md read what a simulation leaves."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.docs.pages import blocks
from tests.engines.ase.case import make_case, run_case

BLOCKS = {
    f"{block.text.split()[1].partition('.')[0]}-{number}": block.text
    for number, block in enumerate(blocks("docs/reading.md"))
    if block.language == "python"
}


@pytest.fixture(scope="module")
def step(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reading")
    run_case(make_case(folder))
    return folder / "step_001"


def read_with(name: str, step: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run a block of the page in the folder of the step; return what it names."""
    package = name.partition("-")[0]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    monkeypatch.chdir(step)
    found: dict[str, Any] = {}
    exec(BLOCKS[name], found)
    return found


def test_pandas(step: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    thermo = read_with("pandas-0", step, monkeypatch)["thermo"]
    assert list(thermo.columns[:3]) == ["#step", "time[fs]", "temperature[K]"]
    assert (thermo["time[fs]"] == 4.0 * thermo["#step"]).all()
    assert thermo["stage"].tolist() == [1] * 5 + [2] * 20


def test_numpy(step: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read_with("numpy-1", step, monkeypatch)
    assert found["times"].tolist() == [4.0 * n for n in range(10, 251, 10)]
    named = np.genfromtxt(step / "thermo.dat", names=True)
    assert named["temperatureK"].tolist() == found["temperatures"].tolist()


def test_ase(step: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = read_with("ase-2", step, monkeypatch)["frames"]
    last = read_with("ase-4", step, monkeypatch)["last"]
    assert len(frames) == 20
    assert frames[-1].positions == pytest.approx(last.positions, abs=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_mdanalysis(step: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    universe = read_with("MDAnalysis-3", step, monkeypatch)["universe"]
    last = read_with("ase-4", step, monkeypatch)["last"]
    assert len(universe.trajectory) == 20
    assert universe.trajectory[-1].time == pytest.approx(1.0)
    assert universe.atoms.positions == pytest.approx(last.positions, abs=1e-4)
    assert universe.trajectory.ts.dimensions[:3] == pytest.approx(last.cell.lengths(), abs=1e-4)
