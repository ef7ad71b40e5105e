"""Motion that leaves all bounds within one step ends with a message: no hang, no traceback."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.engines.ase.case import argon, evaluator, make_case, run_case
from tests.engines.ase.test_on_device import forces
from tests.engines.shared.test_watch import Changed
from votca_mlp.engines.engine import engine_named
from votca_mlp.errors import UserError
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.settings.plans import md_plan


def spoilt_stress(factor: float):
    return lambda e: replace(e, stress=factor * np.eye(3))


def spoilt_forces(factor: float):
    return lambda e: replace(e, forces=np.full_like(e.forces, factor))


@pytest.mark.parametrize("stress", [-1e3, 1e3, 1e30, -1e200])
def test_barostat_out_of_bounds(tmp_path, stress) -> None:
    settings = make_case(tmp_path)
    with pytest.raises(UserError, match=r"MD step \d+ \(.*barostat|MD step \d+ \(.*the volume is") as caught:
        run_case(settings, evaluator=Changed(spoilt_stress(stress), after=10))
    assert "<barostat_time>" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "time"), [("thermostat_time", 1e-3), ("thermostat_time", 1e-9), ("barostat_time", 1e-3)]
)
def test_chains_too_stiff(tmp_path, name, time) -> None:
    settings = make_case(tmp_path, **{name: time})
    with pytest.raises(UserError, match="MD step"):
        run_case(settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: replace(e, energy=math.nan), "the potential energy is nan"),
        (spoilt_forces(math.inf), r"force on atom 1 is not a finite number \(108 such atoms\)"),
        (spoilt_stress(math.nan), "stress is not finite"),
        (spoilt_forces(1e12), r"a force of 1e\+12 eV/Angstrom would move atom 1 by"),
    ],
)
def test_first_configuration(tmp_path, change, message) -> None:
    settings = make_case(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        run_case(settings, evaluator=Changed(change, after=0))
    assert "MD step 0 (equilibration, 0 fs into it)" in str(caught.value)


def test_check_refuses_what_is_not_finite(tmp_path) -> None:
    settings = make_case(tmp_path)
    plan, step = md_plan(settings), tmp_path / "step_001"
    spoilt = Changed(spoilt_forces(math.nan), after=0)
    with pytest.raises(UserError, match=r"conf.extxyz: at the start the model's force on atom 1"):
        engine_named("ase").check(plan, lambda: spoilt, step)


@pytest.mark.parametrize(
    ("apart", "limit", "message"),
    [
        (0.0, 1.5, r"closer than distance_min = 1\.5 .*, 0 Angstrom"),
        (0.0, 0.0, "on one another.*, 0 Angstrom"),
        (1.4, 1.5, r"closer than distance_min = 1\.5 .*, 1\.4 Angstrom"),
    ],
)
def test_overlapping_start(tmp_path, apart, limit, message) -> None:
    atoms = argon()
    # across the border of the box
    atoms.positions[5] = atoms.positions[4] + [apart - atoms.cell[0, 0], 0, 0]
    settings = make_case(tmp_path, atoms, limits={"distance_min": limit})
    for ask in (
        lambda: run_case(settings),
        lambda: engine_named("ase").check(md_plan(settings), evaluator, tmp_path / "step_001"),
    ):
        with pytest.raises(UserError, match=f"conf.extxyz: at the start two atoms are {message}") as caught:
            ask()
        assert "atoms 5 and 6 (counted from 1)" in str(caught.value)


def test_on_a_device(tmp_path, monkeypatch) -> None:
    """The same bounds where positions stay there: a stress out of all bounds at the start."""
    device = forces(1.0, corrected=False)
    inner = device.evaluation_of

    def spoilt(*arguments):
        found, moved = inner(*arguments)
        found.__dict__["stress"] = -1e6 * np.eye(3)
        return found, moved

    monkeypatch.setattr(device, "evaluation_of", spoilt)
    monkeypatch.setattr(PairListEvaluator, "on_device", lambda self: device)
    with pytest.raises(UserError, match=r"MD step 1 \(.*barostat would change the edges"):
        run_case(make_case(tmp_path))
