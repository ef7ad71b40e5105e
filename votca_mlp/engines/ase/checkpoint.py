"""The state of an interrupted step on disk: written whole or not at all, never pickled."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.resume import digests, refuse_other_inputs
from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write

NAME = "ase_checkpoint.npz"
"""File name in the step directory; it is there while a step is unfinished."""

_FORMAT, _WITH_LISTS = 1, 2
_SHAPING = (
    "traj",
    "conf_out",
    "ensemble",
    "temperature",
    "pressure",
    "timestep",
    "first_equilibration",
    "equilibration",
    "production",
    "sample_every",
    "thermostat_time",
    "barostat_time",
    "seed",
    "checkpoint_every",
)
_LIST = "list_"
_ARRAYS = ("positions", "velocities", "cell", "strain_rate", "thermostat", "barostat")


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a step needs to go on.

    Attributes
    ----------
    step
        MD steps done.
    volume
        Of the start, Angstrom^3.
    lengths
        Length of each growing file in bytes, by name.
    inputs
        What the run was made from; see :func:`describe_inputs`.
    state
        Arrays of :meth:`votca_mlp.engines.ase.motion.Motion.state`.
    lists
        Of :meth:`votca_mlp.engines.ase.motion.Motion.lists`, for a step at which the neighbour lists were not
        built anew; None at regular checkpoints.
    """

    step: int
    volume: float
    lengths: dict[str, int]
    inputs: dict[str, Any]
    state: dict[str, NDArray[np.float64]]
    lists: dict[str, NDArray[np.float64]] | None = None


def describe_inputs(
    plan: MDPlan, *, step_directory: Path, identity: str, max_steps: int | None, start: str
) -> dict[str, Any]:
    """Return what must not change while a step is continued, as plain JSON values.

    What of the plan shapes the trajectory, the digests of the step's potential tables, the model's
    ``identity`` and the digest of the ``start`` configuration.
    """
    inputs = {name: getattr(plan, name) for name in _SHAPING}
    inputs["conf"] = None if plan.start is None else plan.start.name
    inputs["crystal"] = None if plan.crystal is None else plan.crystal.model_dump(mode="json")
    inputs["model"] = identity
    inputs["max_steps"] = max_steps
    if plan.barostat_axes != MDPlan.barostat_axes:
        # checkpoints of earlier versions do not name it
        inputs["barostat_axes"] = plan.barostat_axes
    inputs["start"] = start
    return inputs | digests(step_directory, list(plan.tables))


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write under a temporary name and rename.

    Raises
    ------
    UserError
        No space left; the earlier checkpoint stays.
    """
    header = {
        "format": _FORMAT if checkpoint.lists is None else _WITH_LISTS,
        "step": checkpoint.step,
        "volume": checkpoint.volume,
        "lengths": checkpoint.lengths,
        "inputs": checkpoint.inputs,
    }
    arrays: dict[str, Any] = {name: checkpoint.state[name] for name in _ARRAYS}
    arrays |= {f"{_LIST}{name}": values for name, values in (checkpoint.lists or {}).items()}
    with atomic_write(path, "wb") as file:
        np.savez(file, header=np.array(json.dumps(header)), **arrays)


def load(path: Path, *, inputs: dict[str, Any], n_atoms: int) -> Checkpoint:
    """Read a checkpoint and compare it with the present ``inputs``.

    Raises
    ------
    UserError
        Damaged, of another version, or of other inputs; it says which and what to remove.
    """
    remove = f"remove {path} to start this step again"
    try:
        with np.load(path, allow_pickle=False) as data:
            header = json.loads(str(data["header"]))
            state = {name: np.array(data[name], float) for name in _ARRAYS}
            lists = {
                name.removeprefix(_LIST): np.array(data[name], float)
                for name in data.files
                if name.startswith(_LIST)
            }
        version = header["format"]
        checkpoint = Checkpoint(
            int(header["step"]),
            float(header["volume"]),
            dict(header["lengths"]),
            header["inputs"],
            state,
            lists if version == _WITH_LISTS else None,
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise UserError(
            f"the checkpoint is damaged ({type(error).__name__})", where=path, accepted=remove
        ) from error
    if version not in (_FORMAT, _WITH_LISTS):
        known = f"{_FORMAT} or {_WITH_LISTS}"
        raise UserError(f"the checkpoint has format {version}", where=path, accepted=f"{known}; {remove}")
    refuse_other_inputs(checkpoint.inputs, inputs, path)
    if state["positions"].shape != (n_atoms, 3):
        raise UserError("the checkpoint has another number of atoms", where=path, accepted=remove)
    return checkpoint
