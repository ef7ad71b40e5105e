"""What a fusion needs to go on from, written after every change of the parameters."""

import hashlib
import json
import pickle
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write

NAME = "fusion.pt"
_VERSION = 1


@dataclass
class Progress:
    """Where a fusion is.

    Attributes
    ----------
    inputs
        A digest of all that shapes its numbers.
    vector
        Present parameters.
    best, best_number, best_experiments
        Parameters of the best model so far, its iteration and chi^2.
    sure, sure_number, sure_experiments
        The same of the best model that a simulation has run with: others are known by reweighting alone.
    iteration
        Number of the next iteration.
    damping, label_weight, variance
        Present damping of the step, factor of the labels' chi^2, and size of the trust region.
    scales
        Errors on labels before fusion, by kind; errors on held-out labels likewise.
    trajectories
        By state: numbers of the folders in use, oldest first, with the parameters of each.
    made
        Trajectories made by state.
    history
        Of :class:`.options.Iteration`.
    failures
        Steps in a row after which a simulation went wrong.
    confirm
        Reweighting says that the experiments are met: the next iteration simulates these parameters.
    ended
        Why it ended; empty while it has not.
    closing
        The returned model by a simulation of its own; None before that, empty where it cannot be.
    kind_weights
        Further factors of the labels' chi^2 by kind, where they grow by kind; 1 where there is none.
    """

    inputs: str
    vector: Tensor
    best: Tensor
    damping: float
    label_weight: float
    variance: float
    scales: dict[str, float]
    held: dict[str, float]
    iteration: int = 0
    best_number: int = -1
    best_experiments: float = float("inf")
    sure: Tensor | None = None
    sure_number: int = -1
    sure_experiments: float = float("inf")
    trajectories: dict[str, list[tuple[int, Tensor]]] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    failures: int = 0
    confirm: bool = False
    ended: str = ""
    closing: dict[str, Any] | None = None
    kind_weights: dict[str, float] = field(default_factory=dict)


def digest_of(parts: Any) -> str:
    """Return a digest of plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def save_progress(folder: Path, progress: Progress) -> None:
    """Write it whole or not at all."""
    with atomic_write(folder / NAME, "wb") as file:
        torch.save({"version": _VERSION, **vars(progress)}, file)


def load_progress(folder: Path, inputs: str) -> Progress | None:
    """Return what a folder holds, None where it holds nothing.

    Raises
    ------
    UserError
        A damaged file, or one of another fusion.
    """
    path = folder / NAME
    if not path.exists():
        return None
    accepted = f"another folder, or remove {folder} to begin again"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content.pop("version") != _VERSION:
            raise ValueError("another version")
        progress = Progress(**content)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError, pickle.UnpicklingError):
        raise UserError("the fusion's state is damaged", where=path, accepted=accepted) from None
    except zipfile.BadZipFile:
        raise UserError("the fusion's state is damaged", where=path, accepted=accepted) from None
    if progress.inputs != inputs:
        raise UserError("belongs to another model, other labels or settings", where=path, accepted=accepted)
    return progress
