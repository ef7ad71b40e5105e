"""The loop: heads that differ, exact continuation, compiled sums like the general ones, what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase.build import bulk

from tests.training.trainer.small import SMALL, emt_frames, ethane, metal
from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.levels import HEADS, build_levels
from votca_mlp.training.labelled import LabelledFrames, LevelLabels
from votca_mlp.training.trainer.compiled import CompiledSource
from votca_mlp.training.trainer.loop import Trained, train
from votca_mlp.training.trainer.losses import loss_of
from votca_mlp.training.trainer.options import LevelWeights, TrainOptions
from votca_mlp.training.trainer.order import (
    kinds_of_frames,
    scarce_levels,
    share_of_each,
    shuffled,
    steps_of_epoch,
    with_shares,
)
from votca_mlp.training.trainer.sources import RowsSource, source_of
from votca_mlp.training.trainer.transfer import with_levels

OPTIONS = TrainOptions(epochs=4, batch_size=4, learning_rate=5e-3)
LEARN, JUDGE = np.arange(10), np.arange(10, 16)


@pytest.fixture(scope="module")
def frames() -> LabelledFrames:
    """Crystals and molecules: four species, a cell or none, forces of one level only."""
    atoms = [metal(k // 2, (1, 1, 1 + k % 4 // 2)) if k % 4 < 3 else ethane(k) for k in range(16)]
    return emt_frames(atoms, shift=0.4)


def go(frames: LabelledFrames, options: TrainOptions = OPTIONS, **more: Any) -> Trained:
    return train(frames, LEARN, JUDGE, SMALL, options, **more)


@pytest.mark.parametrize("heads", HEADS)
def test_heads_do_not_come_out_equal(frames: LabelledFrames, heads: str) -> None:
    """Two levels whose energies differ by a factor: each head learns its own, beyond the self energies."""
    seen: list[float] = []
    options = replace(OPTIONS, epochs=40)
    result = go(frames, options, heads=heads, report=lambda epoch, numbers: seen.append(numbers["loss"]))
    assert min(seen) < 0.5 * seen[0]
    assert seen[result.best_epoch - 1] == min(seen)
    assert {"low energy_rmse", "low force_mae", "low stress_rmse", "high energy_mae"} <= set(
        result.history[0]
    )
    assert "high force_mae" not in result.history[0]
    low, high = (result.model.alone(name).energy.layers for name in ("low", "high"))
    for one, two in zip(low[1:], high[1:], strict=True):  # type: ignore[index]
        assert float((one.weight - two.weight).detach().abs().max()) > 1e-3
    energies = result.model.self_energies
    assert float((energies[0] - energies[1]).abs().max()) > 0.1


def test_a_level_with_few_energies_keeps_its_self_energy(frames: LabelledFrames) -> None:
    """Two energies, far from the other level's: what least squares give stays, and no head moves it."""
    high = frames.levels["high"]
    energies = np.full(len(frames), np.nan)
    metals = np.flatnonzero(frames.pbc.all(1))
    few = np.array([k for k in metals if k in LEARN and np.isfinite(high.energies[k])][:2])
    energies[[*few, JUDGE[-1]]] = -100.0 * frames.atom_counts[[*few, JUDGE[-1]]]
    levels = {"low": frames.levels["low"], "high": replace(high, energies=energies)}
    model = go(replace(frames, levels=levels)).model
    own = dict(zip(model.numbers, model.self_energies[1].tolist(), strict=True))
    for k in few:
        numbers = frames.numbers[frames.offsets[k] : frames.offsets[k + 1]]
        assert sum(own[int(z)] for z in numbers) == pytest.approx(energies[k])
    assert float(model.self_energies[0].abs().max()) < 20.0
    for head in model.heads:
        assert not bool(head.layers[0].weight.any())  # type: ignore[index,union-attr]


@pytest.mark.usefixtures("caught_signals")
def test_continuation_is_exact(frames: LabelledFrames, tmp_path: Path) -> None:
    """Stopped after two epochs, and once by a signal: the same bits as in one go."""
    whole = go(frames)
    path = tmp_path / "training.pt"
    go(frames, replace(OPTIONS, epochs=2), checkpoint=path)

    def interrupted(epoch: int, numbers: dict[str, float]) -> None:
        if epoch == 3:
            import signal

            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        go(frames, checkpoint=path, report=interrupted)
    epochs: list[int] = []
    again = go(frames, checkpoint=path, report=lambda epoch, numbers: epochs.append(epoch))
    assert epochs == [4]
    for (name, one), two in zip(whole.model.named_parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, two), name
    drop = [{k: v for k, v in entry.items() if k != "seconds"} for entry in whole.history]
    assert drop == [{k: v for k, v in entry.items() if k != "seconds"} for entry in again.history]
    with pytest.raises(UserError, match="other data, network, options or seed"):
        go(frames, replace(OPTIONS, seed=2), checkpoint=path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match="damaged"):
        go(frames, checkpoint=path)


def one_species() -> LabelledFrames:
    atoms = []
    for seed in range(4):
        frame = bulk("Al", "fcc", 4.05, cubic=True).repeat((1, 1, 1 + seed % 2))
        frame.rattle(0.1, seed=seed)
        atoms.append(frame)
    frames = emt_frames(atoms)
    low = frames.levels["low"]
    levels = {**frames.levels, "low": replace(low, stress=np.full_like(low.stress, np.nan))}
    return replace(frames, levels=levels)


@pytest.mark.parametrize("heads", HEADS)
def test_compiled_sums_are_the_general_loss(heads: str) -> None:
    """Loss and every derivative, with labels absent here and there; chosen where they serve, only there."""
    frames = one_species()
    hyper = {**SMALL, "n_interaction_layers": 1}
    energies = {name: {13: -0.2} for name in frames.levels}
    weights = {name: LevelWeights() for name in frames.levels}
    found = []
    for compiled in (True, False):
        torch.manual_seed(5)
        model = build_levels(hyper, (13,), tuple(frames.levels), heads)
        source = source_of(frames, model, energies, TrainOptions(compiled=compiled))
        assert isinstance(source, CompiledSource if compiled else RowsSource)
        loss = loss_of(source.residuals(model, np.arange(4), weights, graph=True)[0], weights)
        loss.backward()
        found.append((float(loss.detach()), [(n, p.grad) for n, p in model.named_parameters()]))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for (name, one), (_, two) in zip(found[0][1], found[1][1], strict=True):
        assert one is not None, name
        assert two is not None, name
        assert torch.allclose(one, two, rtol=1e-3, atol=1e-3 * float(two.abs().max())), name
    for other in (TrainOptions(precision="float64"), TrainOptions(hierarchy=0.1)):
        assert isinstance(source_of(frames, model, energies, other), RowsSource)


def test_rare_labels_are_spread_over_the_batches(frames: LabelledFrames) -> None:
    labels = LevelLabels.none(40, 0)
    labels.energies[:5] = 1.0
    none = np.zeros(0)
    sparse = replace(
        frames, numbers=none, offsets=np.zeros(41, np.int64), levels={"high": labels}, groups=none
    )
    kinds = kinds_of_frames(sparse, ["high"])
    batches = shuffled(kinds, 8, 1, 1)
    assert [int((part < 5).sum()) for part in batches] == [1] * 5
    assert sorted(np.concatenate(batches)) == list(range(40))
    assert not np.array_equal(np.concatenate(batches), np.concatenate(shuffled(kinds, 8, 1, 2)))


def test_scarce_levels_have_their_share_of_every_batch(frames: LabelledFrames) -> None:
    labels = {name: LevelLabels.none(40, 0) for name in ("low", "high", "rare")}
    for name, part in (("low", slice(0, 33)), ("high", slice(32, 40)), ("rare", slice(36, 39))):
        labels[name].energies[part] = 1.0
    none = np.zeros(0)
    sparse = replace(frames, numbers=none, offsets=np.zeros(41, np.int64), levels=labels, groups=none)
    scarce = scarce_levels(sparse, list(labels), 0.25)
    assert [part.tolist() for part in scarce] == [[36, 37, 38], [32, 33, 34, 35, 39]]
    kinds = kinds_of_frames(sparse, list(labels))
    batches = with_shares(kinds, scarce, 0.25, 8, 1, 1)
    assert len(batches) == steps_of_epoch(sparse, 8, 0.25) == 8
    for part in batches:
        assert [int(np.isin(part, members).sum()) for members in scarce] == [2, 2]
    everything = np.concatenate(batches)
    assert sorted(everything[everything < 32]) == list(range(32))
    # of 16 places the three have 5 or 6 each
    assert set(np.bincount(everything)[36:39]) <= {5, 6}
    assert not scarce_levels(sparse, list(labels), 0.0)
    assert all(map(np.array_equal, with_shares(kinds, [], 0.0, 8, 1, 1), shuffled(kinds, 8, 1, 1)))


@pytest.mark.parametrize("counts", [(8, 8, 8, 8, 8), (1, 3, 8, 9, 9, 10), (20, 20)])
def test_an_epoch_has_every_frame_however_many_levels_there_are(
    frames: LabelledFrames, counts: tuple[int, ...]
) -> None:
    """Levels of a fifth each would all be scarce at a quarter, and no batch would be left."""
    labels = {f"level {k}": LevelLabels.none(40, 0) for k in range(len(counts))}
    for label, end, count in zip(labels.values(), np.cumsum(counts), counts, strict=True):
        label.energies[end - count : end] = 1.0
    none = np.zeros(0)
    sparse = replace(frames, numbers=none, offsets=np.zeros(41, np.int64), levels=labels, groups=none)
    for share in (0.25, 0.5):
        scarce, each = scarce_levels(sparse, list(labels), share), share_of_each(share, list(labels))
        batches = with_shares(kinds_of_frames(sparse, list(labels)), scarce, each, 8, 1, 1)
        assert set(np.concatenate(batches)) == set(range(40))
        assert max(map(len, batches)) <= 10


def test_what_is_kept_is_chosen_after_training(frames: LabelledFrames, tmp_path: Path) -> None:
    """One checkpoint serves the best and the last epoch, and heads fitted at the end."""
    path = tmp_path / "checkpoint.pt"
    options = replace(OPTIONS, learning_rate=0.3)
    for keep, name in (("best", "best_state"), ("last", "model")):
        found = go(frames, replace(options, keep=keep), checkpoint=path).model.state_dict()
        state = torch.load(path, weights_only=True)
        assert state["best"][1] < options.epochs
        for key, value in state[name].items():
            assert not torch.is_tensor(value) or torch.equal(found[key], value), key
    written = path.read_bytes()
    heads = [state["best_state"]["heads.1.layers.2.weight"]]
    for last_layer in ("least_squares", "all_energies"):
        result = go(frames, replace(options, last_layer=last_layer), checkpoint=path)
        assert path.read_bytes() == written
        assert result.fitted["high"].left_out > 0.0
        heads.append(result.model.heads[1].layers[-1].weight)  # type: ignore[index,union-attr]
    # as trained; from the training energies; from those of validation, too
    assert not any(torch.equal(heads[a], heads[b]) for a, b in ((0, 1), (1, 2), (0, 2)))


def test_fine_tuned_to_another_level(frames: LabelledFrames) -> None:
    """The network is that of the first level, which stays as it is; its head is where the new one begins."""
    low = replace(frames, levels={"low": frames.levels["low"]})
    high = replace(frames, levels={"high": frames.levels["high"]})
    first = go(low, replace(OPTIONS, epochs=1)).model
    before = {name: value.clone() for name, value in first.named_parameters()}
    energies = {"high": dict.fromkeys(frames.species, -1.0)}
    start = with_levels(first, ("high",), energies)
    assert torch.equal(start.heads[0].layers[1].weight, first.heads[0].layers[1].weight)  # type: ignore
    result = go(high, replace(OPTIONS, epochs=1, freeze_network=True), start=start)
    assert result.model.levels == ("high",)
    assert float(result.model.self_energies[0, 0]) == -1.0
    for name, value in first.named_parameters():
        assert torch.equal(value, before[name]), name
    for (name, one), two in zip(first.network.named_parameters(), start.network.parameters(), strict=True):
        assert torch.equal(one, two), name
    with pytest.raises(UserError, match="no self energy"):
        with_levels(first, ("high",), {"high": {13: 0.0}})
    with pytest.raises(UserError, match="'med'"):
        with_levels(first, ("high",), energies, source="med")


def test_what_is_refused_before_training(frames: LabelledFrames) -> None:
    """A head that nothing would train; frames that are not there; a species that is not known."""
    with pytest.raises(UserError, match="level 'high' that counts"):
        train(frames, np.array([0, 2, 4]), JUDGE, SMALL, OPTIONS)
    with pytest.raises(UserError, match="level 'high' that counts"):
        go(frames, replace(OPTIONS, weights={"high": LevelWeights(energy=0.0)}))
    with pytest.raises(UserError, match="no validation frames"):
        train(frames, LEARN, LEARN[:0], SMALL, OPTIONS)
    metals = np.flatnonzero(frames.pbc.all(1))
    with pytest.raises(UserError, match="does not know atomic number 1"):
        train(frames, metals, np.flatnonzero(~frames.pbc.all(1)), SMALL, OPTIONS)
    for wrong in ({"seed": -1}, {"schedule": "step"}, {"precision": "half"}, {"learning_rate": 0.0}):
        with pytest.raises(UserError, match=next(iter(wrong))):
            TrainOptions(**wrong)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"weights\.force"):
        LevelWeights(force=float("nan"))
