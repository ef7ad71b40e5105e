"""How one state is simulated in a process of its own, ``votca-mlp csg run-state``."""

import os
import sys

from votca_mlp.inverse.plan import InversePlan
from votca_mlp.processes import cores

_THREADS = ("CSG_NUM_THREADS", "OMP_NUM_THREADS")


def state_command(plan: InversePlan, state: str) -> list[str]:
    """Return the command that simulates one state, to be run in the step directory."""
    return [*plan.launch, sys.executable, "-m", "votca_mlp", "csg", "run-state", state]


def state_environment(
    plan: InversePlan,
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
        "CSGXMLFILE": str(plan.origin.path),
        "CSG_MAINDIR": str(plan.directory),
        "CSG_THISSTEP": f"step_{step_number:03d}",
        "CSG_MASTER_PID": str(os.getpid()),
    }
    for name, value in (("CSGENDING", ending), ("CSG_MDRUN_STEPS", max_steps)):
        found.pop(name, None)
        if value is not None:
            found[name] = str(int(value))
    if plan.launch:
        # it may start the process on another machine, where no such process is found
        del found["CSG_MASTER_PID"]
    elif plan.model.threads is None:
        whole = next((int(v) for n in _THREADS if (v := found.get(n, "")).isdecimal()), cores())
        share = str(max(1, whole // at_once))
        found |= dict.fromkeys((*_THREADS, "NUMBA_NUM_THREADS"), share)
    return found
