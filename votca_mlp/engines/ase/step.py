"""One step of the inverse loop with the engine ``ase``: from a start to trajectory and last configuration.

Files in the step directory: ``thermo.dat`` grows; the trajectory grows under ``NAME.part``; at the end the
last configuration, ``md_step.json`` and then the trajectory get their names, and the checkpoint goes.
"""

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from votca_mlp.engines.ase import checkpoint as checkpoints
from votca_mlp.engines.ase.run import Run
from votca_mlp.engines.plan import MDPlan
from votca_mlp.engines.shared.deadline import on_steady_clock
from votca_mlp.engines.shared.result import StepResult
from votca_mlp.engines.shared.resume import finished_result
from votca_mlp.engines.shared.stages import plan_stages
from votca_mlp.engines.shared.start import checked_start
from votca_mlp.engines.shared.stress import refuse_wrong_stress, require_stress, without_wrong_stress
from votca_mlp.evaluation.contract import Evaluator
from votca_mlp.processes import is_interrupt
from votca_mlp.progress import Progress

if TYPE_CHECKING:
    from ase import Atoms

_log = logging.getLogger(__name__)


def run_step(
    plan: MDPlan,
    evaluator: Evaluator,
    *,
    step_directory: str | Path,
    step_number: int,
    progress: Progress,
    deadline: float | None = None,
    max_steps: int | None = None,
    identity: str = "",
) -> StepResult:
    """Run or continue the MD of one step.

    A run interrupted anywhere goes on from its last checkpoint and gives the same files bit for bit (where
    the evaluator is deterministic, as on a CPU with a fixed number of threads).

    Parameters
    ----------
    plan
        What to do.
    evaluator
        Model plus the correction of this step.
    step_directory
        Where the tables of the correction are and all files are left.
    step_number
        1 for the first step of MD.
    progress
        Where to report.
    deadline
        Seconds since the epoch at which to be done (csg_inverse's ``CSGENDING``).
    max_steps
        Upper bound of the steps of each stage (csg_inverse's ``CSG_MDRUN_STEPS``).
    identity
        Names model and correction, such as a digest; a checkpoint of another one is refused.

    Raises
    ------
    UserError
        Input that does not fit, a simulation that has gone wrong, a damaged checkpoint, no space left.
    """
    step_directory, ending = Path(step_directory), on_steady_clock(deadline)
    check_stress(plan, evaluator)
    start = checked_start(plan, step_directory)
    stages = plan_stages(plan, step_number=step_number, from_crystal=start.from_crystal, max_steps=max_steps)
    inputs = checkpoints.describe_inputs(
        plan,
        step_directory=step_directory,
        identity=identity,
        max_steps=max_steps,
        start=_digest(start.atoms),
    )
    finished = finished_result(step_directory, plan, inputs, stages[-1].end)
    if finished is not None:
        (step_directory / checkpoints.NAME).unlink(missing_ok=True)
        return finished
    if plan.ensemble == "nvt":
        # also when it goes on: what is wrong stays unknown
        said = without_wrong_stress(evaluator, start.atoms)
        if said and step_number == 1:
            _log.warning("%s", said)
    elif step_number == 1 and not (step_directory / checkpoints.NAME).is_file():
        check_stress(plan, evaluator, start.atoms)
    run = Run(plan, evaluator, start.atoms, stages, inputs, step_directory, step_number)
    progress.start(f"step {step_number}", run.total, run.done)
    try:
        in_time = run.advance(progress, ending)
        note = "" if in_time else "stopped at a checkpoint before the deadline"
    except BaseException as error:
        note = f"interrupted, saved at {run.saved}" if is_interrupt(error) else "failed"
        raise
    finally:
        rate = progress.rate(run.done)
        progress.close(run.done, note)
        run.close()
    if not in_time:
        return StepResult("checkpointed", run.saved, run.total, rate)
    summary = run.finish(step_number=step_number, source=start.source, steps_per_second=rate)
    return StepResult("finished", run.total, run.total, rate, summary)


def check_stress(plan: MDPlan, evaluator: Evaluator, atoms: "Atoms | None" = None) -> None:
    """Refuse a barostat where the model has no stress, or, where the start is there, a wrong one."""
    if plan.ensemble == "npt":
        require_stress(plan, evaluator, "ensemble", "npt")
        if atoms is not None:
            refuse_wrong_stress(plan, evaluator, atoms, "ensemble")


def _digest(atoms: "Atoms") -> str:
    """Return a short digest of the start: numbers, positions, cell and masses."""
    arrays = (atoms.numbers, atoms.get_positions(), atoms.cell.array, atoms.get_masses())
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()[
        :16
    ]
