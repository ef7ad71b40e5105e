"""What csg_inverse tells its scripts through environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from votca_mlp.errors import UserError
from votca_mlp.runs.environment import allowed_steps, whole_number

_ACCEPTED = "these commands are run by csg_inverse or csg_call; start one of them with --options settings.xml"


@dataclass(frozen=True)
class CsgEnvironment:
    """Where a script of csg_inverse runs.

    Attributes
    ----------
    settings
        The settings.xml (``CSGXMLFILE``).
    main_directory
        Where csg_inverse was started (``CSG_MAINDIR``).
    step_directory
        The working directory, ``step_NNN``.
    step_number
        NNN, 0 for the preparation.
    ending
        Epoch seconds at which ``--wall-time`` is up, or None.
    max_steps
        MD steps allowed in each stage (``CSG_MDRUN_STEPS``), or None.
    threads
        ``CSG_NUM_THREADS``, or None.
    master
        Process id of csg_inverse, or None.
    """

    settings: Path
    main_directory: Path
    step_directory: Path
    step_number: int
    ending: float | None = None
    max_steps: int | None = None
    threads: int | None = None
    master: int | None = None


def read_environment(variables: Mapping[str, str] | None = None) -> CsgEnvironment:
    """Read the variables that csg_inverse exports (those of this process when None are given).

    Raises
    ------
    UserError
        A variable that is missing or not a number.
    """
    given = os.environ if variables is None else variables
    for name in ("CSGXMLFILE", "CSG_MAINDIR"):
        if not given.get(name):
            raise UserError(f"the environment has no {name}", accepted=_ACCEPTED)
    step_directory = Path.cwd()
    step = Path(given.get("CSG_THISSTEP") or step_directory).name.removeprefix("step_")
    return CsgEnvironment(
        settings=Path(given["CSGXMLFILE"]),
        main_directory=Path(given["CSG_MAINDIR"]),
        step_directory=step_directory,
        step_number=int(step) if step.isdecimal() else 0,
        ending=whole_number("CSGENDING", given),
        max_steps=allowed_steps(given),
        threads=whole_number("CSG_NUM_THREADS", given),
        master=whole_number("CSG_MASTER_PID", given),
    )
