"""A run that leaves its phase ends with a message, and says the same when it is started again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.csg.case import edit, make_case
from tests.inverse.case import ours
from votca_mlp.errors import UserError
from votca_mlp.inverse.best import Found, best_of
from votca_mlp.inverse.from_settings import plan_of
from votca_mlp.inverse.phase import check_phase
from votca_mlp.inverse.state_plan import StatePlan
from votca_mlp.observables.protocol import Series
from votca_mlp.observables.step import StepObservables
from votca_mlp.observables.store import write_observables
from votca_mlp.settings import load_settings
from votca_mlp.targets.target import density_target, number_target


def observed(density: float) -> StepObservables:
    """Return values of two frames of a box that moves."""
    values = np.array([0.99, 1.01])
    series = {"density": Series(density * values, "kg/m3"), "volume": Series(1e4 / values, "A3")}
    return StepObservables(np.arange(2), (), series)


@pytest.fixture
def state(tmp_path: Path) -> StatePlan:
    main = make_case(tmp_path / "main")
    for number in (1, 2, 3):
        (main / f"step_00{number}").mkdir()
    write_observables(main / "step_001", observed(1000.0))
    return plan_of(load_settings(main / "settings.xml")).states[0]


def test_against_the_first_step(state: StatePlan) -> None:
    step = state.inputs / "step_003"
    check_phase(state, state.inputs / "step_001", observed(300.0))
    check_phase(state, step, observed(1240.0))
    check_phase(state, step, observed(760.0))
    with pytest.raises(
        UserError, match=r"step_003: the density is 740 kg/m3, in step_001 1000: beyond.* 250"
    ):
        check_phase(state, step, observed(740.0))
    check_phase(replace(state, density_limit=0.2), step, observed(740.0))


def test_against_the_measured_density(state: StatePlan) -> None:
    step = state.inputs / "step_002"
    near = replace(state, density=density_target(1050.0))
    check_phase(near, step, observed(1140.0))
    with pytest.raises(UserError, match="measured 1050"):
        check_phase(near, step, observed(920.0))
    # a model that is far off by itself may begin there
    far = replace(state, density=density_target(1500.0))
    check_phase(far, step, observed(1000.0))
    with pytest.raises(UserError, match="measured 1500: beyond the limit of 550"):
        check_phase(far, step, observed(940.0))


def test_a_density_that_stays_off(state: StatePlan) -> None:
    """Beyond 2 % of the measured one, or three sigma, once is an overshoot and twice in a row a drift."""
    near = replace(state, density=density_target(1000.0))
    write_observables(state.inputs / "step_001", observed(1001.0))
    second, third = state.inputs / "step_002", state.inputs / "step_003"
    check_phase(near, second, observed(1060.0))
    write_observables(second, observed(1060.0))
    check_phase(near, third, observed(1020.0))
    check_phase(near, third, observed(960.0))
    with pytest.raises(UserError, match="beyond the limit of 20, for the second time in a row"):
        check_phase(near, third, observed(1060.0))
    check_phase(replace(near, drift_limit=0.07), third, observed(1060.0))
    check_phase(replace(near, density=density_target(1000.0, 25.0)), third, observed(1060.0))
    # a model that is off by itself may stay there, on its side
    write_observables(state.inputs / "step_001", observed(940.0))
    write_observables(second, observed(940.0))
    check_phase(near, third, observed(938.0))
    write_observables(second, observed(1060.0))
    with pytest.raises(UserError, match="beyond the limit of 20, for the second"):
        check_phase(near, third, observed(1060.0))
    # nothing is measured: the first step's by 25 %
    check_phase(state, third, observed(940.0))


def test_the_best_step_has_the_right_density() -> None:
    """g(r) may improve while a liquid evaporates: the least RMS counts among densities that are right."""
    drifting = [
        Found(1, 0.08, 2250.0),
        Found(2, 0.05, 2330.0),
        Found(3, 0.03, 2200.0),
        Found(4, 0.02, 1900.0),
    ]
    assert best_of(drifting, 2310.0).step == 2
    # a tenth of it is right: the third
    assert best_of(drifting, 2310.0, 0.1).step == 3
    # none is right: the nearest
    assert best_of(drifting, 1800.0).step == 4
    assert best_of(drifting[:3], 1000.0).step == 3
    # at constant volume, or where no density is known
    assert best_of(drifting, None).step == 4
    assert best_of([Found(1, 0.2), Found(2, 0.1)], 1000.0).step == 2


def test_the_limit_of_the_pressure(state: StatePlan) -> None:
    """Five times that of an ideal gas of these atoms, unless it is given."""

    def held(pressure: float) -> StepObservables:
        values = np.array([-1.0, 1.0]) + pressure
        series = {"pressure": Series(values, "bar"), "volume": Series(np.full(2, 5000.0), "A3")}
        return StepObservables(np.arange(2), (), series)

    write_observables(state.inputs / "step_001", held(0.0))
    step = state.inputs / "step_002"
    ideal = 108 * 1.380649e-23 * 120.0 / 5e-27 * 1e-5
    check_phase(state, step, held(2.45 * 5 * ideal))
    with pytest.raises(UserError, match="the pressure is"):
        check_phase(state, step, held(2.55 * 5 * ideal))
    zero = replace(state, pressure=number_target("pressure", 0.0, None))
    with pytest.raises(UserError, match="measured 0: beyond the limit"):
        check_phase(zero, step, held(1.1 * 5 * ideal))
    check_phase(replace(zero, pressure_limit=1e5), step, held(1.1 * 5 * ideal))


def test_the_limits_in_settings(tmp_path: Path) -> None:
    main = make_case(
        tmp_path / "main", inverse="<phase><density>0.3</density><pressure>7e3</pressure></phase>"
    )
    (state,) = plan_of(load_settings(main / "settings.xml")).states
    assert (state.density_limit, state.pressure_limit) == (0.3, 7e3)
    edit(main / "settings.xml", {"<pressure>7e3": "<pressure>-1"})
    with pytest.raises(UserError, match=r"phase.pressure> is '-1'; accepted: a number > 0"):
        load_settings(main / "settings.xml")
    edit(main / "settings.xml", {"<density>0.3</density><pressure>-1</pressure>": ""})
    (state,) = plan_of(load_settings(main / "settings.xml")).states
    assert (state.density_limit, state.pressure_limit) == (0.1, None)


def test_a_run_says_it_again(tmp_path: Path) -> None:
    """The pressure at constant volume; the best step and its table are named, and nothing is lost."""
    limits = "<phase><pressure>1e-3</pressure></phase>"
    main = make_case(tmp_path / "main", inverse=limits, iterations=3, production=160)
    edit(main / "settings.xml", {"<first_equilibration>400": "<first_equilibration>40"})
    for _ in range(2):
        status, output = ours(main)
        assert status == 1
        assert "step_002: the pressure is" in output
        assert "the run has left its phase. The best step before it is step_001 (rms" in output
        assert "step_001/Ar-Ar.pot.cur" in output
        assert "<target_pressure> with method imc" in output
    assert not (main / "step_003").exists()
    edit(main / "settings.xml", {"1e-3": "1e5", "<iterations_max>3": "<iterations_max>2"})
    status, output = ours(main)
    assert status == 0, output
