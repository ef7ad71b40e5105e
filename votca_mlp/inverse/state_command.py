"""How one state is simulated in a process of its own, ``votca-mlp csg run-state``, and how many at once."""

import os
import shlex
import sys
from typing import TYPE_CHECKING

from votca_mlp.errors import UserError
from votca_mlp.processes import cores

if TYPE_CHECKING:
    from votca_mlp.settings import Settings

_TASKS = "cg.inverse.simulation.tasks"
_THREADS = ("CSG_NUM_THREADS", "OMP_NUM_THREADS")


def states_at_once(settings: "Settings") -> int:
    """Return how many states are simulated at the same time.

    ``cg.inverse.simulation.tasks``: a number, or ``auto`` for the cores of this process. Without the tag one
    after another, or all at once when ``multistate.launch`` says how to start them.

    Raises
    ------
    UserError
        Anything else.
    """
    count = len(settings.multistate.state_names)
    text = (settings.text(_TASKS) or "").strip()
    if not text:
        return count if settings.multistate.launch else 1
    if text == "auto":
        return min(count, cores())
    if not text.isdecimal() or int(text) < 1:
        where = settings.where(_TASKS)
        raise UserError(f"is '{text}'", where=where, accepted="auto, or a whole number > 0")
    return min(count, int(text))


def state_command(settings: "Settings", state: str) -> list[str]:
    """Return the command that simulates one state, to be run in the step directory.

    Raises
    ------
    UserError
        A ``multistate.launch`` with an open quote.
    """
    launch = settings.multistate.launch or ""
    try:
        before = shlex.split(launch)
    except ValueError as error:
        where = settings.where("cg.inverse.multistate.launch")
        raise UserError(f"is '{launch}': {error}", where=where, accepted="a command") from None
    return [*before, sys.executable, "-m", "votca_mlp", "csg", "run-state", state]


def state_environment(
    settings: "Settings",
    *,
    step_number: int,
    ending: float | None,
    max_steps: int | None,
    at_once: int,
) -> dict[str, str]:
    """Return the variables that ``csg run-state`` needs, those of csg_inverse.

    Each process gets its share of the threads, unless a launch command decides that.

    Parameters
    ----------
    ending
        Seconds since the epoch at which to have stopped at a checkpoint, or None.
    max_steps
        CSG_MDRUN_STEPS.
    at_once
        Processes at the same time.
    """
    # with CSGLOG it would write to descriptors 3 and 4, which are csg_inverse's terminal only here
    found = {name: value for name, value in os.environ.items() if name != "CSGLOG"}
    found |= {
        "CSGXMLFILE": str(settings.path),
        "CSG_MAINDIR": str(settings.main_directory),
        "CSG_THISSTEP": f"step_{step_number:03d}",
        "CSG_MASTER_PID": str(os.getpid()),
    }
    for name, value in (("CSGENDING", ending), ("CSG_MDRUN_STEPS", max_steps)):
        found.pop(name, None)
        if value is not None:
            found[name] = str(int(value))
    if settings.multistate.launch:
        # it may start the process on another machine, where no such process is found
        del found["CSG_MASTER_PID"]
    elif settings.mlp.threads is None:
        whole = next((int(v) for n in _THREADS if (v := found.get(n, "")).isdecimal()), cores())
        share = str(max(1, whole // at_once))
        found |= dict.fromkeys((*_THREADS, "NUMBA_NUM_THREADS"), share)
    return found
