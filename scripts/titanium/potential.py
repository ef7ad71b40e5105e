"""The DFT potential of titanium: a small HIP-NN by energies, forces and stress of PBE."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from votca_mlp.models.hipnn.model import HipnnModel, build_hipnn
from votca_mlp.training.fusion.labels import SourceBatch, labels_of
from votca_mlp.training.labelled import LabelledFrames

from .data import LEVEL

NETWORK = {
    "n_features": 20,
    "n_sensitivities": 20,
    "dist_soft_min": 1.6,
    "dist_soft_max": 5.5,
    "dist_hard_max": 6.5,
    "n_interaction_layers": 1,
    "n_atom_layers": 3,
}
"""Lengths in Angstrom."""
SCALES = {"energy": 0.005, "force": 0.2, "stress": 0.003}
"""eV/atom, eV/Angstrom, eV/Angstrom^3 (0.5 GPa): what an error of each kind is measured by."""


@dataclass(frozen=True)
class Fit:
    """How long to fit: the rate falls to 0 along a cosine."""

    epochs: int = 250
    batch_size: int = 8
    learning_rate: float = 3e-3
    seed: int = 1


def fit_potential(
    frames: LabelledFrames, learn: np.ndarray, options: Fit, report: Callable[[str], None]
) -> HipnnModel:
    """Return a HIP-NN of the chosen frames: the least squares of residuals over :data:`SCALES`."""
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    model = build_hipnn(dict(NETWORK), frames.species)
    energies = frames.levels[LEVEL].energies[learn] / frames.atom_counts[learn]
    model.self_energies.fill_(float(energies.mean()))
    labels = labels_of(frames, learn, model, LEVEL)
    assert isinstance(labels.fine[0], SourceBatch)
    source = labels.fine[0].source
    optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
    size, steps = options.batch_size, -(-len(learn) // options.batch_size) * options.epochs
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    began = time.monotonic()
    for epoch in range(1, options.epochs + 1):
        order, sums = random.permutation(learn), dict.fromkeys(SCALES, 0.0)
        for k in range(0, len(order), size):
            chosen = order[k : k + size]
            residuals = SourceBatch(source, chosen, LEVEL).residuals(model)
            squares = {name: residuals[name].square().mean() for name in SCALES}
            loss = sum((squares[name] / SCALES[name] ** 2 for name in SCALES), torch.zeros(()))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 100.0)
            optimizer.step()
            schedule.step()
            for name in SCALES:
                sums[name] += float(squares[name].detach()) * len(chosen) / len(order)
        if epoch % 10 == 0:
            errors = " ".join(f"{name} {np.sqrt(value):.4g}" for name, value in sums.items())
            report(f"epoch {epoch:4d} {errors} {time.monotonic() - began:.0f} s")
    return model
