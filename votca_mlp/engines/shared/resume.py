"""What every engine asks before it goes on with a step: from which inputs, finished already, files whole."""

import json
from pathlib import Path
from typing import Any, Protocol

from votca_mlp.engines.shared.result import SUMMARY, StepResult
from votca_mlp.errors import UserError
from votca_mlp.files import read_json, sha256_of


class StepFiles(Protocol):
    """Names of the files that end a simulation: those of a plan, or of an engine's section."""

    @property
    def traj(self) -> str: ...
    @property
    def conf_out(self) -> str: ...


def digests(directory: Path, names: list[str]) -> dict[str, str]:
    """Return short SHA-256 digests of the files of those names that are there."""
    return {name: sha256_of(directory / name)[:16] for name in names if (directory / name).is_file()}


def refuse_other_inputs(old: dict[str, Any], inputs: dict[str, Any], checkpoint: Path) -> None:
    """Refuse a checkpoint that was made from other inputs.

    Raises
    ------
    UserError
        Naming each input that has changed.
    """
    new = json.loads(json.dumps(inputs))
    changed = [
        f"{key} was {old.get(key)}, is {new.get(key)}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    if changed:
        raise UserError(
            "the checkpoint belongs to other inputs: " + "; ".join(changed),
            where=checkpoint,
            accepted=f"the inputs it was made from, or remove {checkpoint} to start this step again",
        )


def is_finished(directory: Path, files: StepFiles) -> bool:
    """Return whether the files that end a simulation are there (the last of them only when all is done)."""
    return all((directory / name).is_file() for name in (files.traj, files.conf_out))


def finished_result(
    directory: Path, files: StepFiles, inputs: dict[str, Any], total: int
) -> StepResult | None:
    """Return the result of a run that was killed after its last rename, or None."""
    if not is_finished(directory, files) or not (directory / SUMMARY).is_file():
        return None
    try:
        summary = read_json(directory / SUMMARY)
        same = summary["inputs"] == json.loads(json.dumps(inputs))
    except (ValueError, KeyError, TypeError):
        return None
    return StepResult("finished", total, total, 0.0, summary) if same else None


def shorter_than_recorded(path: Path, length: int) -> UserError:
    """Return the error for a growing file that is missing or shorter than its checkpoint recorded, bytes."""
    return UserError(
        f"the file is missing or shorter than the {length} bytes that the checkpoint recorded",
        where=path,
        accepted="the file as it was; or remove the checkpoint to start this step again",
    )
