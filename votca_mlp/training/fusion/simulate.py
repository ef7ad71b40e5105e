"""Trajectories of a state point by the package's own engine, resumable, as stored frames."""

import copy
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.training.fusion.copies import Copies
from votca_mlp.training.fusion.observables.frames import StoredFrames, stored_frames
from votca_mlp.training.fusion.states import StatePoint

if TYPE_CHECKING:
    from ase import Atoms

FRAMES = "frames.npz"
"""Positions and cells of a finished trajectory; what the engine left is removed then."""


def simulate(
    state: StatePoint,
    copies: Copies,
    folder: Path,
    number: int,
    start: "Atoms",
    seed: int,
    *,
    device: str = "cpu",
) -> StoredFrames:
    """Run, continue or read the trajectory of a folder and return its frames.

    Interrupted anywhere, it goes on from the engine's checkpoint to the same frames.

    Parameters
    ----------
    state, start
        What to simulate, from which configuration.
    copies
        The model; another one than a folder's checkpoint belongs to is refused.
    folder, number
        Where, and which trajectory of the state it is, from 1.
    seed
        Of the velocities, with the number.
    device
        Of torch, for the MD alone: the copies stay where they are.

    Raises
    ------
    UserError
        A device that is not there; a simulation that has gone wrong.
    """
    from ase import Atoms
    from ase.io import write

    from votca_mlp.engines.ase.step import run_step
    from votca_mlp.evaluation.evaluator import PairListEvaluator
    from votca_mlp.evaluation.load import pick_device
    from votca_mlp.progress import Progress
    from votca_mlp.trajectories.read import read_frames

    if (folder / FRAMES).is_file():
        return load_frames(folder / FRAMES, copies.identity)
    work = folder / "md"
    work.mkdir(parents=True, exist_ok=True)
    begin = work / "start.extxyz"
    if not begin.exists():
        with atomic_write(begin) as file:
            write(file, start, format="extxyz")
    plan = state.plan(begin, seed)
    place = pick_device(device)
    # an evaluator moves its model
    model = copies.single if place.type == "cpu" else copy.deepcopy(copies.single)
    evaluator = PairListEvaluator(model, device=place, skin=plan.skin)
    run_step(
        plan,
        evaluator,
        step_directory=work,
        step_number=number,
        progress=Progress(None),
        identity=copies.identity,
    )
    frames = [
        Atoms(start.numbers, frame.positions, cell=frame.box, pbc=True)
        for frame in read_frames(work / plan.traj)
    ]
    with atomic_write(folder / FRAMES, "wb") as file:
        np.savez(
            file,
            model=copies.identity,
            numbers=start.numbers,
            positions=np.array([each.positions for each in frames]),
            cells=np.array([each.cell.array for each in frames]),
        )
    shutil.rmtree(work)
    return stored_frames(frames)


def load_frames(path: Path, model: str) -> StoredFrames:
    """Read the frames of a finished trajectory of a model.

    Raises
    ------
    UserError
        A damaged file, or a trajectory of another model.
    """
    from ase import Atoms

    try:
        with np.load(path, allow_pickle=False) as data:
            arrays, found = (data["numbers"], data["positions"], data["cells"]), str(data["model"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise UserError(
            f"cannot read the frames: {error}", where=path, accepted=f"remove {path.parent} to run it again"
        ) from None
    if found != model:
        raise UserError(
            "is a trajectory of another model", where=path, accepted=f"remove {path.parent} to run it again"
        )
    numbers, positions, cells = arrays
    return stored_frames([Atoms(numbers, p, cell=c, pbc=True) for p, c in zip(positions, cells, strict=True)])
