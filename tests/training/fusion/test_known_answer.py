"""Experiments made by a perturbed model give that model again; the long version with MD is a script."""

import pytest
import torch
from ase.build import bulk
from torch import Tensor

from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.experiments import RestExperiment
from votca_mlp.training.fusion.fuse import Fusion
from votca_mlp.training.fusion.observables.frames import stored_frames
from votca_mlp.training.fusion.observables.rest import ColdElasticConstants, ColdLattice, EnergyDifference
from votca_mlp.training.fusion.options import FusionOptions

CRYSTAL = stored_frames([bulk("Ar", "fcc", a=5.3)])
OTHER = stored_frames([bulk("Ar", "bcc", a=4.2)])


class Argon(PairModel):
    """Lennard-Jones with parameters, smooth at the cutoff."""

    def __init__(self, epsilon: float, sigma: float) -> None:
        super().__init__()
        self.numbers, self.cutoff = (18,), 6.5
        self.epsilon = torch.nn.Parameter(torch.tensor(epsilon, dtype=torch.float64))
        self.sigma = torch.nn.Parameter(torch.tensor(sigma, dtype=torch.float64))

    def forward(self, numbers: Tensor, first: Tensor, second: Tensor, vectors: Tensor) -> Tensor:
        """Return atomic energies."""
        r = vectors.norm(dim=1)
        s6 = (self.sigma / r) ** 6
        energies = 2.0 * self.epsilon * (s6 * s6 - s6) * (1.0 - (r / self.cutoff) ** 2) ** 3
        return energies.new_zeros(len(numbers)).index_add(0, first, energies).unsqueeze(0)


@pytest.mark.parametrize("truth", [(0.0110, 3.32), (0.0096, 3.36), (0.0107, 3.50)])
def test_elastic_constants_of_another_model_are_met_and_so_is_what_was_held_out(tmp_path, truth) -> None:
    begin, goal = (0.0104, 3.4), Argon(*truth)
    elastic = ColdElasticConstants(CRYSTAL, "cubic")
    values = elastic.value(goal).detach()
    values[1] = torch.nan  # C12 is held out
    known = RestExperiment(elastic, values, 0.002 * values.abs())
    fusion = Fusion(
        Argon(*begin), [], [], None, None, tmp_path, FusionOptions(iterations=20), rest=[known], fixed=()
    )
    found = fusion.run()
    assert found.ended == "the experiments are met within errors"
    held = [elastic, ColdLattice(CRYSTAL, {"a": [(0, 0.5**0.5)]}), EnergyDifference(CRYSTAL, OTHER)]
    for each, part in zip(held, (1, 0, 0), strict=True):
        with torch.no_grad():
            wanted, before, after = (
                float(each.value(model)[part]) for model in (goal, Argon(*begin), found.model)
            )
        assert abs(after - wanted) < 0.25 * abs(before - wanted)


def test_values_that_are_no_numbers_end_it_with_the_model_as_it_was(tmp_path) -> None:
    class Broken(EnergyDifference):
        def value(self, model: PairModel) -> Tensor:
            return super().value(model) * torch.nan

    known = RestExperiment(Broken(CRYSTAL, OTHER), *torch.tensor([[0.01], [0.001]], dtype=torch.float64))
    found = Fusion(Argon(0.01, 3.4), [], [], None, None, tmp_path, rest=[known], fixed=()).run()
    assert found.ended == "the training has left the range of numbers"
    assert found.model.sigma.item() == 3.4
