"""A fusion's trajectories: folders, what is in use of them, and when a new one is run."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch

from votca_mlp.training.fusion.checkpoint import Progress
from votca_mlp.training.fusion.copies import Copies, identity_of
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.options import FusionOptions
from votca_mlp.training.fusion.pool import StatePool, Trajectory, energies_of
from votca_mlp.training.fusion.simulate import FRAMES, load_frames
from votca_mlp.training.fusion.states import StatePoint

if TYPE_CHECKING:
    from ase import Atoms


class Simulator(Protocol):
    """What makes a trajectory; :func:`.simulate.simulate` is one."""

    def __call__(
        self, state: StatePoint, copies: Copies, folder: Path, number: int, start: "Atoms", seed: int
    ) -> StoredFrames:
        """Return the frames."""


class Trajectories:
    """The trajectories of all states in a folder.

    Parameters
    ----------
    folder, states, copies
        Where, of what, and the parameters.
    options, simulator
        The rule for new ones, and what makes them.
    """

    def __init__(
        self,
        folder: Path,
        states: Sequence[StatePoint],
        copies: Copies,
        options: FusionOptions,
        simulator: Simulator,
    ) -> None:
        self.folder, self.states, self.copies = folder, states, copies
        self.options, self.simulator = options, simulator
        self.pools = {state.name: StatePool(state, options.keep) for state in states}

    def restore(self, progress: Progress) -> None:
        """Read those in use again; the parameters in use become the progress'."""
        for state in self.states:
            pool = self.pools[state.name]
            for number, vector in progress.trajectories.get(state.name, []):
                frames = load_frames(self._place(state, number) / FRAMES, identity_of(vector))
                pool.add(Trajectory(number, frames, vector), self.copies)
        self.copies.put(progress.vector)

    def renew(self, progress: Progress, save: Callable[[], None]) -> list[str]:
        """Run new trajectories where the stored frames no longer serve, or everywhere to confirm a model.

        Return the states whose last trajectory was made with the present parameters: after a restart those
        of before it, too.

        Raises
        ------
        UserError
            A simulation that goes wrong.
        """
        new = []
        for state in self.states:
            if not self._serve(state, progress.confirm):
                self._simulate(state, progress)
                save()
            if self._is_fresh(state):
                new.append(state.name)
        return new

    def _serve(self, state: StatePoint, confirm: bool) -> bool:
        pool = self.pools[state.name]
        if not pool.trajectories or (confirm and not self._is_fresh(state)):
            return False
        return pool.effective(energies_of(self.copies.double, pool.frames)) >= self.options.effective

    def _is_fresh(self, state: StatePoint) -> bool:
        made = self.pools[state.name].trajectories
        return bool(made) and torch.equal(made[-1].vector, self.copies.vector)

    def _simulate(self, state: StatePoint, progress: Progress) -> None:
        pool, number = self.pools[state.name], progress.made.get(state.name, 0) + 1
        place = self._place(state, number)
        frames = self.simulator(state, self.copies, place, number, pool.last(), self.options.seed)
        pool.add(Trajectory(number, frames, self.copies.vector), self.copies)
        used = [(each.number, each.vector) for each in pool.trajectories]
        progress.trajectories[state.name] = used
        progress.made[state.name] = number

    def drop_unfinished(self, progress: Progress) -> None:
        """Remove what a simulation that went wrong has left."""
        for state in self.states:
            number = progress.made.get(state.name, 0) + 1
            shutil.rmtree(self._place(state, number), ignore_errors=True)

    def _place(self, state: StatePoint, number: int) -> Path:
        return self.folder / state.name / f"trajectory_{number:03d}"
