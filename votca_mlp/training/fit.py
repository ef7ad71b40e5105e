"""Fitting a one-species HIP-NN: hippynn's network, the loss in the appendix of Matin et al. 2023.

hippynn's own training loop differentiates the whole network twice, pair by pair. With one species and one
interaction layer the pairs enter through a sum of sensitivities only, so forces are G_i + G_j times the
sensitivities' slopes, where G is the energy's gradient by that sum: the second derivative is left to the
small layers on atoms. The loop here uses that, with compiled sums (:mod:`votca_mlp.training.sums`).
"""

import copy
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.models.hipnn.model import HipnnModel, build_hipnn
from votca_mlp.training.batches import Batch, join, make_frames
from votca_mlp.training.dataset import Dataset
from votca_mlp.training.sums import EnvironmentSum, ForceSum

PAPER = {
    "n_features": 15,
    "n_sensitivities": 20,
    "dist_soft_min": 1.25,
    "dist_soft_max": 7.0,
    # the appendix prints a hard maximum (5 A) below the soft maximum (7 A), which no network can have
    "dist_hard_max": 7.5,
    "n_interaction_layers": 1,
    "n_atom_layers": 3,
}
"""Hyper-parameters of the paper's HIP-NN for aluminium; lengths in Angstrom."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitOptions:
    """How long and how fast to fit.

    The learning rate is halved after ``patience`` epochs without a better validation loss; the fit ends
    after ``epochs``, or when the rate falls below ``smallest_rate``.
    """

    epochs: int = 500
    batch_size: int = 4
    learning_rate: float = 1e-3
    smallest_rate: float = 1e-5
    patience: int = 15
    validation: float = 0.1
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse a seed that torch and numpy do not both take.

        Raises
        ------
        UserError
            Naming it.
        """
        if not 0 <= self.seed < 2**63:
            raise UserError(f"is {self.seed}", where="seed", accepted="a whole number from 0 to 2^63 - 1")


@dataclass
class FitResult:
    """The model of the best validation loss, and the losses by epoch."""

    model: HipnnModel
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def predict(model: HipnnModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return energies [n_frames] without self energies and forces [n_atoms, 3], differentiable.

    Differentiable in the model's parameters; one species, one interaction layer, residual layers, float32.
    """
    block: Any = model.network.blocks
    wrapper, *atom_layers = block[0]
    layer = wrapper.base_layer
    v, a = 1.0 / layer.sensitivity.mu[0], layer.sensitivity.sigma[0].square()
    environment = EnvironmentSum.apply(v, a, batch)  # type: ignore[no-untyped-call]
    one = torch.ones(1, 1)
    inner = environment @ layer.int_weights[:, :, 0] + layer.selfint(one)
    skip = wrapper.adjust_layer(one) if wrapper.needs_size_adjust else one
    x = wrapper.res_layer(wrapper.activation(inner)) + skip
    for atom_layer in atom_layers:
        x = atom_layer(x)
    energy: Any = model.energy.layers
    atomic = (energy[0](one) + energy[1](x)).squeeze(1)
    (gradient,) = torch.autograd.grad(atomic.sum(), environment, create_graph=True)
    forces = ForceSum.apply(gradient, v, a, batch)  # type: ignore[no-untyped-call]
    energies = torch.zeros(len(batch.counts)).index_add(0, batch.frame, atomic)
    return energies, forces


def losses(model: HipnnModel, batch: Batch) -> dict[str, Tensor]:
    """Return the parts of the loss: energy per atom (eV) and forces (eV/Angstrom), RMSE and MAE of each."""
    energies, forces = predict(model, batch)
    energy_error = (energies - batch.energies) / batch.counts
    force_error = forces - batch.forces
    return {
        "energy_rmse": energy_error.square().mean().sqrt(),
        "energy_mae": energy_error.abs().mean(),
        "force_rmse": force_error.square().mean().sqrt(),
        "force_mae": force_error.abs().mean(),
    }


def total_loss(parts: dict[str, Tensor]) -> Tensor:
    """Return the paper's loss without its L2 term (equation A2 and following)."""
    energy = parts["energy_rmse"] + parts["energy_mae"]
    return 100.0 * energy + parts["force_rmse"] + parts["force_mae"]


def fit_hipnn(
    training: Dataset,
    options: FitOptions,
    hyperparameters: dict[str, Any] | None = None,
    report: Callable[[int, dict[str, float]], None] = lambda epoch, numbers: None,
) -> FitResult:
    """Fit a HIP-NN to energies and forces of one species.

    Parameters
    ----------
    training
        Frames to fit and validate on; held-out frames stay with the caller.
    options, hyperparameters
        See :class:`FitOptions`, :data:`PAPER`.
    report
        Called after every epoch with its number and validation losses.
    """
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    species = tuple(int(z) for z in np.unique(training.numbers) if z > 0)
    # a float32 network sees energies near zero; the constant part is exact in the self energy
    self_energy = float((training.energies / training.atom_counts).mean())
    model = build_hipnn(dict(hyperparameters or PAPER), species)
    model.self_energies.fill_(self_energy)
    frames = make_frames(training, model.cutoff, self_energy)
    order = random.permutation(len(frames))
    held = max(1, round(options.validation * len(frames)))
    size = options.batch_size
    validation = [join([frames[i] for i in order[k : min(k + size, held)]]) for k in range(0, held, size)]
    learn = order[held:]
    optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=options.patience)
    penalised = model.network.regularization_params()  # type: ignore[operator]
    result, best, best_state = FitResult(model), float("inf"), copy.deepcopy(model.state_dict())
    for epoch in range(1, options.epochs + 1):
        began = time.monotonic()
        shuffled = random.permutation(learn)
        for k in range(0, len(shuffled), size):
            parts = losses(model, join([frames[i] for i in shuffled[k : k + size]]))
            loss = total_loss(parts) + 1e-6 * sum(weights.square().sum() for weights in penalised)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        numbers = _mean_losses(model, validation)
        numbers["rate"], numbers["seconds"] = optimizer.param_groups[0]["lr"], time.monotonic() - began
        result.history.append(numbers)
        if numbers["loss"] < best:
            best, result.best_epoch = numbers["loss"], epoch
            best_state = copy.deepcopy(model.state_dict())
        report(epoch, numbers)
        schedule.step(numbers["loss"])
        if optimizer.param_groups[0]["lr"] < options.smallest_rate:
            break
    model.load_state_dict(best_state)
    return result


def _mean_losses(model: HipnnModel, batches: list[Batch]) -> dict[str, float]:
    parts = [{name: float(part) for name, part in losses(model, batch).items()} for batch in batches]
    # roots of mean squares join by squares
    mean = {
        name: float(np.sqrt(np.mean([p[name] ** 2 for p in parts])))
        if name.endswith("rmse")
        else float(np.mean([p[name] for p in parts]))
        for name in parts[0]
    }
    mean["loss"] = float(total_loss({name: torch.tensor(value) for name, value in mean.items()}))
    return mean
