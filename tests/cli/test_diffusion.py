"""votca-mlp diffusion: a random walk in a dump file gives its known coefficient; bad input is named."""

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
