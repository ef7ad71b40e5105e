"""Simulations that go wrong stop with a message that says where."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.engines.ase.case import argon, evaluator, make_case, run_case
from votca_mlp.engines.ase import checkpoint
from votca_mlp.errors import UserError
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.evaluation.result import Evaluation


class Changed(Evaluator):
    """The real evaluator, whose evaluation is changed from the n-th call on."""

    def __init__(self, change, after: int = 60) -> None:
        self.inner, self.change, self.after, self.calls = evaluator(), change, after, 0

    def evaluate(self, atoms) -> Evaluation:
        self.calls += 1
        evaluation = self.inner.evaluate(atoms)
        return self.change(evaluation) if self.calls > self.after else evaluation

    def forget(self) -> None:
        self.inner.forget()


def bad_force(evaluation: Evaluation) -> Evaluation:
    forces = evaluation.forces.copy()
    forces[16, 1] = math.nan
    return replace(evaluation, forces=forces)


def close_pair(evaluation: Evaluation) -> Evaluation:
    return replace(evaluation, closest=(11, 56, 1.234))


def spread(evaluation: Evaluation) -> Evaluation:
    return replace(evaluation, member_energies=evaluation.energy + np.array([-5.4, 0.0, 5.4]))


CASES = {
    "force": (bad_force, {}, r"the force of atom 17 is not a finite number \(1 such atoms\)"),
    "energy": (lambda e: replace(e, energy=math.inf), {}, "the potential energy is inf"),
    "distance": (
        close_pair,
        {},
        r"distance_min = 1.5 Angstrom; closest are atoms 12 and 57 \(counted from 1\), 1.234 Angstrom",
    ),
    # standard deviation 5.4 eV over 108 atoms
    "spread": (spread, {"spread_max": 0.04}, "differ by 50.00 meV/atom, more than spread_max = 40.00"),
    "temperature": (
        lambda e: replace(e, forces=50 * e.forces),
        {"temperature_max": 900.0},
        r"temperature is \d+ K, above 900 K",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_stops_and_keeps_the_last_checkpoint(tmp_path, name) -> None:
    change, limits, message = CASES[name]
    settings = make_case(tmp_path, limits={"distance_min": 1.5} | limits)
    with pytest.raises(UserError, match=message) as caught:
        run_case(settings, evaluator=Changed(change))
    text = str(caught.value)
    assert "MD step " in text
    assert "(production, " in text or "(equilibration, " in text
    assert "<alpha>" in text
    if name != "temperature":
        # of 61 evaluations, that of the start, three of the stress's check, and those after the checkpoints
        # at 0 and 50 are not steps
        assert "MD step 55 (production, 20 fs into it)" in text
    file = tmp_path / "step_001" / checkpoint.NAME
    assert file.exists()
    # once the cause is gone the run goes on from there
    assert run_case(settings).status == "finished"


def test_default_temperature_limit(tmp_path) -> None:
    settings = make_case(tmp_path)
    with pytest.raises(UserError, match=r"the temperature is \d+ K, above 2200 K"):
        run_case(settings, evaluator=Changed(lambda e: replace(e, forces=50 * e.forces)))


def test_box_that_shrinks_below_the_grid(tmp_path) -> None:
    # half the box is 7.08 Angstrom, the grid ends at 7; a high pressure squeezes it
    settings = make_case(tmp_path, argon(2, 7.08), pressure=3000.0, production=8000.0)
    with pytest.raises(UserError, match=r"half the box has shrunk to 6\.9\d\d Angstrom.* 7\.000"):
        run_case(settings)


def test_volume_that_runs_away(tmp_path) -> None:
    settings = make_case(tmp_path, pressure=-3000.0, barostat_time=100.0, production=20000.0)
    with pytest.raises(UserError, match=r"the volume is 3\.\d\d times that of the start"):
        run_case(settings)
