"""The card of a fused model."""

import pytest
import torch
from ase.build import bulk

from tests.training.fusion.dimers import Spring
from votca_mlp.training.fusion.card import fusion_card
from votca_mlp.training.fusion.experiments import Experiment
from votca_mlp.training.fusion.fuse import Fused
from votca_mlp.training.fusion.objective import Objective
from votca_mlp.training.fusion.observables.angles import AngleDistribution
from votca_mlp.training.fusion.observables.elastic import ElasticConstants
from votca_mlp.training.fusion.options import Iteration
from votca_mlp.training.fusion.states import StatePoint

COLD = StatePoint("cold", 40.0, bulk("Ar", "fcc", a=5.3, cubic=True), production=2000.0)


def experiment(observable, value: float, error: float) -> Experiment:
    """Return one with the same value and error for all."""
    one = torch.ones(len(observable.labels), dtype=torch.float64)
    return Experiment("cold", observable, value * one, error * one)


@pytest.mark.parametrize("closed", [True, False])
def test_each_experiment_and_label_before_and_now(closed) -> None:
    elastic, angles = ElasticConstants(40.0, 4, "cubic"), AngleDistribution(4.0)
    goal = Objective(
        [COLD], [experiment(elastic, 0.02, 0.001), experiment(angles, 0.01, 0.001)], [], None, None
    )
    labels = {"energy": 0.01, "force": 0.2}
    before = Iteration(
        0, 50.0, [0.03] * 3 + [0.02] * 60, [0.001] * 3 + [float("nan")] * 60, {}, [], labels, labels
    )
    after = Iteration(
        1, 1.5, [0.0201] * 3 + [0.01] * 60, [0.001] * 63, {}, [], {**labels, "energy": 0.012}, labels
    )
    found = Fused(Spring(1.0, 2.0), [before, after], 1, {"cold": 2}, "a test", after if closed else None)
    lines = fusion_card(goal, found).splitlines()
    assert "Trajectories: 2 of cold." in lines
    assert "| cold C44 | 3.2044 +- 0.16 | 4.8065 +- 0.16 | 3.2204 +- 0.16 | GPa |" in lines
    # 60 angles are one line: ten errors off before
    assert "| cold angles, 60 values, rms off | 0 | 10 | 0 | errors measured |" in lines
    assert "| energy | learnt from | 10 | 12 | 1.200 | meV/atom |" in lines
    assert ("REWEIGHTING ALONE" in "".join(lines)) is not closed
