"""The state of training in a file, so that what is stopped goes on to the same bits."""

import dataclasses
import hashlib
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write
from votca_mlp.models.hipnn.levels import LevelledHipnn
from votca_mlp.training.labelled import LabelledFrames
from votca_mlp.training.trainer.options import TrainOptions
from votca_mlp.training.trainer.order import scarce_levels

FORMAT, VERSION = "votca-mlp training", 1


def fingerprint(
    frames: LabelledFrames,
    parts: tuple[NDArray[np.int64], NDArray[np.int64]],
    model: LevelledHipnn,
    options: TrainOptions,
) -> str:
    """Return a digest of all that training follows from: data, split, options, parameters at the start."""
    digest = hashlib.sha256()
    arrays = [frames.numbers, frames.positions, frames.offsets, frames.cells, frames.pbc, *parts]
    for name in model.levels:
        labels = frames.levels[name]
        arrays += [labels.energies, labels.forces, labels.stress]
    for tensor in (*model.parameters(), model.self_energies):
        arrays.append(tensor.detach().numpy())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    values = dataclasses.asdict(options)
    # longer training is the same training, unless the schedule spans it
    if options.schedule != "cosine":
        del values["epochs"]
    # chosen after training
    del values["keep"], values["last_layer"]
    if not scarce_levels(frames.take(parts[0]), model.levels, options.share):
        # nothing depends on it
        del values["share"]
    digest.update(json.dumps([values, model.levels, model.kind, model.numbers], sort_keys=True).encode())
    return digest.hexdigest()


def save(path: Path, mark: str, state: dict[str, Any]) -> None:
    """Write the state: plain tensors, numbers and text.

    Raises
    ------
    UserError
        A file that cannot be written.
    """
    with atomic_write(path, "wb") as file:
        torch.save({"format": FORMAT, "version": VERSION, "fingerprint": mark, **state}, file)


def load(path: Path, mark: str) -> dict[str, Any] | None:
    """Return the state in a file; None when there is none.

    Raises
    ------
    UserError
        A file of something else, or of training with other data or options.
    """
    if not path.exists():
        return None
    another = "another file, or none: remove it to begin anew"
    unreadable = (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (*unreadable, zipfile.BadZipFile):
        raise UserError("the checkpoint is damaged", where=path, accepted=another) from None
    if not isinstance(state, dict) or (state.get("format"), state.get("version")) != (FORMAT, VERSION):
        raise UserError("is no checkpoint of training", where=path, accepted=another)
    if state.get("fingerprint") != mark:
        what = "the checkpoint is of training with other data, network, options or seed"
        raise UserError(what, where=path, accepted=another)
    return state
