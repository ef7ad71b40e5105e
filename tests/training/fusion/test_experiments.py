"""What is refused of experiments: one message each, before any simulation."""

import dataclasses

import pytest
import torch

from tests.training.fusion.dimers import BondLength, dimer, state
from votca_mlp.errors import UserError
from votca_mlp.training.fusion.experiments import Experiment, check_experiments
from votca_mlp.training.fusion.observables.stress import Pressure, StressTensor
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.states import StatePoint, check_names
from votca_mlp.units import BAR_PER_EV_PER_ANGSTROM3

GOOD = Experiment(
    "gas",
    BondLength(),
    torch.tensor([2.2, float("nan")]),
    torch.tensor([0.01, float("nan")]),
    temperature=300.0,
)


def test_good_ones_pass() -> None:
    check_experiments([GOOD], [state()])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"state": "liquid"}, "there is no state 'liquid'"),
        ({"errors": torch.tensor([float("nan"), 1.0])}, "mean without an error"),
        ({"errors": torch.tensor([0.0, 1.0])}, "mean without an error"),
        ({"errors": torch.tensor([-1.0, 1.0])}, "mean without an error"),
        ({"values": torch.tensor([2.2])}, "1 values and 2 errors for 2 quantities"),
        ({"values": torch.tensor([float("nan")] * 2)}, "no value is a number"),
        ({"temperature": 310.0}, "was measured at 310 K, state gas is at 300 K"),
        ({"volume": 20.0}, "was measured at 20 Angstrom^3 an atom, the cell of state gas has 1372"),
        (
            {"observable": Pressure(400.0, 2), "values": torch.tensor([0.0]), "errors": torch.tensor([1.0])},
            "is defined at 400 K, state gas is at 300 K",
        ),
    ],
)
def test_bad_ones_are_said(changes, message) -> None:
    with pytest.raises(UserError) as caught:
        check_experiments([dataclasses.replace(GOOD, **changes)], [state()])
    assert message in str(caught.value)
    assert caught.value.accepted


def test_contradictions_are_said() -> None:
    other = dataclasses.replace(GOOD, values=torch.tensor([2.5, float("nan")]), name="newer")
    with pytest.raises(UserError, match=r"mean at gas is 2.2 \+- 0.01 .*, 2.5 \+- 0.01 in newer"):
        check_experiments([GOOD, other], [state()])
    check_experiments([GOOD, dataclasses.replace(GOOD, values=torch.tensor([2.23, float("nan")]))], [state()])


def test_a_stress_contradicts_the_pressure_that_it_does_not_imply() -> None:
    values = torch.tensor([1.0, 2.0, 3.0, 0.0, 0.0, 0.0], dtype=torch.float64) / BAR_PER_EV_PER_ANGSTROM3
    errors = torch.full_like(values, 0.1 / BAR_PER_EV_PER_ANGSTROM3)
    stress = Experiment("gas", StressTensor(300.0, 2), values, errors)

    def pressure(value: float) -> Experiment:
        given = torch.tensor([[value], [0.1]], dtype=torch.float64)
        return Experiment("gas", Pressure(300.0, 2), *given)

    check_experiments([stress, pressure(-2.1)], [state()])
    for given in ([stress, pressure(2.0)], [pressure(2.0), stress]):
        with pytest.raises(UserError, match=r"pressure at gas is -?2 \+- 0\.0?\d+ in"):
            check_experiments(given, [state()])
    # without one of its components a stress implies none
    values[0] = torch.nan
    check_experiments([dataclasses.replace(stress, values=values), pressure(2.0)], [state()])


def test_all_problems_are_in_one_message() -> None:
    bad = dataclasses.replace(GOOD, temperature=310.0, volume=20.0)
    with pytest.raises(UserError, match=r"310 K.*20 Angstrom"):
        check_experiments([bad], [state()])
    with pytest.raises(UserError, match="there are no experiments"):
        check_experiments([], [state()])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "the temperature is 0"),
        ({"name": "a/b"}, "'a/b' is no name of a state"),
        ({"production": 300.0}, "a trajectory has 3 frames"),
    ],
)
def test_states_that_cannot_be_are_said(options, message) -> None:
    given = {"name": "gas", "temperature": 300.0, "start": dimer(), "sample_every": 100.0} | options
    with pytest.raises(UserError, match=message):
        StatePoint(**given)


def test_two_states_of_one_name_and_wrong_options_are_said() -> None:
    with pytest.raises(UserError, match="there are two states 'gas'"):
        check_names([state(), state()])
    with pytest.raises(UserError, match="effective: is 2"):
        FusionOptions(effective=2.0)
    with pytest.raises(UserError, match=r"limits of energy: is 0\.5"):
        FusionOptions(limits={"energy": 0.5})
