"""Fusion as a whole, on dimers whose statistics are known: no MD."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ase import Atoms

from tests.training.fusion.dimers import BondLabels, BondLength, Spring, dimer, lengths, sample, state
from votca_mlp.errors import UserError
from votca_mlp.training.fusion import fuse
from votca_mlp.training.fusion.closing import verdict
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.experiments import Experiment, RestExperiment
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.labels import Labels
from votca_mlp.training.fusion.observables.frames import stored_frames
from votca_mlp.training.fusion.observables.rest import ColdLattice, EnergyDifference
from votca_mlp.training.fusion.options import FusionOptions

TRUTH = Spring(1.0, 2.2)


def measured(observed: tuple[float, float] | None = None) -> Experiment:
    """Return what the truth's bond is, or what is given."""
    bonds = torch.from_numpy(lengths(TRUTH, state(), 9, 9))
    values = torch.stack([bonds.mean(), bonds.var(unbiased=False)])
    if observed is not None:
        values = torch.tensor(observed, dtype=torch.float64)
    return Experiment("gas", BondLength(), values, torch.tensor([0.002, 0.0005], dtype=torch.float64))


def fusion(folder: Path, **more) -> Fusion:
    """Return a fusion that begins away from the truth."""
    options = {"options": FusionOptions(iterations=10), "simulator": sample, "fixed": (), **more}
    labels = options.pop("labels", None)
    held = options.pop("held", None)
    settings = options.pop("options")
    return Fusion(Spring(1.4, 2.0), [state()], [measured()], labels, held, folder, settings, **options)


def test_an_experiment_made_by_another_model_gives_that_model(straight) -> None:
    found = straight
    assert found.ended == "the experiments are met within errors"
    assert found.model.k.item() == pytest.approx(1.0, abs=0.15)
    assert found.model.length.item() == pytest.approx(2.2, abs=0.01)
    assert found.trajectories["gas"] < len(found.history)
    assert found.history[-1].new == ["gas"]


def test_several_states_give_one_model(tmp_path) -> None:
    states = [replace(state(temperature), name=f"{temperature:g}K") for temperature in (200.0, 450.0)]
    error = torch.tensor([0.002, 0.0005], dtype=torch.float64)
    experiments = []
    for each in states:
        bonds = torch.from_numpy(lengths(TRUTH, each, 9, 9))
        values = torch.stack([bonds.mean(), bonds.var(unbiased=False)])
        experiments.append(Experiment(each.name, BondLength(), values, error))
    options = FusionOptions(iterations=10)
    begin = Spring(1.4, 2.0)
    found = Fusion(
        begin, states, experiments, None, None, tmp_path, options, fixed=(), simulator=sample
    ).run()
    assert found.ended == "the experiments are met within errors"
    assert found.model.k.item() == pytest.approx(1.0, abs=0.1)
    assert found.model.length.item() == pytest.approx(2.2, abs=0.01)
    assert list(found.trajectories) == ["200K", "450K"]
    assert found.closing is not None
    assert found.closing.new == ["200K", "450K"]
    assert len(found.closing.values) == 4


def test_the_returned_model_is_simulated_afresh(straight) -> None:
    closing = straight.closing
    assert closing is not None
    assert closing.number == straight.best
    assert closing.new == ["gas"]
    assert closing.effective["gas"] == pytest.approx(1.0)
    # of a trajectory of its own alone, with the parameters that are returned
    bonds = torch.from_numpy(lengths(straight.model, state(), straight.trajectories["gas"] + 1, 1))
    assert closing.values == pytest.approx([bonds.mean().item(), bonds.var(unbiased=False).item()])
    assert closing.values != straight.history[straight.best].values


def test_a_model_that_disappoints_in_its_own_simulation_gives_way_to_one_that_was_simulated(tmp_path) -> None:
    def disappointing(state, copies, folder, number, start, seed):
        """Sample another model for what is the best by reweighting alone."""
        if folder.name.startswith("closing") and not folder.name.endswith("000"):
            copies = Copies(Spring(3.0, 1.5), ())
        return sample(state, copies, folder, number, start, seed)

    options = FusionOptions(iterations=1, effective=0.01, least_effective=0.01, variance=0.2)
    lines: list[str] = []
    found = fusion(tmp_path, simulator=disappointing, options=options, report=lines.append).run()
    assert found.history[1].experiments < found.history[0].experiments
    assert found.history[1].new == []
    assert found.best == 0
    assert found.model.k.item() == 1.4
    assert found.closing is not None
    assert found.closing.number == 0
    assert sum("closing simulation" in line for line in lines) == 2


def test_what_reweighting_says_is_met_is_simulated_before_the_fusion_ends(tmp_path) -> None:
    settings = {"effective": 0.01, "least_effective": 0.01, "variance": 4.0}
    lines: list[str] = []
    found = fusion(tmp_path, options=FusionOptions(iterations=12, **settings), report=lines.append).run()
    assert found.ended == "the experiments are met within errors"
    last, before = found.history[-1], found.history[-2]
    assert last.new == ["gas"]
    # nothing but the end asked for that trajectory
    assert before.new == []
    assert before.experiments <= 1.0
    assert before.step == 0.0
    assert "to be confirmed by a simulation" in lines[before.number]
    assert found.best == last.number


def test_a_model_that_only_reweighting_knows_to_be_good_is_no_longer_the_best_once_simulated(
    tmp_path,
) -> None:
    def disappointing(state, copies, folder, number, start, seed):
        """Sample another model from the second trajectory on."""
        return sample(
            state, copies if number == 1 else Copies(Spring(3.0, 1.5), ()), folder, number, start, seed
        )

    settings = {"effective": 0.01, "least_effective": 0.01, "variance": 4.0, "patience": 2}
    found = fusion(tmp_path, simulator=disappointing, options=FusionOptions(iterations=12, **settings)).run()
    met = next(each for each in found.history if each.experiments <= 1.0)
    simulated = found.history[met.number + 1]
    assert simulated.new == ["gas"]
    assert simulated.experiments > 1.0
    assert found.best != met.number


def test_reweighting_that_was_optimistic_is_said() -> None:
    assert "optimistic" in verdict(0.5, 15.1)
    assert "15.1" in verdict(0.5, 15.1)
    assert "optimistic" not in verdict(0.8, 1.0)
    assert "optimistic" not in verdict(15.0, 16.0)


def test_a_closing_simulation_that_goes_wrong_leaves_the_model_and_is_said(tmp_path) -> None:
    def exploding(state, copies, folder, number, start, seed):
        if folder.name.startswith("closing"):
            raise UserError("two atoms are too close")
        return sample(state, copies, folder, number, start, seed)

    lines: list[str] = []
    found = fusion(tmp_path, simulator=exploding, report=lines.append).run()
    assert found.closing is None
    assert found.best > 0
    assert "went wrong: two atoms are too close" in lines[-1]


def test_what_is_known_at_rest_is_met_alone_and_beside_states(tmp_path) -> None:
    crystal = stored_frames([Atoms("Ar", cell=[2.0] * 3, pbc=True)])
    lattice = ColdLattice(crystal, {"a": [(0, 1.0)]})
    error = torch.tensor([0.001], dtype=torch.float64)
    known = RestExperiment(lattice, torch.tensor([2.2], dtype=torch.float64), error, "lattice")
    spring = Spring(1.4, 2.0)
    spring.cutoff = 2.6  # nearest neighbours alone
    settings = FusionOptions(iterations=10)
    alone = Fusion(spring, [], [], None, None, tmp_path / "1", settings, rest=[known], fixed=())
    found = alone.run()
    assert found.ended == "the experiments are met within errors"
    assert found.model.length.item() == pytest.approx(2.2, abs=0.001)
    assert alone.objective.names == ["lattice a"]
    pair = EnergyDifference(*(stored_frames([dimer(length)]) for length in (2.2, 2.5)))
    energy, error = torch.tensor([[0.5 * 0.3**2 / 2.0], [0.001]], dtype=torch.float64)
    both = fusion(tmp_path / "2", rest=[RestExperiment(pair, energy, error)]).run()
    assert both.ended == "the experiments are met within errors"
    assert len(both.history[0].values) == 3
    assert list(both.history[0].effective) == ["gas"]


def test_a_lower_bound_for_n_eff_saves_trajectories(tmp_path) -> None:
    # short steps, so that there are some
    always = fusion(tmp_path / "1", options=FusionOptions(iterations=10, effective=1.0, variance=0.2)).run()
    rarely = fusion(tmp_path / "2", options=FusionOptions(iterations=10, effective=0.2, variance=0.2)).run()
    assert rarely.trajectories["gas"] < always.trajectories["gas"]
    assert rarely.history[rarely.best].experiments < 1.5


def labels(k: float, length: float) -> Labels:
    """Return energies of a spring."""
    bonds = torch.linspace(1.6, 2.8, 40, dtype=torch.float64)
    energies = 0.5 * k * (bonds - length).square()
    energies = energies + 0.002 * torch.cos(40.0 * bonds)
    return Labels([BondLabels(bonds[j::8], energies[j::8]) for j in range(8)], 40)


def test_labels_hold_the_model_and_held_out_ones_end_it_before_they_are_lost(tmp_path) -> None:
    # labels of the model that it begins with, and experiments of another: both cannot be met
    pinned = fusion(tmp_path / "1", labels=labels(1.4, 2.0), held=labels(1.4, 2.0)).run()
    before, after = pinned.history[0], pinned.history[pinned.best]
    assert after.experiments < before.experiments
    assert after.held["energy"] <= 1.4 * before.held["energy"]
    # without the limit the experiments win where their weight is larger
    loose = FusionOptions(iterations=10, label_weight=1e-6, limits={"energy": 1e6})
    lost = fusion(tmp_path / "2", labels=labels(1.4, 2.0), held=labels(1.4, 2.0), options=loose).run()
    assert lost.history[lost.best].experiments < after.experiments
    assert lost.history[lost.best].held["energy"] > 1.4 * before.held["energy"]


def test_only_the_labels_that_a_step_harms_get_more_weight(tmp_path) -> None:
    # label_weight is too small to keep energies within the limit; stress is limited and never harmed
    options = FusionOptions(
        iterations=1, by_kind=True, probes=0, label_weight=0.03, limits={"energy": 1.1, "stress": 1.1}
    )
    made = fusion(tmp_path, labels=labels(1.4, 2.0), held=labels(1.4, 2.0), options=options)
    found = made.run()
    before, after = found.history[0], found.history[found.best]
    assert after.experiments < before.experiments
    assert after.held["energy"] <= 1.1 * before.held["energy"]
    # with more weight on energies the full step is within, and better than a part of the first one
    assert before.step == 1.0
    assert set(made.progress.kind_weights) == {"energy"}
    assert made.progress.kind_weights["energy"] > 1.0
    assert found.history[0].label_weight == 0.03


def test_fusions_that_began_before_there_were_weights_by_kind_go_on() -> None:
    assert "by_kind" not in FusionOptions().shaping()
    assert FusionOptions(by_kind=True).shaping()["by_kind"]


class _Killer:
    """Ends this process as kill -9 does at the n-th event."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Return a fusion that nothing interrupts."""
    return fusion(tmp_path_factory.mktemp("straight")).run()


def _ending(state, copies, folder, number, start, seed):
    """Sample, and end in the closing simulation as kill -9 does."""
    found = sample(state, copies, folder, number, start, seed)
    if folder.name.startswith("closing"):
        _Killer(0)()
    return found


@pytest.mark.parametrize("at", [0, 1, 3, 6, None])
def test_killed_anywhere_it_goes_on_to_the_same_numbers(tmp_path, monkeypatch, straight, at) -> None:
    process = os.fork()
    if process == 0:
        killer, save = _Killer(10**6 if at is None else at), fuse.save_progress
        monkeypatch.setattr(fuse, "save_progress", lambda *a: (killer(), save(*a), killer()))
        fusion(tmp_path / "killed", simulator=_ending if at is None else sample).run()
        os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status), "it was to be killed"
    resumed = fusion(tmp_path / "killed").run()
    assert [each.values for each in resumed.history] == [each.values for each in straight.history]
    assert torch.equal(resumed.model.k, straight.model.k)
    assert torch.equal(resumed.model.length, straight.model.length)
    assert resumed.closing is not None
    assert resumed.closing.values == straight.closing.values
    # and once more: all is there
    again = fusion(tmp_path / "killed").run()
    assert torch.equal(again.model.k, straight.model.k)


def test_simulations_that_explode_end_with_the_last_good_model(tmp_path) -> None:
    made = []

    def exploding(state, copies, folder, number, start, seed):
        made.append(number)
        if len(made) > 1:
            raise UserError("the temperature has left all bounds")
        return sample(state, copies, folder, number, start, seed)

    lines: list[str] = []
    options = FusionOptions(iterations=10, effective=1.0)
    found = fusion(tmp_path, simulator=exploding, options=options, report=lines.append).run()
    assert found.ended == "the simulations go wrong: the temperature has left all bounds"
    assert found.best == 0
    assert found.model.k.item() == 1.4
    assert "back to iteration 0" in " ".join(lines)


def test_after_an_explosion_only_simulated_models_are_trusted(tmp_path) -> None:
    made = []

    def exploding(state, copies, folder, number, start, seed):
        made.append(number)
        if len(made) > 1:
            raise UserError("two atoms are too close")
        return sample(state, copies, folder, number, start, seed)

    # iterations between simulations are known by reweighting alone
    options = FusionOptions(iterations=10, effective=0.8, variance=0.2)
    lines: list[str] = []
    found = fusion(tmp_path, simulator=exploding, options=options, report=lines.append).run()
    assert "back to iteration 0: two atoms are too close" in " ".join(lines)
    assert any(not each.new for each in found.history)
    assert found.best == 0
    assert found.model.k.item() == 1.4


def test_a_first_simulation_that_goes_wrong_is_said(tmp_path) -> None:
    def exploding(*of):
        raise UserError("the temperature has left all bounds")

    with pytest.raises(UserError, match="left all bounds"):
        fusion(tmp_path, simulator=exploding).run()


def test_a_folder_of_another_fusion_is_refused(tmp_path) -> None:
    fusion(tmp_path, options=FusionOptions(iterations=1)).run()
    with pytest.raises(UserError, match="another model, other labels or settings"):
        fusion(tmp_path, options=FusionOptions(iterations=1, seed=2))
    (tmp_path / "fusion.pt").write_bytes(b"no checkpoint")
    with pytest.raises(UserError, match="is damaged"):
        fusion(tmp_path, options=FusionOptions(iterations=1))


def test_limits_of_held_out_labels_alone_leave_those_learnt_from(tmp_path) -> None:
    # learnt from: labels of the model that it begins with; held out: those of the truth, which become better
    free = FusionOptions(iterations=3, label_weight=1e-6, limits={"energy": 1.0})
    bound = fusion(tmp_path / "1", labels=labels(1.4, 2.0), held=labels(1.0, 2.2), options=free).run()
    assert bound.history[bound.best].labels["energy"] <= bound.history[0].labels["energy"]
    alone = replace(free, held_alone=True)
    found = fusion(tmp_path / "2", labels=labels(1.4, 2.0), held=labels(1.0, 2.2), options=alone).run()
    assert found.history[found.best].labels["energy"] > 2.0 * found.history[0].labels["energy"]
    assert found.history[found.best].experiments < bound.history[bound.best].experiments
    with pytest.raises(UserError, match="no held-out labels"):
        fusion(tmp_path / "3", labels=labels(1.4, 2.0), options=alone)
