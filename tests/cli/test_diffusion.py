"""votca-mlp diffusion: a random walk in a dump file gives its known coefficient; bad input is named."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.trajectories.written import write_dump
from votca_mlp.cli.app import app
from votca_mlp.errors import UserError
from votca_mlp.trajectories.frames import Frame

SIGMA, INTERVAL = 0.05, 10.0  # Angstrom a frame and axis, fs


@pytest.fixture
def frames() -> list[Frame]:
    rng = np.random.default_rng(3)
    steps = SIGMA * rng.standard_normal((600, 200, 3))
    steps[0] = rng.uniform(0, 12, (200, 3))
    types = np.array(["Ar", "Kr"] * 100)
    # Kr moves twice as far
    steps[1:, types == "Kr"] *= 2.0
    box = np.full(3, 12.0)
    return [Frame(np.mod(positions, box), box, types) for positions in np.cumsum(steps, axis=0)]


def run(path: Path, *arguments: str):
    return CliRunner().invoke(app, ["diffusion", str(path), "--interval", str(INTERVAL), *arguments])


@pytest.mark.parametrize(("number", "factor"), [("1", 1.0), ("2", 4.0)])
def test_random_walk(tmp_path: Path, frames: list[Frame], number: str, factor: float) -> None:
    write_dump(tmp_path / "traj.dump", frames)
    done = run(tmp_path / "traj.dump", "--element", number, "--pieces", "6")
    mean, error = map(float, re.search(r"D = (\S+) \+- (\S+) m\^2/s, 100 atoms", done.output).groups())
    expected = factor * SIGMA**2 / (2 * INTERVAL) * 1e-5 * (1 - 1 / 100)
    assert abs(mean - expected) < 3 * error
    assert error < 0.1 * expected


def test_velocities(tmp_path: Path, frames: list[Frame]) -> None:
    write_dump(tmp_path / "traj.dump", frames[:160])
    table = tmp_path / "vacf.dat"
    asked = ("--element", "2", "--pieces", "4", "--vacf", str(table), "--until")
    done = run(tmp_path / "traj.dump", *asked, "100")
    einstein, green = re.findall(r"D = (\S+) \+- (\S+) m\^2/s", done.output)
    # steps that know nothing of each other: all of D is in the first value
    assert abs(float(einstein[0]) - float(green[0])) < 3 * float(green[1])
    found = np.loadtxt(table)
    assert found.shape == (11, 2)
    assert tuple(found[0]) == (0.0, 1.0)
    assert np.abs(found[1:, 1]).max() < 0.1
    assert "to 100 fs; its lowest" in done.output
    assert "note: within one interval" in done.output
    assert "no velocities 2000 fs apart" in str(run(tmp_path / "traj.dump", *asked, "2000").exception)


def test_each_element_of_a_mixture(tmp_path: Path, frames: list[Frame]) -> None:
    """As with --element, below the mean over all, which hides that one moves four times as fast."""
    path = tmp_path / "traj.dump"
    write_dump(path, frames)
    asked = ("--pieces", "6", "--vacf", str(tmp_path / "vacf.dat"), "--until", "100")
    text = run(path, *asked).output
    found = json.loads(run(path, *asked, "--json").output)
    assert (found["atoms"], list(found["by_element"])) == (200, ["1", "2"])
    for name, own in found["by_element"].items():
        alone = run(path, *asked, "--element", name).output
        assert own["atoms"] == 100
        for kind in ("diffusion", "from_velocities"):
            words = f"D = {own[kind]['mean']:.4g} +- {own[kind]['error']:.2g} m^2/s"
            assert words in alone
            assert f"  {name}: {words}" in text
    slow, fast = (own["diffusion"]["mean"] for own in found["by_element"].values())
    assert 3.5 < fast / slow < 4.5
    # each has its own centre taken out, which is one of 100 atoms
    assert found["diffusion"]["mean"] == pytest.approx((slow + fast) / 2, rel=0.01)
    assert text.startswith(f"D = {found['diffusion']['mean']:.4g} +- ")


def test_one_element_has_no_lines_of_its_own(tmp_path: Path, frames: list[Frame]) -> None:
    path = tmp_path / "traj.dump"
    write_dump(path, [replace(frame, types=np.full(200, "Ar")) for frame in frames])
    (line,) = run(path, "--pieces", "6").output.splitlines()
    assert line.endswith("m^2/s, 200 atoms, 6 trajectories of 1000 fs")
    assert json.loads(run(path, "--pieces", "1", "--json").output)["diffusion"]["error"] is None


def test_an_element_of_one_atom(tmp_path: Path, frames: list[Frame]) -> None:
    """Against its own centre it never moves: D would be 0."""
    path = tmp_path / "traj.dump"
    types = np.array(["Ar"] * 199 + ["Kr"])
    write_dump(path, [replace(frame, types=types) for frame in frames])
    assert "  2: one atom, D is not known" in run(path).output
    assert json.loads(run(path, "--json").output)["by_element"]["2"] == {
        "atoms": 1, "diffusion": None, "from_velocities": None
    }  # fmt: skip
    assert "two atoms at least" in str(run(path, "--element", "2").exception)


def test_bad_input(tmp_path: Path, frames: list[Frame]) -> None:
    path = tmp_path / "traj.dump"
    write_dump(path, [*frames[:10], replace(frames[10], box=frames[10].box * 1.01)])
    assert "the box changes" in str(run(path).exception)
    write_dump(path, frames[:10])
    assert "no atom is of type 'Al'" in str(run(path, "--element", "Al").exception)
    found = run(path, "--pieces", "5").exception
    assert isinstance(found, UserError)
    assert "cannot be cut into 5" in str(found)


def test_a_time_without_its_curve(tmp_path: Path, frames: list[Frame]) -> None:
    write_dump(tmp_path / "traj.dump", frames)
    assert "--until: is of the autocorrelation" in str(
        run(tmp_path / "traj.dump", "--until", "100").exception
    )
