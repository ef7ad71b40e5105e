#!/usr/bin/env python3
"""What compiled sums over neighbours could gain in training, at most: training with and without such sums.

    scripts/benchmark_training_sums.py [--rounds 5] [--epochs 2] [--case NAME ...] [--json FILE]

In place of everything on pairs (sensitivities, the sums that make environments, forces, and their derivatives
by features and parameters), environments are copies of the features and forces a mean over the networks'
slopes: the networks' work stays, forward, backward and through the forces, and the pairs' is gone. The ratio
of the times is what sums that cost nothing would gain; the compiled sums that there are stand beside it. Same
process, in turn, one thread, processor time; the first epoch of a round is not counted; mean of the rounds
with standard error.
"""

import contextlib
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import benchmark_training as training
import torch
from benchmark_training import Case
from results_file import mean_number, rounded, write_result
from torch import Tensor

from votca_mlp.training.trainer import losses, network
from votca_mlp.training.trainer.pair_rows import PairBatch

_ONE, _TWO = training._ONE, training._TWO
CASES = {
    "aluminium, one layer": Case(training.crystal, 128, 64, _ONE),
    "Al-Cu, one layer": Case(lambda k: training.crystal(k, 8), 128, 64, _ONE),
    "Al-Cu, two layers": Case(lambda k: training.crystal(k, 8), 128, 64, _TWO),
    "ethane, two layers": Case(training.ethane, 512, 64, training._MOLECULE),
}


@dataclass(frozen=True)
class NoPairs(network.Features):
    """Features that know nothing of pairs but how many there are; ``senses`` are the environments."""

    def vector_slopes(self, atomic: Tensor, batch: PairBatch, *, graph: bool, keep: bool) -> Tensor:
        """Return something of the slopes' shape that depends on every environment's slope."""
        found = torch.autograd.grad(atomic.sum(), self.senses, create_graph=graph, retain_graph=graph or keep)
        total = torch.stack([each.mean((1, 2)) for each in found]).sum(0)
        return total[:, None, None] * batch.directions


def features_without(net: Any, batch: PairBatch, *, derivatives: bool) -> NoPairs:
    """Return what :func:`votca_mlp.training.trainer.network.features_of` would, without any pair; order 0."""
    features = batch.features
    found = NoPairs([features], [], [], None)
    for block in net.blocks:
        entrance, *atom_layers = block
        layer = entrance.base_layer
        environment = features.unsqueeze(1).expand(-1, layer.n_dist, -1)
        if derivatives and not environment.requires_grad:
            environment = environment.clone().requires_grad_(True)
        found.senses.append(environment)
        middle = network._interaction(layer, features, environment, 0)
        skip = entrance.adjust_layer(features) if entrance.needs_size_adjust else features
        features = entrance.res_layer(entrance.activation(middle)) + skip
        for atom_layer in atom_layers:
            features = atom_layer(features)
        found.levels.append(features)
    return found


@contextlib.contextmanager
def without_pairs() -> Iterator[None]:
    """Train without sums over neighbours."""
    names = vars(losses)
    kept, names["features_of"] = names["features_of"], features_without
    try:
        yield
    finally:
        names["features_of"] = kept


def main() -> None:
    """Measure in turn, and print the table."""
    options = training.begun(__doc__, CASES, epochs=2)
    rows = {}
    for name in options.case or CASES:
        case = replace(CASES[name], compiled=False)
        frames = training.labelled(case)
        ratios: dict[str, list[float]] = {"at most": [], "compiled": []}
        spent = []
        for _ in range(options.rounds):
            usual = statistics.median(training.ours(case, frames, options.epochs))
            with without_pairs():
                bare = statistics.median(training.ours(case, frames, options.epochs))
            spent.append(usual)
            ratios["at most"].append(usual / bare)
            compiled = training.ours(replace(case, compiled=True), frames, options.epochs)
            ratios["compiled"].append(usual / statistics.median(compiled))
        rows[name] = {
            "frames": len(frames),
            "batch": case.batch,
            "torch": rounded(60.0 / statistics.median(spent)),
            **{key: mean_number(found) for key, found in ratios.items()},
        }
        print(f"{name:28s}", rows[name], flush=True)
    write_result(options.json, {"training": rows}, units={"torch": "1/min"}, seeds=1)


if __name__ == "__main__":
    main()
