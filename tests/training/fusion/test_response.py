"""Derivatives of reweighted observables, the rule for new trajectories, several as one sample."""

import pytest
import torch

from tests.training.fusion.crystals import network, rattled
from tests.training.fusion.dimers import BondLength, Spring, dimer, lengths, sample, state
from votca_mlp.training.fusion import pool as pool_module
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.experiments import Experiment
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.observables.stress import MeanEnergy, Pressure
from votca_mlp.training.fusion.pool import StatePool, Trajectory, energies_of
from votca_mlp.training.fusion.response import respond
from votca_mlp.training.fusion.states import StatePoint


def nothing(observable, state: str = "hot") -> Experiment:
    """Return an experiment whose values do not matter."""
    zero = torch.zeros(len(observable.labels), dtype=torch.float64)
    return Experiment(state, observable, zero, zero + 1.0)


def test_rows_are_slopes_of_observables_on_common_frames() -> None:
    frames, copies = rattled(10), Copies(network(), ("sensitivity",))
    hot = StatePoint("hot", 2000.0, dimer(), production=1e4, sample_every=100.0)
    pool = StatePool(hot)
    pool.add(Trajectory(1, frames, copies.vector), copies)
    atoms = frames.n_atoms
    observables = [MeanEnergy(atoms), Pressure(2000.0, atoms), ElasticConstants(2000.0, atoms, "hexagonal")]
    experiments = [nothing(each) for each in observables]
    found = respond(pool, experiments, copies, probes=200)
    assert found.rows is not None
    assert found.spread is not None
    # with few slopes these are differentiated, with many each number of a frame
    few, exact = (respond(pool, experiments, copies, probes=n) for n in (1, 0))
    torch.testing.assert_close(few.rows, found.rows, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(exact.rows, found.rows, rtol=1e-9, atol=1e-9)
    here = copies.vector
    direction = torch.randn(len(here), generator=torch.Generator().manual_seed(3)).double()
    step = 1e-5
    values = []
    for sign in (1.0, -1.0):
        copies.put(here + sign * step * direction)
        values.append(respond(pool, experiments, copies).values)
    slopes = (values[0] - values[1]) / (2.0 * step)
    torch.testing.assert_close(found.rows @ direction, slopes, rtol=1e-4, atol=1e-6)
    # the variance of the change of U / kBT, from random combinations of the frames
    moved = energies_of(copies.double, frames)
    copies.put(here + step * direction)
    change = hot.beta * (energies_of(copies.double, frames) - moved) / (2.0 * step)
    expected = float(change.var(unbiased=False))
    assert float((found.spread @ direction).square().sum()) == pytest.approx(expected, rel=0.4)
    # or from every frame
    assert float((exact.spread @ direction).square().sum()) == pytest.approx(expected, rel=1e-4)


def test_n_eff_is_one_after_sampling_and_falls_with_the_change(tmp_path) -> None:
    copies, pool = Copies(Spring(1.0, 2.2), ()), StatePool(state())
    pool.add(Trajectory(1, sample(state(), copies, tmp_path, 1, dimer(), 1), copies.vector), copies)
    assert pool.effective(energies_of(copies.double, pool.frames)) == pytest.approx(1.0)
    worth = []
    for length in (2.3, 2.5, 2.8):
        copies.put(torch.tensor([1.0, length]).double())
        worth.append(pool.effective(energies_of(copies.double, pool.frames)))
    assert 1.0 > worth[0] > worth[1] > worth[2]


def test_trajectories_of_several_models_are_one_sample(tmp_path) -> None:
    copies, pool = Copies(Spring(1.0, 2.2), ()), StatePool(state(frames=400))
    for number, length in enumerate((2.0, 2.4), 1):
        copies.put(torch.tensor([1.0, length]).double())
        frames = sample(pool.state, copies, tmp_path, number, dimer(), 1)
        pool.add(Trajectory(number, frames, copies.vector), copies)
    copies.put(torch.tensor([1.0, 2.2]).double())
    found = respond(pool, [nothing(BondLength(), "gas")], copies)
    bonds = lengths(copies.double, pool.state, 3, 1)
    assert float(found.values[0]) == pytest.approx(bonds.mean(), abs=0.01)
    assert float(found.values[1]) == pytest.approx(bonds.var(), rel=0.1)
    # two trajectories on both sides are worth more than one, and never more than both
    worth = pool.effective(energies_of(copies.double, pool.frames))
    assert 1.0 < worth < 2.0
    assert found.effective == pytest.approx(0.5 * worth)


def test_only_so_many_trajectories_are_kept(tmp_path) -> None:
    copies, pool = Copies(Spring(1.0, 2.2), ()), StatePool(state(), keep=2)
    for number in (1, 2, 3):
        frames = sample(state(), copies, tmp_path, number, dimer(), 1)
        pool.add(Trajectory(number, frames, copies.vector), copies)
    assert [each.number for each in pool.trajectories] == [2, 3]
    assert len(pool.frames) == 2 * state().frames


def test_values_are_kept_until_parameters_frames_or_observables_change(tmp_path, monkeypatch) -> None:
    asked: list[int] = []
    measure = pool_module.measure_all
    monkeypatch.setattr(pool_module, "measure_all", lambda *of: (asked.append(1), measure(*of))[1])
    copies, pool = Copies(Spring(1.0, 2.2), ()), StatePool(state())
    pool.add(Trajectory(1, sample(state(), copies, tmp_path, 1, dimer(), 1), copies.vector), copies)
    one = [nothing(BondLength(), "gas")]
    first = respond(pool, one, copies, probes=2)
    again = respond(pool, one, copies, probes=2)
    assert len(asked) == 1
    assert torch.equal(first.values, again.values)
    assert torch.equal(first.rows, again.rows)
    respond(pool, [nothing(BondLength(), "gas")], copies)
    copies.put(torch.tensor([1.0, 2.25]).double())
    moved = respond(pool, one, copies)
    assert len(asked) == 3
    assert not torch.equal(moved.values, first.values)
    pool.add(Trajectory(2, sample(state(), copies, tmp_path, 2, dimer(), 1), copies.vector), copies)
    assert len(respond(pool, one, copies).values) == 2
    assert len(asked) == 4
