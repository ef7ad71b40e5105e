"""The end of a fusion: the model that is returned is simulated once more.

Until then its experiments may be known by reweighting alone, and it was chosen for its chi^2 on the very
frames that it was trained to: a simulation that it never saw says what it is worth.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from votca_mlp.errors import UserError
from votca_mlp.training.fusion.checkpoint import Progress
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.experiments import Experiment
from votca_mlp.training.fusion.observables.frames import StoredFrames
from votca_mlp.training.fusion.pool import StatePool, Trajectory
from votca_mlp.training.fusion.response import Response, respond
from votca_mlp.training.fusion.states import StatePoint

if TYPE_CHECKING:
    from ase import Atoms

OPTIMISTIC = 1.5
"""Ratio of chi^2 afresh to that of the fusion's frames from which it is said that they differ."""
Run = Callable[[StatePoint, Copies, Path, int, "Atoms", int], StoredFrames]


def candidates(progress: Progress) -> list[tuple[int, torch.Tensor]]:
    """Return iterations and parameters that may be returned: the best, then the best that was simulated."""
    if progress.best_number < 0:
        return []
    found = [(progress.best_number, progress.best)]
    if progress.sure is not None and progress.sure_number != progress.best_number:
        found.append((progress.sure_number, progress.sure))
    return found


def verdict(by_fusion: float, afresh: float) -> str:
    """Return chi^2 of the closing simulation beside what the fusion had said, with advice where they differ.

    Parameters
    ----------
    by_fusion, afresh
        chi^2 by value, by the frames that the model was trained to and by those of its own.
    """
    said = f"chi^2 of experiments {afresh:.3g}, where the fusion's own frames said {by_fusion:.3g}"
    if afresh > max(1.0, OPTIMISTIC * by_fusion):
        said += (
            ": reweighting was optimistic, the former is what the model is worth (a longer production helps)"
        )
    return said


def afresh(
    pools: Sequence[StatePool],
    experiments: Sequence[Sequence[Experiment]],
    copies: Copies,
    place: Callable[[StatePoint], Path],
    run: Run,
    numbers: Sequence[int],
    seed: int,
) -> list[Response]:
    """Return all states' experiments with the present parameters by simulations of their own.

    Parameters
    ----------
    pools, experiments
        By state; a simulation goes on from the last frame of its pool, with new velocities.
    place
        Folder of a state's simulation.
    run, numbers, seed
        What makes a trajectory; its number and seed, which velocities come from.

    Raises
    ------
    UserError
        A simulation that goes wrong; what it left is removed.
    """
    found = []
    for pool, compared, number in zip(pools, experiments, numbers, strict=True):
        folder = place(pool.state)
        try:
            frames = run(pool.state, copies, folder, number, pool.last(), seed)
        except UserError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        own = StatePool(pool.state, 1)
        own.add(Trajectory(number, frames, copies.vector), copies)
        found.append(respond(own, compared, copies))
    return found
