"""The layers written out by hand against torch's own in float64."""

import numpy as np
import pytest
import torch

from votca_mlp.models.hipnn.fast import stacked
from votca_mlp.models.hipnn.layers import energies_and_slopes, softplus


def test_softplus_and_its_slope() -> None:
    z = np.concatenate([np.linspace(-110, 110, 40001), np.linspace(-2, 2, 40001), [0.0, 1e30, -1e30]])
    z = z.astype(np.float32)
    exact = np.logaddexp(0.0, z.astype(float))
    expected = 1.0 / (1.0 + np.exp(-z.clip(-700, 700).astype(float)))
    values, slopes = z.copy(), np.empty_like(z)
    softplus(values, slopes)
    # to float32's rounding of the larger of both terms: ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|)
    assert np.abs(values - exact).max() <= 2e-7 * np.abs(exact).max()
    near = np.abs(z) < 80
    assert (np.abs(values - exact)[near] / exact[near]).max() < 5e-7
    assert (np.abs(slopes - expected)[near] / expected[near]).max() < 5e-7
    assert np.abs(slopes - expected).max() < 5e-7


def test_softplus_of_nan_is_nan() -> None:
    values, slopes = np.array([np.nan, 1.0], np.float32), np.empty(2, np.float32)
    softplus(values, slopes)
    assert np.isnan([values[0], slopes[0]]).all()
    assert np.isfinite([values[1], slopes[1]]).all()


@pytest.mark.parametrize(
    ("inner", "outer", "inputs"), [((7, 3, 12), 9, 24), ((1,), 1, 8), ((5, 5), 5, 8), ((30,), 33, 40)]
)
@pytest.mark.parametrize("atoms", [1, 7, 64, 130])
def test_equal_torchs_derivative(inner: tuple[int, ...], outer: int, inputs: int, atoms: int) -> None:
    torch.manual_seed(atoms)
    parts = []
    for number, width in enumerate(inner):
        shapes = ((width, outer if number else inputs), (width,), (outer, width), (outer,))
        parts.append(tuple(0.7 * torch.randn(shape, dtype=torch.float64) for shape in shapes))
    last = torch.randn(outer, dtype=torch.float64)
    environment = torch.randn(atoms, inputs, dtype=torch.float32)
    x = environment.double().requires_grad_(True)
    state = x
    for number, (weight, bias, back, shift) in enumerate(parts):
        out = torch.nn.functional.softplus(state @ weight.T + bias) @ back.T + shift
        state = out + state if number else out
    energies = state @ last
    slopes = torch.autograd.grad(energies.sum(), x)[0]
    found, outputs = environment.numpy().copy(), np.empty(atoms)
    energies_and_slopes(found, stacked(parts, last), outputs)
    scale = float(energies.detach().abs().max() + slopes.abs().max())
    assert outputs == pytest.approx(energies.detach().numpy(), abs=3e-6 * scale)
    assert np.abs(found - slopes.numpy()).max() < 3e-6 * scale


def test_a_broken_atom_leaves_the_others_alone() -> None:
    parts = [tuple(torch.ones(shape, dtype=torch.float64) for shape in ((4, 8), (4,), (4, 4), (4,)))]
    layers = stacked(parts, torch.ones(4, dtype=torch.float64))  # type: ignore[arg-type]
    environment, outputs = np.ones((3, 8), np.float32), np.empty(3)
    environment[1, 2] = np.nan
    energies_and_slopes(environment, layers, outputs)
    assert np.isnan(outputs).tolist() == [False, True, False]
    assert np.isnan(environment).any(axis=1).tolist() == [False, True, False]
