"""The Akima correction against scipy, finite differences and between numpy and torch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import Akima1DInterpolator

from tests.potentials.tables import correction, wiggle
from votca_mlp.errors import UserError
from votca_mlp.potentials.akima import akima_from_points, akima_from_table
from votca_mlp.potentials.torch_pair import TorchPairCorrection
from votca_mlp.tables import Table


def test_is_scipys_akima_inside_and_constant_outside() -> None:
    r, u = wiggle(1)
    pair = akima_from_points(r, u)
    step = r[1] - r[0]
    padded_r = np.concatenate([r[0] - step * np.arange(3, 0, -1), r, r[-1] + step * np.arange(1, 4)])
    padded_u = np.concatenate([np.full(3, u[0]), u, np.full(3, u[-1])]) - u[-1]
    reference = Akima1DInterpolator(padded_r, padded_u)
    inside = np.linspace(2.0001, 5.9999, 1777)
    energy, slope = pair.evaluate(inside)
    assert energy == pytest.approx(reference(inside), abs=1e-12)
    assert slope == pytest.approx(reference.derivative()(inside), abs=1e-10)
    core, core_slope = pair.evaluate(np.array([0.1, 1.0, 1.9999]))
    assert core == pytest.approx(np.full(3, u[0] - u[-1]))
    assert (core_slope == 0.0).all()
    beyond, beyond_slope = pair.evaluate(np.array([6.0, 7.0]))
    assert (beyond == 0.0).all()
    assert (beyond_slope == 0.0).all()


@given(st.integers(0, 2**31), st.booleans())
def test_smooth_at_both_ends(seed: int, straight: bool) -> None:
    r, u = wiggle(seed)
    if straight:
        u = r * (u[1] + 0.1)
    pair = akima_from_points(r, u)
    for end in (r[0], r[-1]):
        energy, slope = pair.evaluate(np.array([end - 1e-7, end + 1e-7]))
        assert abs(energy[1] - energy[0]) < 1e-6
        assert np.abs(slope).max() < 1e-3 * max(1.0, np.abs(u).max())


@given(st.integers(0, 2**31))
def test_slope_is_the_derivative(seed: int) -> None:
    r, u = wiggle(seed)
    pair = akima_from_points(r, u)
    random = np.random.default_rng(seed)
    where = random.uniform(1.5, 6.5, 200)
    where = where[np.abs((where - 2.0) / 0.1 - np.round((where - 2.0) / 0.1)) > 0.01]
    h = 1e-5
    plus, minus = pair.evaluate(where + h)[0], pair.evaluate(where - h)[0]
    assert (plus - minus) / (2 * h) == pytest.approx(pair.evaluate(where)[1], abs=1e-6)


def test_torch_equals_numpy() -> None:
    numpy_side, torch_side = correction(), TorchPairCorrection(correction())
    random = np.random.default_rng(0)
    numbers = random.choice([13, 28, 79], (2, 5000))
    r = random.uniform(0.5, 7.0, 5000)
    energy, slope = numpy_side.pair_energies(numbers[0], numbers[1], r)
    t_energy, t_slope = torch_side.pair_energies(*(torch.from_numpy(a) for a in (numbers[0], numbers[1], r)))
    assert t_energy.numpy() == pytest.approx(energy, abs=1e-13)
    assert t_slope.numpy() == pytest.approx(slope, abs=1e-12)


def test_torch_module_gradient_is_the_slope() -> None:
    module = TorchPairCorrection(correction())
    vectors = torch.tensor([[2.5, 0.3, 0.1], [-2.5, -0.3, -0.1]], dtype=torch.float64, requires_grad=True)
    numbers, first, second = torch.tensor([13, 28]), torch.tensor([0, 1]), torch.tensor([1, 0])
    assert torch.autograd.gradcheck(lambda v: module(numbers, first, second, v).sum(), vectors)


def test_table_units_and_undefined_points() -> None:
    x = np.linspace(0.0, 1.0, 11)
    y = np.linspace(9.6485332, 0.0, 11)
    flags = np.array(["u"] * 3 + ["i"] * 8)
    pair = akima_from_table(Table(x, y, flags), where="t")
    assert (pair.first, pair.cutoff) == pytest.approx((3.0, 10.0))
    assert pair.evaluate(np.array([0.5]))[0] == pytest.approx([0.07])
    flags[5] = "u"
    with pytest.raises(UserError, match="undefined points inside"):
        akima_from_table(Table(x, y, flags), where="t")
    with pytest.raises(UserError, match="equally spaced"):
        akima_from_table(Table(x**2, y, np.full(11, "i")), where="t")
