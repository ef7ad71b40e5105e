"""Trajectories by the package's own engine: killed and continued, read again, not mistaken for others'."""

import pytest
import torch
from ase.build import bulk

from tests.training.fusion.dimers import Spring
from votca_mlp.engines.ase.run import Run
from votca_mlp.errors import UserError
from votca_mlp.evaluation import evaluator, load
from votca_mlp.evaluation.evaluator import PairListEvaluator
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.simulate import load_frames, simulate
from votca_mlp.training.fusion.states import StatePoint


def test_a_trajectory_goes_on_where_it_was_stopped_and_is_read_again(tmp_path, monkeypatch) -> None:
    start = bulk("Ar", "fcc", a=5.3, cubic=True)
    state = StatePoint(
        "cold", 40.0, start, timestep=5.0, equilibration=50.0, production=400.0, sample_every=50.0
    )
    copies = Copies(Spring(0.002, 3.7), ())
    straight = simulate(state, copies, tmp_path / "straight", 1, start, 3)
    assert len(straight) == 8
    assert not (tmp_path / "straight" / "md").exists()
    sample = Run._sample

    def stopping(self, stage):
        if self.done == 57:
            self.save_now()
            raise KeyboardInterrupt
        sample(self, stage)

    with monkeypatch.context() as patched:
        patched.setattr(Run, "_sample", stopping)
        with pytest.raises(KeyboardInterrupt):
            simulate(state, copies, tmp_path / "stopped", 1, start, 3)
    resumed = simulate(state, copies, tmp_path / "stopped", 1, start, 3)
    assert torch.equal(resumed.positions, straight.positions)
    again = simulate(state, copies, tmp_path / "stopped", 1, start, 3)
    assert torch.equal(again.positions, straight.positions)
    with pytest.raises(UserError, match="of another model"):
        load_frames(tmp_path / "stopped" / "frames.npz", "other")
    (tmp_path / "stopped" / "frames.npz").write_bytes(b"no frames")
    with pytest.raises(UserError, match="cannot read the frames"):
        load_frames(tmp_path / "stopped" / "frames.npz", copies.identity)


def test_the_md_runs_on_another_device_and_the_copies_stay(tmp_path, monkeypatch) -> None:
    start = bulk("Ar", "fcc", a=5.3, cubic=True)
    state = StatePoint(
        "cold", 40.0, start, timestep=5.0, equilibration=0.0, production=40.0, sample_every=5.0
    )
    copies, used = Copies(Spring(0.002, 3.7), ()), []

    def here(model, **settings):
        used.append((model, settings.pop("device").type))
        return PairListEvaluator(model, **settings)

    monkeypatch.setattr(evaluator, "PairListEvaluator", here)
    monkeypatch.setattr(load, "pick_device", lambda name: torch.device(name))
    simulate(state, copies, tmp_path / "1", 1, start, 3, device="cuda")
    simulate(state, copies, tmp_path / "2", 1, start, 3)
    assert [name for _, name in used] == ["cuda", "cpu"]
    assert used[0][0] is not copies.single
    assert used[1][0] is copies.single
