"""The repulsive wall that a fusion must leave."""

import pytest
import torch
from ase import Atoms
from ase.build import bulk

from tests.training.fusion.dimers import BondLength, Spring, lengths, sample, state
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.experiments import Experiment
from votca_mlp.training.fusion.fuse import Fused, Fusion
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.states import StatePoint
from votca_mlp.training.fusion.wall import HEIGHT, PAIRS, SHARES, Wall


def test_rises_are_those_of_pairs_pushed_together() -> None:
    copies = Copies(Spring(40.0, 2.0), ())
    wall = Wall([state()], copies, 0.3)
    (pushed,) = wall.pushed
    expected = torch.tensor([20.0 * (2.0 * (1.0 - share)) ** 2 for share in SHARES], dtype=torch.float64)
    chosen = expected > HEIGHT / state().beta
    assert pushed.chosen.tolist() == chosen.tolist()
    assert torch.allclose(pushed.rises, expected[chosen])
    assert wall.least() == pytest.approx(1.0)
    middle = pushed.frames.positions.mean(1)
    assert torch.allclose(middle, middle[:1].expand_as(middle))


def test_a_model_that_has_lost_the_wall_is_refused() -> None:
    copies = Copies(Spring(40.0, 2.0), ())
    wall = Wall([state()], copies, 0.3)
    copies.put(torch.tensor([20.0, 2.0], dtype=torch.float64))
    assert wall.least() == pytest.approx(0.5)
    assert wall.holds()
    copies.put(torch.tensor([8.0, 2.0], dtype=torch.float64))
    assert wall.least() == pytest.approx(0.2)
    assert not wall.holds()


def test_rows_are_the_derivatives_of_the_rises() -> None:
    copies = Copies(Spring(40.0, 2.0), ())
    wall = Wall([state()], copies, 0.3)
    (pushed,) = wall.pushed
    expected = pushed.rises / 40.0 / (0.7 * pushed.rises)
    assert torch.allclose(wall.rows()[:, 0], expected)


def test_pairs_of_each_two_species_are_pushed_none_of_them_twice() -> None:
    start = bulk("NaCl", "rocksalt", a=4.0, cubic=True).repeat(2)
    copies = Copies(Spring(1.0, 6.0), ())
    point = StatePoint("salt", 300.0, start, production=800.0, sample_every=100.0)
    (pushed,) = Wall([point], copies, 0.3).pushed
    assert len(pushed.frames) == 1 + 3 * PAIRS * len(SHARES)
    moved = (pushed.frames.positions[1:] != pushed.frames.positions[:1]).any(2)
    assert moved.sum(1).tolist() == [2] * len(moved)


def test_nothing_is_watched_without_a_share_or_where_nothing_rises() -> None:
    copies = Copies(Spring(40.0, 2.0), ())
    for wall in (Wall([state()], copies, 0.0), Wall([], copies, 0.3)):
        assert wall.least() is None
        assert wall.holds()
    lone = StatePoint(
        "lone", 300.0, Atoms("Ar", cell=[14.0] * 3, pbc=True), production=800.0, sample_every=100.0
    )
    assert Wall([lone], copies, 0.3).pushed == []
    soft = Copies(Spring(1e-6, 2.0), ())
    assert Wall([state()], soft, 0.3).pushed == []


def test_a_fusion_leaves_as_much_of_the_wall_as_it_is_to(tmp_path) -> None:
    truth, begin = Spring(1.0, 2.0), Spring(1.8, 2.0)
    bonds = torch.from_numpy(lengths(truth, state(), 9, 9))
    values = torch.stack([bonds.mean(), bonds.var(unbiased=False)])
    errors = torch.tensor([0.002, 0.0005], dtype=torch.float64)
    known = [Experiment("gas", BondLength(), values, errors)]

    def fused(share: float) -> Fused:
        options = FusionOptions(iterations=3, wall=share)
        folder = tmp_path / f"{share}"
        more = {"fixed": (), "simulator": sample}
        return Fusion(begin, [state()], known, None, None, folder, options, **more).run()

    free = fused(0.0)
    assert free.history[-1].wall is None
    # the truth has 0.56 of the wall
    assert free.model.k.item() < 1.3
    held = fused(0.8)
    walls = [each.wall for each in held.history]
    assert walls[0] == pytest.approx(1.0)
    assert min(walls) >= 0.8
    assert held.history[held.best].experiments < held.history[0].experiments
    assert held.model.k.item() >= 0.8 * 1.8 - 0.1
