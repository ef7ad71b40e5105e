"""Stored trajectories of one state point, and the weights of their frames for any parameters.

A frame sampled with parameters theta_0 stands for theta with the weight exp(-(U_theta - U_theta0)/kBT) (R. W.
Zwanzig 1954; differentiable reweighting: S. Thaler and J. Zavadlav, Nat. Commun. 12, 6884 (2021)). Frames of
several trajectories, each of parameters of its own, are one sample by MBAR.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import is_not
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from votca_mlp.ensemble.mbar import pool_of
from votca_mlp.models.contract import PairModel
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.observables.frames import StoredFrames, join_frames
from votca_mlp.training.fusion.observables.measured import measure
from votca_mlp.training.fusion.observables.protocol import FrameObservable, Values, measure_all
from votca_mlp.training.fusion.states import StatePoint

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True)
class Trajectory:
    """Frames, and the parameters that they were sampled with; ``number`` is its folder's."""

    number: int
    frames: StoredFrames
    vector: Tensor


@dataclass
class StatePool:
    """The trajectories of a state that are in use, oldest first.

    Attributes
    ----------
    state
        Theirs.
    keep
        The most that are kept; older ones are dropped.
    """

    state: StatePoint
    keep: int = 3
    trajectories: list[Trajectory] = field(default_factory=list)
    _energies: dict[tuple[int, int], Tensor] = field(default_factory=dict, repr=False)
    _mixture: Tensor | None = field(default=None, repr=False)
    _values: tuple[str, tuple[FrameObservable, ...], Values] | None = field(default=None, repr=False)

    @property
    def frames(self) -> StoredFrames:
        """All frames."""
        return join_frames([each.frames for each in self.trajectories])

    def last(self) -> "Atoms":
        """Return where the next trajectory begins: the last frame, or the state's start."""
        start: Atoms = self.state.start.copy()
        if self.trajectories:
            frames = self.trajectories[-1].frames
            start.set_cell(frames.cells[-1].numpy())
            start.positions[:] = frames.positions[-1].numpy()
        return start

    def add(self, trajectory: Trajectory, copies: Copies) -> None:
        """Take a new trajectory, and drop the oldest beyond ``keep``. The model's parameters stay."""
        self.trajectories = [*self.trajectories, trajectory][-self.keep :]
        self._mixture = self._values = None
        self._complete(copies)

    def _complete(self, copies: Copies) -> None:
        """Evaluate each trajectory's frames with each trajectory's parameters, once."""
        now = copies.vector
        numbers = {each.number for each in self.trajectories}
        self._energies = {k: v for k, v in self._energies.items() if numbers.issuperset(k)}
        for model in self.trajectories:
            for sampled in self.trajectories:
                if (model.number, sampled.number) not in self._energies:
                    copies.put(model.vector)
                    self._energies[model.number, sampled.number] = energies_of(copies.double, sampled.frames)
        copies.put(now)

    def mixture(self) -> Tensor:
        """Return the logarithm of what all frames were sampled from, up to a constant, [n_frames].

        log sum_k n_k exp(f_k - u_k): with it the weights of any u are exp(-u - mixture), normalised.
        """
        if self._mixture is None:
            state = self.state
            volumes = state.pressure_ev * self.frames.volumes
            rows = [
                torch.cat([self._energies[model.number, each.number] for each in self.trajectories])
                for model in self.trajectories
            ]
            reduced = state.beta * (torch.stack(rows) + volumes)
            counts = [len(each.frames) for each in self.trajectories]
            pool = pool_of(reduced.numpy(), counts)
            logs = torch.from_numpy(pool.free_energies + np.log(counts))[:, None] - reduced
            self._mixture = torch.logsumexp(logs, 0)
        return self._mixture

    def values(self, copies: Copies, observables: Sequence[FrameObservable]) -> Values:
        """Return values by frame with the present parameters, those of one set of parameters kept.

        An iteration without a new trajectory begins with what the search for its parameters has ended with.
        """
        here, of = copies.identity, tuple(observables)
        kept = self._values
        if kept is None or kept[0] != here or len(kept[1]) != len(of) or any(map(is_not, kept[1], of)):
            with torch.no_grad():
                kept = self._values = here, of, measure_all(copies.double, self.frames, of)
        return dict(kept[2])

    def weights(self, energies: Tensor) -> Tensor:
        """Return the weights of all frames, which sum to 1; differentiable in ``energies`` [n_frames], eV."""
        enthalpies = energies + self.state.pressure_ev * self.frames.volumes
        return torch.softmax(-self.state.beta * enthalpies - self.mixture(), 0)

    def effective(self, energies: Tensor) -> float:
        """Return how many frames' worth the pool is by frames of one trajectory: 1 just after sampling it.

        The rule for new trajectories asks for this; several that fit are worth more than one.
        """
        return self._worth(energies) / len(self.trajectories[-1].frames)

    def share(self, energies: Tensor) -> float:
        """Return how many frames' worth the pool is by all of its frames, at most 1."""
        return min(1.0, self._worth(energies) / sum(len(each.frames) for each in self.trajectories))

    def _worth(self, energies: Tensor) -> float:
        """Return n_eff = exp(-sum w ln w), the exponential of the weights' entropy."""
        weights = self.weights(energies.detach())
        entropy = -torch.special.xlogy(weights, weights).sum()
        return float(entropy.exp())


def energies_of(model: PairModel, frames: StoredFrames) -> Tensor:
    """Return the energies of frames, eV, [n_frames], without gradients."""
    with torch.no_grad():
        return measure(model, frames, ("energy",))["energy"].detach()
