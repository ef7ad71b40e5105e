"""The engine that a settings.xml names; each has the same ``run_step``."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from votca_mlp.engines.shared.result import StepResult
from votca_mlp.progress import Progress

if TYPE_CHECKING:
    from votca_mlp.evaluation.evaluator import Evaluator
    from votca_mlp.settings import Settings

CHECKPOINTS = {"ase": "ase_checkpoint.npz", "lammps": "lammps_checkpoint.zip", "gromacs": "state.cpt"}
"""What an engine leaves in an unfinished step to resume from."""


class RunStep(Protocol):
    """Run or continue the MD of one step; see :func:`votca_mlp.engines.ase.step.run_step`."""

    def __call__(
        self,
        settings: "Settings",
        evaluator: "Evaluator",
        *,
        step_directory: Path,
        main_directory: Path,
        step_number: int,
        progress: Progress,
        deadline: float | None = None,
        max_steps: int | None = None,
        identity: str = "",
    ) -> StepResult: ...


def run_step_of(program: str) -> RunStep:
    """Return the engine's ``run_step``; imported here, as engines are heavy."""
    if program == "ase":
        from votca_mlp.engines.ase.step import run_step
    elif program == "lammps":
        from votca_mlp.engines.lammps.step import run_step
    elif program == "gromacs":
        from votca_mlp.engines.gromacs.step import run_step
    else:
        raise NotImplementedError(program)
    return run_step


def checkpoint_file(program: str, step_directory: Path) -> Path:
    """Return the checkpoint of an unfinished step."""
    return step_directory / CHECKPOINTS[program]
