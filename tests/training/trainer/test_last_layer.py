"""Heads of levels with few energies, fitted in closed form."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.trainer.small import SMALL, emt_frames, ethane, metal
from votca_mlp.models.hipnn.levels import HEADS, LevelledHipnn, build_levels
from votca_mlp.training.labelled import FloatArray, LabelledFrames
from votca_mlp.training.trainer.last_layer import STRENGTHS, fit_heads, ridge
from votca_mlp.training.trainer.losses import predict
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.training.trainer.pair_rows import PairRows


def energies(model: LevelledHipnn, level: str, frames: LabelledFrames) -> FloatArray:
    """Return energies in eV; self energies are zero here."""
    rows = PairRows(frames, model.numbers, model.cutoff, {}, torch.float64)
    found = predict(model, rows.batch(np.arange(len(frames))), {level: False}, graph=False)
    return np.asarray(found[level].energies)


def left_out_error(x: FloatArray, y: FloatArray, groups: FloatArray, strength: float) -> float:
    """Return the error of fits without each group by the normal equations; the scale is that of all rows."""
    scaled, wrong, n = (x - x.mean(0)) / x.std(0).max(), [], len(x)
    for group in np.unique(groups):
        rest = groups != group
        a = np.hstack([scaled[rest], np.ones((rest.sum(), 1))])
        penalty = np.diag([strength * n] * x.shape[1] + [0.0])
        found = np.linalg.solve(a.T @ a + penalty, a.T @ y[rest])
        wrong.append(y[~rest] - scaled[~rest] @ found[:-1] - found[-1])
    return float(np.sqrt(np.square(np.concatenate(wrong)).mean()))


def test_the_strength_is_that_of_the_smallest_error_of_fits_without_each_group() -> None:
    """The exact formula against a fit for each group; features of all sizes, constant included."""
    random = np.random.default_rng(1)
    x, groups = random.normal(size=(14, 5)) * [1, 1, 1, 5, 0.1] + 2.0, np.arange(14) // 3
    y = x @ [1.0, -2.0, 0.0, 0.1, 3.0] + 4.0 + 0.3 * random.normal(size=14)
    weights, constant, fit = ridge(x, y, groups)
    errors = {strength: left_out_error(x, y, groups, strength) for strength in STRENGTHS[STRENGTHS > 1e-8]}
    assert fit.strength == min(errors, key=lambda each: errors[each])
    assert 1e-6 < fit.strength < 1.0
    assert fit.left_out == pytest.approx(errors[fit.strength], rel=1e-9)
    z = (x - x.mean(0)) / x.std(0).max()
    found = np.linalg.solve(z.T @ z + fit.strength * 14 * np.eye(5), z.T @ (y - y.mean()))
    assert weights * x.std(0).max() == pytest.approx(found, abs=1e-9)
    assert constant == pytest.approx(y.mean() - x.mean(0) @ weights, rel=1e-12)


def test_of_noise_alone_the_mean_is_left() -> None:
    random = np.random.default_rng(4)
    x, y = random.normal(size=(40, 8)), random.normal(size=40)
    weights, constant, fit = ridge(x, y, np.arange(40))
    assert fit.strength > 0.1
    assert np.std(x @ weights + constant) < 0.5 * np.std(y)
    # no spread at all: nothing to fit, and nothing to divide by
    weights, constant, _ = ridge(np.ones((5, 3)), np.full(5, 2.5), np.arange(5))
    assert not weights.any()
    assert constant == 2.5


@pytest.mark.parametrize("heads", HEADS)
def test_a_level_that_is_linear_in_the_features_is_met(heads: str) -> None:
    """Energies that a head of the network can give are given; the first level's head stays."""
    frames = emt_frames([metal(k) for k in range(30)] + [ethane(k) for k in range(10)])
    torch.manual_seed(2)
    model = build_levels(SMALL, frames.species, ("low", "high"), heads).double()
    other = build_levels(SMALL, frames.species, ("high",)).double()
    other.network.load_state_dict(model.network.state_dict())
    wanted = energies(other, "high", frames) + 0.5 * frames.atom_counts
    labels = replace(frames.levels["high"], energies=np.where(np.arange(40) % 4 > 0, wanted, np.nan))
    known = replace(frames, levels={**frames.levels, "high": labels})
    before = energies(model, "low", frames)
    found = fit_heads(model, known, TrainOptions())
    assert list(found) == ["high"]
    assert found["high"].left_out < 1e-5
    error = (energies(model, "high", frames) - wanted) / frames.atom_counts
    assert np.abs(error).max() < 1e-5
    assert np.array_equal(energies(model, "low", frames), before)


def test_heads_with_other_labels_or_without_weight_stay() -> None:
    frames = emt_frames([metal(k) for k in range(8)])
    model = build_levels(SMALL, frames.species, ("high", "low"))
    assert fit_heads(model, frames, TrainOptions()) == {}
    model = build_levels(SMALL, frames.species, ("low", "high"))
    none = TrainOptions(weights={"high": LevelWeights(energy=0.0)})
    assert fit_heads(model, frames, none) == {}
