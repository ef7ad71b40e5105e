"""A run from the command line to the loop: settings, lock, environment, clean."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.files import remove_left_over
from votca_mlp.inverse import final_checks, summary, temperature
from votca_mlp.inverse.context import run_context
from votca_mlp.inverse.from_settings import inverse_plan
from votca_mlp.inverse.loop import run_loop
from votca_mlp.inverse.messages import Messages
from votca_mlp.inverse.plan import InversePlan
from votca_mlp.runs import claim, lock
from votca_mlp.runs.environment import allowed_steps
from votca_mlp.runs.left_over import CHECKS, remove_left_over_of_run
from votca_mlp.settings import load_settings


def run_inverse(
    options: Path, *, do_iterations: int | None = None, wall_time: int | None = None, age: float = 0.0
) -> str:
    """Run the loop that a settings.xml describes, in its folder; return why it stopped.

    Parameters
    ----------
    options
        settings.xml.
    do_iterations
        Only so many iterations.
    wall_time
        Seconds.
    age
        Seconds of the wall time that are gone already.

    Raises
    ------
    UserError
        Everything that a user can put right.
    """
    begin = time.monotonic() - age
    plan = inverse_plan(load_settings(options))
    return run_plan(plan, do_iterations=do_iterations, time_left=_countdown(begin, wall_time))


def run_plan(
    plan: InversePlan,
    *,
    do_iterations: int | None = None,
    time_left: Callable[[], float | None] = lambda: None,
    again: bool = False,
) -> str:
    """Run the loop in the plan's directory, or go on with it; return why it stopped.

    Obeys CSG_MDRUN_STEPS and CSG_NUM_THREADS as csg_inverse's step does. ``again``: also where a run is done,
    as more iterations may be wanted now.

    Raises
    ------
    UserError
        Another run works in the directory; everything else that a user can put right.
    """
    with lock.locked(plan.directory):
        remove_left_over_of_run(plan.directory)
        if again:
            (plan.directory / "done").unlink(missing_ok=True)
        messages = Messages(plan.directory / plan.log_file)
        try:
            context = run_context(plan, messages, time_left=time_left, max_steps=allowed_steps())
            return run_loop(context, do_iterations=do_iterations)
        except UserError as error:
            messages.note(f"votca-mlp: {error}")
            raise
        finally:
            messages.close()


def to_clean(directory: Path, log_file: str) -> list[Path]:
    """Return what ``clean`` removes from the main directory: done, log, steps, editors' backups."""
    names = ["done", log_file, summary.NAME, temperature.NAME, lock.NAME, claim.NAME]
    if (directory / final_checks.NAME).is_file():
        # without it a folder of that name may be anything of the user's
        names += [final_checks.NAME, CHECKS]
    files = [directory / name for name in names if (directory / name).exists()]
    return files + sorted(directory.glob("step_*")) + sorted(directory.glob("*~"))


def clean(directory: Path, log_file: str) -> None:
    """Remove what :func:`to_clean` lists.

    Raises
    ------
    UserError
        A run works in the directory.
    """
    with lock.locked(directory):
        remove_left_over(directory)
        for path in to_clean(directory, log_file):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != lock.NAME:
                path.unlink()
    (directory / lock.NAME).unlink(missing_ok=True)


def _countdown(begin: float, wall_time: int | None) -> Callable[[], float | None]:
    # a clock that never goes back: setting the system's time must not lengthen a job
    return lambda: None if wall_time is None else begin + wall_time - time.monotonic()
