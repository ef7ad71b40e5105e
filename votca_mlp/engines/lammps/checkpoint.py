"""The state of an interrupted step: LAMMPS's restart file and what belongs to it, with checksums."""

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from votca_mlp.engines.lammps.options import options_of
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.resume import refuse_other_inputs, shorter_than_recorded
from votca_mlp.errors import UserError
from votca_mlp.files import atomic_write, sha256_of

NAME = "lammps_checkpoint.zip"
"""File name in the step directory; it is there while a step is unfinished."""
RESTART = "lammps_restart.part"
_FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """Where a script is.

    Attributes
    ----------
    run
        Position of the ``run`` command under way among the script's commands.
    begin
        LAMMPS's time step when this run began.
    made
        MD steps that it has made.
    step
        LAMMPS's time step now.
    done
        MD steps of all runs together.
    volume
        Of the start, Angstrom^3.
    lengths
        Length of each growing file in bytes, by name.
    inputs
        What the run was made from.
    """

    run: int
    begin: int
    made: int
    step: int
    done: int
    volume: float
    lengths: dict[str, int]
    inputs: dict[str, Any]


def describe_inputs(
    plan: MDPlan, files: list[Path], *, step_directory: Path, identity: str, max_steps: int | None
) -> dict[str, Any]:
    """Return what must not change while a step is continued, as plain JSON values."""
    tables = [step_directory / name for name in plan.tables]
    inputs: dict[str, Any] = {path.name: sha256_of(path)[:16] for path in (*files, *tables) if path.is_file()}
    if options_of(plan).command is not None:
        # restart files and rounding are those of one way; the number of ranks may change
        inputs["way"] = "mliap unified"
    dtype = None if plan.model is None else plan.model.dtype
    return {**inputs, "model": identity, "dtype": dtype, "max_steps": max_steps, "kBT": plan.kBT}


def save(directory: Path, checkpoint: Checkpoint) -> None:
    """Put LAMMPS's restart file, which it has just written, and ``checkpoint`` in the place of the last ones.

    Raises
    ------
    UserError
        No space left; the earlier checkpoint stays.
    """
    restart = directory / RESTART
    with atomic_write(directory / NAME, "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("checkpoint.json", json.dumps({"format": _FORMAT, **asdict(checkpoint)}))
        archive.write(restart, "restart")
    restart.unlink()


def load(directory: Path, inputs: dict[str, Any]) -> Checkpoint | None:
    """Return the checkpoint of a step, None when it has none, with LAMMPS's restart file in its place.

    Raises
    ------
    UserError
        Damaged, or of other inputs; it says which and what to remove.
    """
    path = directory / NAME
    if not path.exists():
        return None
    remove = f"remove {path} to start this step again"
    try:
        with zipfile.ZipFile(path) as archive:
            content = json.loads(archive.read("checkpoint.json"))
            restart = archive.read("restart")
        version = content.pop("format")
        checkpoint = Checkpoint(**content)
        old = dict(checkpoint.inputs)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        what = f"the checkpoint is damaged ({type(error).__name__})"
        raise UserError(what, where=path, accepted=remove) from error
    if version != _FORMAT:
        raise UserError(f"the checkpoint has format {version}", where=path, accepted=f"{_FORMAT}; {remove}")
    refuse_other_inputs(old, inputs, path)
    with atomic_write(directory / RESTART, "wb") as file:
        file.write(restart)
    return checkpoint


def cut(path: Path, length: int) -> None:
    """Cut a growing file back to its length at the checkpoint.

    Raises
    ------
    UserError
        It is missing or shorter.
    """
    if not path.is_file() or path.stat().st_size < length:
        raise shorter_than_recorded(path, length)
    with open(path, "r+b") as file:
        file.truncate(length)
