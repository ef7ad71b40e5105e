"""The command lines of grompp and mdrun, and what they find in their environment."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from votca_mlp.engines.gromacs.binary import with_gmxrc
from votca_mlp.engines.gromacs.kernel import kernel_library
from votca_mlp.engines.gromacs.options import options_of
from votca_mlp.engines.gromacs.plan import Plan
from votca_mlp.engines.plan import MDPlan

VOTCA_SCRIPT = "VOTCA_MLP_RUN_GROMACS"
"""Environment variable: VOTCA's script that runs grompp and mdrun."""


def grompp_command(md: MDPlan, directory: Path, mdp: Path, tpr: str) -> list[str]:
    """Return the command that makes the run input ``tpr`` from a step's files and the parameters ``mdp``."""
    g = options_of(md)
    words = [*shlex.split(g.grompp.bin), "-f", mdp.name, "-p", g.topol_in, "-c", g.conf, "-o", tpr]
    words += ["-po", f"{Path(tpr).stem}.mdout.mdp"]
    if (directory / g.index).is_file():
        words += ["-n", g.index]
    return with_gmxrc(md, [*words, *g.grompp.opts])


def mdrun_command(md: MDPlan, options: Sequence[str]) -> list[str]:
    """Return the command of mdrun with these options."""
    return with_gmxrc(md, [*shlex.split(options_of(md).mdrun.command), *options])


def variables_for(plan: Plan) -> dict[str, str]:
    """Return the variables of the environment of grompp and mdrun."""
    variables = {"GMX_MAXBACKUP": os.environ.get("GMX_MAXBACKUP", "-1")}
    if plan.way == "plumed":
        variables["PLUMED_KERNEL"] = str(kernel_library())
    return variables
