"""The verdict at the end of a run."""

import re
import shutil
from pathlib import Path

import pytest

from tests.report.runs import make_run
from votca_mlp.ensemble.estimate import Estimate
from votca_mlp.inverse.in_words import in_words, said_of_density
from votca_mlp.runs.reading import read_runs
from votca_mlp.targets.target import density_target


@pytest.mark.parametrize(
    ("value", "sigma", "words"),
    [
        (2349.0, None, "density 2343.1 +- 2 kg/m3, measured 2349: 0.25 % too low"),
        (2300.0, 10.0, "density 2343.1 +- 2 kg/m3, measured 2300 +- 10: 1.9 % too high"),
        (2349.0, 10.0, "density 2343.1 +- 2 kg/m3, measured 2349 +- 10: they agree"),
    ],
)
def test_density(tmp_path: Path, value: float, sigma: float | None, words: str) -> None:
    runs = read_runs(make_run(tmp_path, 4))
    assert in_words(runs, density_target(value, sigma))[-1] == words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (float("nan"), "density 2343.1 kg/m3, measured 2300: 1.9 % too high"),
        (0.0, "density 2343.1 kg/m3 (held), measured 2300: 1.9 % too high"),
    ],
)
def test_an_error_that_is_not_known_is_no_constant_volume(error: float, words: str) -> None:
    """A short simulation at constant pressure was said to be held."""
    assert said_of_density(Estimate(2343.1, error), density_target(2300.0, None)) == words


def test_a_better_step_before_the_last_is_named(tmp_path: Path) -> None:
    run = make_run(tmp_path, 5)
    assert not any("least in step" in line for line in in_words(read_runs(run)))
    shutil.copy(run / "step_001" / "Al-Al.dist.new", run / "step_005" / "Al-Al.dist.new")
    assert any("; least in step 4, 0.0" in line for line in in_words(read_runs(run)))


def test_the_best_step_is_that_of_the_right_density(tmp_path: Path) -> None:
    """Where the last density is off, the verdict names the step to take, not the last one."""
    run = make_run(tmp_path, 5)
    assert not any("best step" in line for line in in_words(read_runs(run), density_target(2340.0)))
    facts = run / "step_005" / "md_step.json"
    facts.write_text(facts.read_text().replace("2340.1", "2240.1"))
    last = in_words(read_runs(run), density_target(2340.0))[-1]
    assert re.fullmatch(r"best step: 4, rms 0\.\d{4} at a density of 2343\.1 kg/m3", last)


def test_one_step_is_the_model_alone(tmp_path: Path) -> None:
    lines = in_words(read_runs(make_run(tmp_path, 1)))
    assert lines[2] == "  the model alone: u(r) of this g(r) is zero"
