"""The DFT potential of a metal before fusion: a small HIP-NN by energies, forces and stress.

The mean squares over :data:`SCALES`: of titanium they give smaller errors of energies and stress than the
general trainer's sums of root mean squares and mean absolute values do with the same labels.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from votca_mlp.files import atomic_write
from votca_mlp.models.hipnn.model import HipnnModel, build_hipnn
from votca_mlp.training.fusion.labels import SourceBatch, labels_of
from votca_mlp.training.labelled import LabelledFrames

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
EVERY = 10
"""Epochs between checkpoints, by default."""


@dataclass(frozen=True)
class Fit:
    """How long to fit, the rate falling to 0 along a cosine; layers; epochs between checkpoints."""

    epochs: int = 250
    batch_size: int = 8
    learning_rate: float = 3e-3
    seed: int = 1
    layers: int = 1
    every: int = EVERY


def fit_potential(
    frames: LabelledFrames,
    learn: np.ndarray,
    level: str,
    options: Fit,
    checkpoint: Path,
    report: Callable[[str], None],
) -> tuple[HipnnModel, float]:
    """Return a HIP-NN of the chosen frames and the seconds it took; goes on from ``checkpoint``."""
    torch.manual_seed(options.seed)
    model = build_hipnn(NETWORK | {"n_interaction_layers": options.layers}, frames.species)
    energies = frames.levels[level].energies[learn] / frames.atom_counts[learn]
    model.self_energies.fill_(float(energies.mean()))
    labels = labels_of(frames, learn, model, level)
    assert isinstance(labels.fine[0], SourceBatch)
    source = labels.fine[0].source
    optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
    size, steps = options.batch_size, -(-len(learn) // options.batch_size) * options.epochs
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    parts: dict[str, Any] = {"model": model, "optimizer": optimizer, "schedule": schedule}
    done, spent = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        done, spent = state["epoch"], state["seconds"]
        for name, part in parts.items():
            part.load_state_dict(state[name])
    began = time.monotonic()
    for epoch in range(done + 1, options.epochs + 1):
        # an order of its own for each epoch, so that a fit goes on as it would have
        order = np.random.default_rng([options.seed, epoch]).permutation(learn)
        sums = dict.fromkeys(SCALES, 0.0)
        for k in range(0, len(order), size):
            chosen = order[k : k + size]
            residuals = SourceBatch(source, chosen, level).residuals(model)
            squares = {name: residuals[name].square().mean() for name in SCALES}
            loss = sum((squares[name] / SCALES[name] ** 2 for name in SCALES), torch.zeros(()))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 100.0)
            optimizer.step()
            schedule.step()
            for name in SCALES:
                sums[name] += float(squares[name].detach()) * len(chosen) / len(order)
        if epoch % options.every == 0:
            seconds = spent + time.monotonic() - began
            errors = " ".join(f"{name} {np.sqrt(value):.4g}" for name, value in sums.items())
            report(f"epoch {epoch:4d} {errors} {seconds:.0f} s")
            state = {name: part.state_dict() for name, part in parts.items()}
            with atomic_write(checkpoint, "wb") as file:
                torch.save({**state, "epoch": epoch, "seconds": seconds}, file)
    return model, spent + time.monotonic() - began
