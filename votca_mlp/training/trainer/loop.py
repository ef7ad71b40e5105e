"""Training HIP-NN with heads for several levels of theory."""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.interrupts import held_back
from votca_mlp.models.hipnn.levels import SEPARATE, LevelledHipnn, build_levels
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.self_energies import self_energies as fitted
from votca_mlp.training.trainer import checkpoint as checkpoints
from votca_mlp.training.trainer.last_layer import HeadFit, fit_heads
from votca_mlp.training.trainer.losses import ErrorSums, loss_of
from votca_mlp.training.trainer.options import LAST_LAYERS, TrainOptions
from votca_mlp.training.trainer.order import kinds_of_frames, scarce_levels, share_of_each, with_shares
from votca_mlp.training.trainer.schedule import Schedule
from votca_mlp.training.trainer.sources import Source, source_of

Indices = NDArray[np.int64]
_EVERY = 30.0  # seconds between checkpoints


@dataclass
class Trained:
    """The model that is kept, and what each epoch gave.

    Attributes
    ----------
    model
        Of the best validation loss, or of the last epoch; :meth:`LevelledHipnn.at` is one of its levels.
    best_epoch, stopped
        That of the best validation loss, counted from 1; why training ended.
    history
        By epoch: ``loss`` of validation, ``LEVEL KIND_rmse`` and ``LEVEL KIND_mae`` (eV/atom, eV/Angstrom,
        eV/Angstrom^3), ``training loss``, ``rate``, ``seconds``.
    fitted
        By level: how its head was set in the end, where ``last_layer`` is not trained. The history does not
        know of it.
    """

    model: LevelledHipnn
    best_epoch: int = 0
    stopped: str = ""
    history: list[dict[str, float]] = field(default_factory=list)
    fitted: dict[str, HeadFit] = field(default_factory=dict)


def train(
    frames: LabelledFrames,
    training: Indices,
    validation: Indices,
    hyperparameters: Mapping[str, Any],
    options: TrainOptions,
    *,
    self_energies: Mapping[str, Mapping[int, float]] | None = None,
    species: Sequence[int] | None = None,
    heads: str = SEPARATE,
    start: LevelledHipnn | None = None,
    report: Callable[[int, dict[str, float]], None] = lambda epoch, numbers: None,
    checkpoint: str | Path | None = None,
) -> Trained:
    """Train a network on labels of one or several levels, any of them absent in any frame.

    Parameters
    ----------
    frames
        Held-out frames may be among them; only the chosen ones are looked at.
    training, validation
        Frames that are fitted, and those that tell when to stop.
    hyperparameters
        Of the network, see :func:`votca_mlp.models.hipnn.model.build_hipnn`. Not used with ``start``.
    self_energies
        eV by level and atomic number; by default least squares of each level's own training energies.
    species
        Atomic numbers that the network knows, ascending; by default those of the training frames. Not used
        with ``start``.
    heads
        ``separate`` or ``added``, see :mod:`votca_mlp.models.hipnn.levels`.
    start
        A model with the levels of the frames to go on from, such as
        :func:`votca_mlp.training.trainer.transfer.with_levels` makes; it is changed in place, and keeps its
        self energies.
    report
        Called after every epoch with its number and its entry of the history.
    checkpoint
        File that training leaves its state in and goes on from, bit for bit; kept at the end.

    Raises
    ------
    UserError
        No frame to train or validate on; a level without labels among the training frames; a species that the
        model to go on from lacks; a checkpoint of other data or options.
    KeyboardInterrupt
        After the checkpoint is written, when Ctrl-C or SIGTERM came.
    """
    for name, part in (("training", training), ("validation", validation)):
        if not len(part):
            raise UserError(f"there are no {name} frames", where=name, accepted="one frame or more")
    learn, judge = frames.take(training), frames.take(validation)
    levels = start.levels if start else tuple(frames.levels)
    refuse_without_labels(learn, levels, options)
    model = start or _begin(
        learn, tuple(species or learn.species), dict(hyperparameters), options, levels, heads, self_energies
    )
    model.to(getattr(torch, options.precision))
    model.self_energies = model.self_energies.double()
    _refuse_species(model, learn, judge)
    energies = {
        name: dict(zip(model.numbers, map(float, row), strict=True))
        for name, row in zip(model.levels, model.self_energies, strict=True)
    }
    sources = [source_of(part, model, energies, options) for part in (learn, judge)]
    mark = checkpoints.fingerprint(frames, (training, validation), model, options) if checkpoint else ""
    share = share_of_each(options.share, levels)
    order = _Order(kinds_of_frames(learn, levels), scarce_levels(learn, levels, share), share, options)
    run = _Run(model, options, sources[0], sources[1], order, len(judge))
    path = None if checkpoint is None else Path(checkpoint)
    state = checkpoints.load(path, mark) if path else None
    if state is not None:
        run.restore(state)
    written = time.monotonic()
    with held_back() as held:
        while not run.result.stopped:
            report(*run.epoch())
            if path and (run.result.stopped or held.came or time.monotonic() - written > _EVERY):
                checkpoints.save(path, mark, run.state())
                written = time.monotonic()
            if held.came:
                raise KeyboardInterrupt
    if options.keep == "best" or not np.isfinite(run.result.history[-1]["loss"]):
        model.load_state_dict(run.best_state)
    if options.last_layer != LAST_LAYERS[0]:
        every = frames.take(np.concatenate([training, validation]))
        known = learn if options.last_layer == LAST_LAYERS[1] else every
        run.result.fitted = fit_heads(model, known, options)
    return run.result


@dataclass(frozen=True)
class _Order:
    """Kinds of the training frames, and those of scarce levels."""

    kinds: Indices
    scarce: list[Indices]
    share: float
    options: TrainOptions

    def batches(self, epoch: int) -> list[Indices]:
        """Return the batches of an epoch, counted from 1."""
        options = self.options
        return with_shares(self.kinds, self.scarce, self.share, options.batch_size, options.seed, epoch)


class _Run:
    """What changes from epoch to epoch."""

    def __init__(
        self,
        model: LevelledHipnn,
        options: TrainOptions,
        learn: Source,
        judge: Source,
        order: _Order,
        judged: int,
    ) -> None:
        self.options, self.learn, self.judge, self.order, self.judged = options, learn, judge, order, judged
        self.weights = {name: options.weight(name) for name in model.levels}
        self.result = Trained(model)
        self.penalised = model.network.regularization_params()  # type: ignore[operator]
        free = [p for p in _trained(model, options) if p.requires_grad]
        self.optimizer = torch.optim.Adam(free, lr=options.learning_rate)
        self.schedule = Schedule(options)
        self.best, self.best_state = float("inf"), copy.deepcopy(model.state_dict())

    def epoch(self) -> tuple[int, dict[str, float]]:
        """Go through the training frames once, and judge; return the epoch's number and entry."""
        began, number = time.monotonic(), len(self.result.history) + 1
        model, options, losses = self.result.model, self.options, []
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate
        for chosen in self.order.batches(number):
            found, hierarchy = self.learn.residuals(model, chosen, self.weights, graph=True)
            loss = loss_of(found, self.weights) + options.hierarchy * hierarchy
            losses.append(float(loss.detach()))
            if options.decay and not options.freeze_network:
                loss = loss + options.decay * sum(weights.square().sum() for weights in self.penalised)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        numbers = self._judged()
        numbers["training loss"] = float(np.mean(losses))
        numbers["rate"], numbers["seconds"] = self.schedule.rate, time.monotonic() - began
        self.result.history.append(numbers)
        better = numbers["loss"] < self.best
        if better:
            self.best, self.result.best_epoch = numbers["loss"], number
            self.best_state = copy.deepcopy(model.state_dict())
        self.result.stopped = self.schedule.after(number, number - self.result.best_epoch, better)
        if not np.isfinite(numbers["training loss"]):
            self.result.stopped = "the loss is no number any more: a smaller learning_rate may help"
        return number, numbers

    def _judged(self) -> dict[str, float]:
        sums, size = ErrorSums.none(), max(32, self.options.batch_size)
        for begin in range(0, self.judged, size):
            chosen = np.arange(begin, min(begin + size, self.judged))
            found, _ = self.judge.residuals(self.result.model, chosen, self.weights, graph=False)
            sums.add(found)
        return {"loss": sums.loss(self.weights), **sums.numbers()}

    def state(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "model": self.result.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state(),
            "best": [self.best, self.result.best_epoch],
            "best_state": self.best_state,
            "stopped": self.result.stopped,
            "history": self.result.history,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state."""
        self.result.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.restore(state["schedule"])
        self.best, self.result.best_epoch = state["best"]
        self.best_state, self.result.history = state["best_state"], state["history"]
        # an end by number of epochs is none for a run that is to be longer
        finished = len(self.result.history) >= self.options.epochs
        ended = state["stopped"] if state["stopped"] != self.schedule.ALL else ""
        self.result.stopped = self.schedule.ALL if finished else ended


def _begin(
    learn: LabelledFrames,
    species: tuple[int, ...],
    hyperparameters: dict[str, Any],
    options: TrainOptions,
    levels: tuple[str, ...],
    heads: str,
    given: Mapping[str, Mapping[int, float]] | None,
) -> LevelledHipnn:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        model = build_levels(hyperparameters, species, levels, heads)
    for k, name in enumerate(levels):
        known = (given or {}).get(name) or dict.fromkeys(species, 0.0) | fitted(learn, name)
        model.self_energies[k] = torch.tensor([known[z] for z in model.numbers], dtype=torch.float64)
    return model


def refuse_without_labels(frames: LabelledFrames, levels: tuple[str, ...], options: TrainOptions) -> None:
    """Refuse a head that nothing would train.

    Raises
    ------
    UserError
        A level of which no frame has a label that counts.
    """
    named = {"energy": "energies", "force": "forces", "stress": "stress"}
    for name in levels:
        weights = options.weight(name)
        counted = [kind for kind in named if weights.of(kind) > 0.0]
        if name not in frames.levels or not any(frames.has(name, named[kind]).any() for kind in counted):
            raise UserError(
                f"no training frame has a label of level '{name}' that counts: its head would not be trained",
                where=f"level {name}",
                accepted="energies, forces or stress of the level with a weight above 0, or no such level",
            )


def _refuse_species(model: LevelledHipnn, *parts: LabelledFrames) -> None:
    for part in parts:
        unknown = sorted(set(part.species) - set(model.numbers))
        if unknown:
            frame = int(part.frame_of_atom[part.numbers == unknown[0]][0])
            raise UserError(
                f"the model does not know atomic number {unknown[0]}, which no training frame has",
                where=str(part.origins[frame]),
                accepted="atomic numbers " + ", ".join(map(str, model.numbers)),
            )


def _trained(model: LevelledHipnn, options: TrainOptions) -> list[torch.nn.Parameter]:
    """Return the parameters to train; what acts on bare species is left to self energies."""
    held = {
        id(parameter)
        for head in model.heads
        if not head.first_is_interacting
        for parameter in head.layers[0].parameters()  # type: ignore[index,union-attr]
    }
    part = model.heads if options.freeze_network else model
    return [parameter for parameter in part.parameters() if id(parameter) not in held]
