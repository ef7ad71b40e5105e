"""Heads of levels with few energies, fitted in closed form."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.trainer.small import SMALL, emt_frames, ethane, metal
from votca_mlp.models.hipnn.levels import HEADS, LevelledHipnn, build_levels
from votca_mlp.training.labelled import FloatArray, LabelledFrames
from votca_mlp.training.trainer.last_layer import fit_heads, ridge
from votca_mlp.training.trainer.losses import predict
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.training.trainer.pair_rows import PairRows


def energies(model: LevelledHipnn, level: str, frames: LabelledFrames) -> FloatArray:
    """Return energies in eV; self energies are zero here."""
    rows = PairRows(frames, model.numbers, model.cutoff, {}, torch.float64)
    found = predict(model, rows.batch(np.arange(len(frames))), {level: False}, graph=False)
    return np.asarray(found[level].energies)


def test_left_out_errors_are_those_of_fits_without_the_group() -> None:
    """The exact formula against a fit for each group, at the strength that was taken; constant included."""
    random = np.random.default_rng(1)
    x, groups = random.normal(size=(14, 6)) * [1, 1, 1, 5, 0.1, 0], np.arange(14) // 3
    y = x @ [1.0, -2.0, 0.0, 0.1, 3.0, 7.0] + 4.0 + 0.3 * random.normal(size=14)
    weights, constant, fit = ridge(x, y, groups)
    # the last column does not change: it has no weight
    z, columns = x[:, :5], []
    wrong = []
    for group in range(5):
        rest = groups != group
        # the strength is for all rows and their spread
        scaled = (z - z.mean(0)) / z.std(0)
        a = np.hstack([scaled[rest], np.ones((rest.sum(), 1))])
        penalty = np.diag([fit.strength * 14] * 5 + [0.0])
        found = np.linalg.solve(a.T @ a + penalty, a.T @ y[rest])
        wrong.append(y[~rest] - scaled[~rest] @ found[:5] - found[5])
        columns.append(found)
    assert fit.left_out == pytest.approx(np.sqrt(np.square(np.concatenate(wrong)).mean()), rel=1e-9)
    assert weights[5] == 0.0
    assert y - x @ weights - constant == pytest.approx(np.zeros(14), abs=1.0)
    # noise alone: a strong ridge, and so the mean
    weights, constant, fit = ridge(random.normal(size=(10, 8)), random.normal(size=10), np.arange(10))
    assert fit.strength > 0.1


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
